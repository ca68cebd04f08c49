import { useState } from 'react';
import type { Check, CheckState } from '../../../src/golive/golive.ts';
import type { LineView } from '../../../src/http/api-types.ts';
import { useGoLive, useSubmitBuiltIn, type SubmittedTemplate } from '../api/line-hooks.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { Chip, type Tone } from '../ui/chip.tsx';
import { TextField } from '../ui/field.tsx';
import { inWords, shortTime } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';

const STATES: Record<CheckState, [tone: Tone, words: string]> = {
  ok: ['good', 'Done'],
  warning: ['warn', 'Take care'],
  failed: ['bad', 'Missing'],
  unknown: ['plain', 'Not known'],
};

/** What a line still lacks before it calls real people; what is missing stands first. */
export function GoLiveCard(props: { line: LineView }) {
  const { line } = props;
  const found = useGoLive(line.id);
  const list = found.data;
  const done = (list?.checks ?? []).filter(({ state }) => state === 'ok');
  const rest = (list?.checks ?? []).filter(({ state }) => state !== 'ok');
  return (
    <Card
      title={`Going live: ${line.name}`}
      aside={
        <Button disabled={found.isFetching} onClick={() => void found.refetch()}>
          {found.isFetching ? 'Asking Meta…' : 'Look again'}
        </Button>
      }
    >
      {found.error !== null && <ProblemNote error={found.error} />}
      {list !== undefined && (
        <div className="flex flex-col gap-3 text-sm" aria-live="polite">
          <p className="flex flex-wrap items-center gap-2">
            <Chip tone={list.ready ? 'good' : 'bad'}>{list.ready ? 'Ready' : 'Not ready'}</Chip>
            <Chip tone={list.live ? 'accent' : 'warn'}>
              {list.live ? 'Speaks to Meta' : 'Speaks to the simulator'}
            </Chip>
            <span className="text-muted">
              {done.length} of {list.checks.length} done, looked at {shortTime(found.dataUpdatedAt)}
            </span>
          </p>
          <ul aria-label="What is left" className="flex flex-col gap-3">
            {rest.map((check) => (
              <CheckLine key={check.id} check={check} />
            ))}
          </ul>
          <BuiltIn line={line} />
          {done.length > 0 && (
            <details>
              <summary className="min-h-9 py-1.5 font-semibold">Done ({done.length})</summary>
              <ul className="mt-2 flex flex-col gap-3">
                {done.map((check) => (
                  <CheckLine key={check.id} check={check} />
                ))}
              </ul>
            </details>
          )}
        </div>
      )}
    </Card>
  );
}

function CheckLine(props: { check: Check }) {
  const { state, title, required, detail, fix, id } = props.check;
  const [tone, words] = STATES[state];
  return (
    <li className="border-l-2 border-edge pl-3">
      <p className="flex flex-wrap items-center gap-2">
        <Chip tone={tone}>{words}</Chip>
        <span className="font-semibold">{title}</span>
        {!required && <span className="text-xs text-muted">not required</span>}
      </p>
      <p className="break-words">{detail}</p>
      {fix !== null && (
        <p className="break-words">
          <strong>Fix: </strong>
          {fix}
        </p>
      )}
      <code className="font-mono text-xs text-muted">{id}</code>
    </li>
  );
}

/** The templates that come with the product; asking twice submits nothing twice. */
function BuiltIn(props: { line: LineView }) {
  const [languages, setLanguages] = useState('en_US');
  const submit = useSubmitBuiltIn(props.line.id);
  return (
    <form
      className="flex flex-col gap-2 border-t border-edge pt-3"
      onSubmit={(event) => {
        event.preventDefault();
        submit.mutate(languages.split(/[,;\s]+/).filter(Boolean));
      }}
    >
      <div className="flex flex-wrap items-end gap-2">
        <TextField
          label="Built-in templates in"
          value={languages}
          required
          hint="Codes of Meta, such as en_US, de, fr"
          onChange={setLanguages}
        />
        <Button type="submit" className="mb-5" disabled={submit.isPending}>
          {submit.isPending ? 'Asking Meta…' : 'Hand the missing ones to Meta'}
        </Button>
      </div>
      {submit.error !== null && <ProblemNote error={submit.error} />}
      {submit.data !== undefined && <Submitted items={submit.data.items} />}
    </form>
  );
}

function Submitted({ items }: { items: readonly SubmittedTemplate[] }) {
  if (items.length === 0) return <p>There is no built-in template in this language.</p>;
  return (
    <ul aria-label="Templates at Meta" className="flex flex-col gap-1">
      {items.map(({ name, language, status, submitted, error }) => (
        <li key={`${name} ${language}`} className="break-words">
          <strong>{name}</strong> ({language}): {inWords(status)}
          {submitted ? ', handed over now' : ''}
          {error !== null && (
            <span className="text-bad">
              {' '}
              {error.message} {error.fix}
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}
