import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { errorText } from '../platform/failure.ts';
import { contentOfMeta } from '../templates/template-life.ts';
import { draftFromInput, draftInput } from '../templates/template-input.ts';
import { lintTemplate, type LintFinding } from '../templates/template-lint.ts';
import type { TemplateDraft } from '../templates/template.ts';
import { draftFromWire } from '../whatsapp/graph-answers.ts';

/**
 * `askfirst template lint FILE`: what Meta or a customer would find wrong with a template. The
 * file holds the body of POST /v1/templates, or Meta's own form with `components`.
 */
export type LintOptions = { json?: boolean };

/** Returns the exit code: 0 good, 1 something Meta would refuse, 2 no template. */
export function lintTemplateFile(file: string, options: LintOptions): number {
  let draft: TemplateDraft;
  try {
    draft = readDraft(JSON.parse(readFileSync(file === '-' ? 0 : file, 'utf8')));
  } catch (error) {
    process.stderr.write(`${file}: ${errorText(error)}\n`);
    return 2;
  }
  const { ok, findings } = lintTemplate(draft);
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify({ ok, findings })}\n`);
  } else {
    for (const finding of findings) process.stdout.write(lineOf(finding));
    const verdict = ok ? 'nothing stands against submitting it' : 'Meta would not take it';
    process.stdout.write(`${draft.name} (${draft.language}): ${verdict}\n`);
  }
  return ok ? 0 : 1;
}

const SIGNS = { error: '✗', warning: '!', hint: '·' } as const;

function lineOf({ severity, where, message, fix, rule, source }: LintFinding): string {
  return `${SIGNS[severity]} ${where}: ${message} ${fix} [${rule}; ${source}]\n`;
}

const metaForm = z.object({
  name: z.string(),
  language: z.string(),
  category: z.string(),
  components: z.array(z.unknown()),
});

function readDraft(data: unknown): TemplateDraft {
  const meta = metaForm.safeParse(data);
  if (meta.success) {
    const draft = draftFromWire(meta.data);
    if (draft === null) throw new TypeError('it holds parts that cannot be sent from here');
    const { name, language } = draft;
    return { name, language, ...contentOfMeta(draft) };
  }
  const read = draftInput.safeParse(data);
  if (!read.success) throw new TypeError(z.prettifyError(read.error).replaceAll('\n', ' '));
  return draftFromInput(read.data);
}
