import { useAskRebuild, useRebuild } from '../api/kpi-hooks.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { dayAndTime } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';

/** All figures counted anew from the ledger: proof, and repair, that they say what happened. */
export function RebuildCard() {
  const rebuild = useRebuild();
  const ask = useAskRebuild();
  const now = rebuild.data;
  const isRunning = now?.state === 'running';
  return (
    <Card title="Counting anew">
      <p className="text-sm text-muted">
        Works out every figure again from the ledger, in the background. Nothing should differ.
      </p>
      <p role="status" className="my-3 text-sm">
        {now?.state === 'never' && 'It was never done.'}
        {isRunning && `Running: ${now.contacts} people so far.`}
        {now?.state === 'done' &&
          now.finishedAt !== null &&
          `Done ${dayAndTime(now.finishedAt)}: ${now.contacts} people, ${now.changed} of them ` +
            `counted otherwise, ${now.rollupsChanged ?? 0} sums changed.`}
      </p>
      <Button disabled={isRunning || ask.isPending} onClick={() => ask.mutate({})}>
        {isRunning ? 'Counting…' : 'Count all figures anew'}
      </Button>
      {rebuild.error !== null && <ProblemNote error={rebuild.error} />}
      {ask.error !== null && <ProblemNote error={ask.error} />}
    </Card>
  );
}
