import { useSubmitTemplate, type TemplateView } from '../api/template-hooks.ts';
import { Button } from '../ui/button.tsx';
import { Chip, type Tone } from '../ui/chip.tsx';
import { inWords } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { FindingList } from './finding-list.tsx';

/** One template: where it stands, its text as the customer sees it, and what is wrong with it. */
export function TemplateRow(props: { template: TemplateView }) {
  const { template } = props;
  const submit = useSubmitTemplate();
  const isAhead = template.metaVersion !== template.version;
  return (
    <li className="border-t border-edge pt-2 first:border-t-0 first:pt-0">
      <details>
        <summary className="flex flex-wrap items-center gap-2 text-sm">
          <span className="font-semibold break-all">{template.name}</span>
          <span className="text-muted">{template.language}</span>
          <Chip tone={toneOf(template.status)}>{inWords(template.status)}</Chip>
          {template.category === 'MARKETING' && <Chip tone="warn">Marketing</Chip>}
          {template.findings.some(({ severity }) => severity === 'error') && (
            <Chip tone="bad">Would be rejected</Chip>
          )}
        </summary>
        <div className="mt-2 flex flex-col gap-2 pl-4">
          <p dir="auto" className="rounded-xl bg-chat p-3 text-sm whitespace-pre-wrap">
            {template.body}
          </p>
          <p className="text-xs text-muted">
            Version {template.version}
            {template.nativePermissionRequest && ' · with WhatsApp’s own Allow and Not now'}
            {template.buttons.length > 0 &&
              ` · buttons: ${template.buttons.map(({ text }) => text).join(', ')}`}
            {template.quality !== null && ` · quality ${template.quality.toLowerCase()}`}
          </p>
          {template.reason !== null && (
            <p className="text-sm text-bad">
              {template.reason} {template.advice}
            </p>
          )}
          <FindingList findings={template.findings} />
          {isAhead && (
            <div>
              <Button disabled={submit.isPending} onClick={() => submit.mutate(template.id)}>
                Hand version {template.version} to Meta’s review
              </Button>
            </div>
          )}
          {submit.error !== null && <ProblemNote error={submit.error} />}
        </div>
      </details>
    </li>
  );
}

function toneOf(status: string): Tone {
  if (status === 'approved') return 'good';
  if (status === 'rejected' || status === 'disabled') return 'bad';
  return status === 'paused' ? 'warn' : 'plain';
}
