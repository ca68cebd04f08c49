import type { TemplateDraft } from './template.ts';
import { guidelineFindings } from './template-lint-page.ts';
import { shapeFindings } from './template-lint-meta.ts';

/**
 * What is wrong with a template, before Meta's reviewers or a customer find out. `error`: Meta
 * would refuse or reject it, or it could not do its work; `warning`: it goes against a guideline
 * and costs consents; `hint`: good to know.
 */
export type LintFinding = {
  rule: string;
  severity: 'error' | 'warning' | 'hint';
  /** The part at fault: `name`, `body`, `samples[0]`, `buttons[1]` … */
  where: string;
  message: string;
  /** What to change. */
  fix: string;
  /** Who says so. */
  source: string;
};

export type Lint = { ok: boolean; findings: LintFinding[] };

/** Looks at a template from all sides; `ok` when nothing stands against submitting it. */
export function lintTemplate(draft: TemplateDraft): Lint {
  const findings = [...shapeFindings(draft), ...guidelineFindings(draft)];
  return { ok: findings.every(({ severity }) => severity !== 'error'), findings };
}
