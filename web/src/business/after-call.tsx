import { useState } from 'react';
import {
  useOutcome,
  useOutcomeCodes,
  useSetOutcome,
  type OutcomeView,
} from '../api/after-call-hooks.ts';
import { Button } from '../ui/button.tsx';
import { dayAndTime } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { TextArea } from '../ui/text-area.tsx';
import { costWords, scoreWords } from './after-call-words.ts';
import { actorWords } from './history.ts';

const NOTE_MAX = 2_000;

/** What came of a call: the agent's outcome and note, how the customer found it, the cost. */
export function AfterCall(props: { callId: string; cdr: Record<string, unknown> | undefined }) {
  const outcome = useOutcome(props.callId);
  return (
    <section aria-label="After the call" className="flex flex-col gap-2 border-t border-edge pt-2">
      <h3 className="text-sm font-bold">After the call</h3>
      {props.cdr !== undefined && (
        <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 text-sm">
          <dt className="text-muted">How the customer found it</dt>
          <dd>{scoreWords(props.cdr['surveyScore'])}</dd>
          <dt className="text-muted">Estimated cost</dt>
          <dd>{costWords(props.cdr)}</dd>
        </dl>
      )}
      {outcome.error !== null && <ProblemNote error={outcome.error} />}
      {outcome.data !== undefined && (
        // A version that somebody else has written is shown; what is being typed here stays.
        <OutcomeForm key={props.callId} callId={props.callId} stored={outcome.data} />
      )}
    </section>
  );
}

function OutcomeForm(props: { callId: string; stored: OutcomeView }) {
  const { callId, stored } = props;
  const codes = useOutcomeCodes();
  const save = useSetOutcome(callId);
  const [typed, setTyped] = useState<string | null>(null);
  const note = typed ?? stored.note ?? '';
  const send = (outcome: string | null): void =>
    save.mutate(
      { outcome, note: note.trim() === '' ? null : note.trim(), version: stored.version },
      { onSuccess: () => setTyped(null) },
    );
  return (
    <>
      <div role="group" aria-label="Outcome" className="flex flex-wrap gap-1.5">
        {(codes.data?.items ?? []).map(({ code, label }) => (
          <Button
            key={code}
            look={stored.outcome === code ? 'primary' : 'plain'}
            aria-pressed={stored.outcome === code}
            disabled={save.isPending}
            onClick={() => send(stored.outcome === code ? null : code)}
          >
            {label}
          </Button>
        ))}
      </div>
      <TextArea label="Note" rows={2} value={note} maxLength={NOTE_MAX} onChange={setTyped} />
      <div className="flex flex-wrap items-center gap-3">
        <Button blocked={typed === null || save.isPending} onClick={() => send(stored.outcome)}>
          {save.isPending ? 'Saving…' : 'Save the note'}
        </Button>
        <p role="status" className="text-xs text-muted">
          {stored.setAt === null
            ? 'Nothing is written yet. The note goes when the person is erased.'
            : `Written ${dayAndTime(stored.setAt)} by ${actorWords(stored.setBy ?? '')}.`}
        </p>
      </div>
      {save.error !== null && <ProblemNote error={save.error} />}
    </>
  );
}
