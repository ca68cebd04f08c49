import { useState } from 'react';
import {
  useDeleteTemplate,
  useSubmitTemplate,
  useTemplateUses,
  useTemplateVersions,
  type TemplateView,
} from '../api/template-hooks.ts';
import { Button } from '../ui/button.tsx';
import { Chip, type Tone } from '../ui/chip.tsx';
import { dayAndTime, inWords } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { FindingList } from './finding-list.tsx';

/** One template: where it stands, its text as the customer sees it, and what is wrong with it. */
export function TemplateRow(props: { template: TemplateView; onChange: () => void }) {
  const { template } = props;
  const [isOpen, setOpen] = useState(false);
  return (
    <li className="border-t border-edge pt-2 first:border-t-0 first:pt-0">
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary className="flex flex-wrap items-center gap-2 text-sm">
          <span className="font-semibold break-all">{template.name}</span>
          <span className="text-muted">{template.language}</span>
          <Chip tone={toneOf(template.status)}>{inWords(template.status)}</Chip>
          {template.category === 'MARKETING' && <Chip tone="warn">Marketing</Chip>}
          {template.findings.some(({ severity }) => severity === 'error') && (
            <Chip tone="bad">Would be rejected</Chip>
          )}
        </summary>
        {isOpen && <TemplateBody template={template} onChange={props.onChange} />}
      </details>
    </li>
  );
}

type Step = 'versions' | 'delete' | null;

function TemplateBody(props: { template: TemplateView; onChange: () => void }) {
  const { template } = props;
  const [step, setStep] = useState<Step>(null);
  const submit = useSubmitTemplate();
  const isAhead = template.metaVersion !== template.version;
  const of = <span className="sr-only"> {template.name}</span>;
  return (
    <div className="mt-2 flex flex-col gap-2 pl-4 text-sm">
      <div dir="auto" className="rounded-xl bg-chat p-3 whitespace-pre-wrap">
        {template.header !== null && <p className="font-semibold">{template.header}</p>}
        <p>{template.body}</p>
        {template.footer !== null && <p className="text-xs text-muted">{template.footer}</p>}
      </div>
      <p className="text-xs text-muted">
        Version {template.version}
        {template.metaVersion !== null && isAhead && `, while Meta has ${template.metaVersion}`}
        {template.nativePermissionRequest && ' · with WhatsApp’s own Allow and Not now'}
        {template.buttons.length > 0 &&
          ` · buttons: ${template.buttons.map(({ text }) => text).join(', ')}`}
        {template.quality !== null && ` · quality ${template.quality.toLowerCase()}`}
      </p>
      {template.reason !== null && (
        <p className="text-bad">
          {template.reason} {template.advice}
        </p>
      )}
      <FindingList findings={template.findings} />
      <Uses id={template.id} />
      <div className="flex flex-wrap gap-2">
        {isAhead && (
          <Button disabled={submit.isPending} onClick={() => submit.mutate(template.id)}>
            Hand version {template.version} to Meta’s review
          </Button>
        )}
        <Button onClick={props.onChange}>Change{of}</Button>
        <Button onClick={() => setStep(step === 'versions' ? null : 'versions')}>
          Versions{of}
        </Button>
        <Button look="quiet" onClick={() => setStep('delete')}>
          Delete{of}
        </Button>
      </div>
      {submit.error !== null && <ProblemNote error={submit.error} />}
      {step === 'versions' && <Versions id={template.id} />}
      {step === 'delete' && <Delete template={template} onKeep={() => setStep(null)} />}
    </div>
  );
}

/** What would miss it. */
function Uses(props: { id: string }) {
  const uses = useTemplateUses(props.id);
  if (uses.error !== null) return <ProblemNote error={uses.error} />;
  if (uses.data === undefined) return null;
  const kinds = Object.entries(uses.data).filter(([, names]) => names.length > 0);
  const text = kinds.map(([kind, names]) => `${inWords(kind)}: ${names.join(', ')}`).join('; ');
  return (
    <p className="text-xs text-muted">
      {kinds.length === 0
        ? 'No journey, campaign or experiment sends it.'
        : `Sent by ${text}. It can be deleted once none of them does.`}
    </p>
  );
}

function Versions(props: { id: string }) {
  const versions = useTemplateVersions(props.id);
  if (versions.error !== null) return <ProblemNote error={versions.error} />;
  if (versions.data === undefined) return <p className="text-muted">Loading…</p>;
  return (
    <ol aria-label="Versions" className="flex flex-col gap-2">
      {versions.data.items.map(({ version, actor, createdAt, body }) => (
        <li key={version} className="border-l-2 border-edge pl-3">
          <p className="text-xs text-muted">
            Version {version}, {dayAndTime(createdAt)}, by{' '}
            <span className="break-all">{actor}</span>
          </p>
          <p dir="auto" className="whitespace-pre-wrap">
            {body}
          </p>
        </li>
      ))}
    </ol>
  );
}

function Delete(props: { template: TemplateView; onKeep: () => void }) {
  const { template } = props;
  const remove = useDeleteTemplate();
  return (
    <div className="flex flex-col items-start gap-2 rounded-xl border border-edge p-3">
      <p>It goes here and at Meta. Its versions stay: they are what people were asked with.</p>
      <div className="flex flex-wrap gap-2">
        <Button
          look="danger"
          disabled={remove.isPending}
          onClick={() => remove.mutate(template.id)}
        >
          Yes, delete it
        </Button>
        <Button onClick={props.onKeep}>Keep it</Button>
      </div>
      {remove.error !== null && <ProblemNote error={remove.error} />}
    </div>
  );
}

function toneOf(status: string): Tone {
  if (status === 'approved') return 'good';
  if (status === 'rejected' || status === 'disabled') return 'bad';
  return status === 'paused' ? 'warn' : 'plain';
}
