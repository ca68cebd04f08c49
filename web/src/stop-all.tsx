import { useState } from 'react';
import { useSetStopAll, useStopAll } from './api/stop-all-hooks.ts';
import { Button } from './ui/button.tsx';
import { dayAndTime } from './ui/format.ts';
import { ProblemNote } from './ui/problem-note.tsx';

/** The emergency stop: one press, one question, and what is stopped says so until it is lifted. */
export function StopAll() {
  const state = useStopAll();
  const change = useSetStopAll();
  const [asking, setAsking] = useState(false);
  const set = (stop: boolean): void => {
    setAsking(false);
    change.mutate(stop);
  };
  const { stopped = false, stoppedAt = null, reason = null } = state.data ?? {};
  return (
    <div className="flex flex-wrap items-center gap-2" role="group" aria-label="Stop all">
      {stopped && (
        <p role="status" className="text-sm font-semibold text-bad">
          Everything is stopped since {dayAndTime(stoppedAt ?? '')}: {reason}
        </p>
      )}
      {stopped && (
        <Button disabled={change.isPending} onClick={() => set(false)}>
          Let it go on
        </Button>
      )}
      {!stopped && !asking && (
        <Button look="danger" disabled={change.isPending} onClick={() => setAsking(true)}>
          Stop all
        </Button>
      )}
      {!stopped && asking && (
        <>
          <p className="text-sm">No call, no request, and what rings ends. Sure?</p>
          <Button look="danger" autoFocus onClick={() => set(true)}>
            Yes, stop all
          </Button>
          <Button look="quiet" onClick={() => setAsking(false)}>
            No
          </Button>
        </>
      )}
      {change.error !== null && <ProblemNote error={change.error} />}
    </div>
  );
}
