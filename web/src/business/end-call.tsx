import { useHangUp } from '../api/business-hooks.ts';
import { useStop } from '../api/stop-hooks.ts';
import { Button } from '../ui/button.tsx';
import { Icon } from '../ui/icon.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';

/** The business hangs up, or writes down that the customer said stop. */
export function EndCall(props: { callId: string }) {
  const hangUp = useHangUp(props.callId);
  const stop = useStop(props.callId);
  const isBusy = hangUp.isPending || stop.isPending;
  return (
    <>
      <Button look="danger" disabled={isBusy} onClick={() => hangUp.mutate()}>
        <Icon name="hangUp" />
        End call
      </Button>
      <Button look="quiet" disabled={isBusy} onClick={() => stop.mutate()}>
        Never call again
      </Button>
      {hangUp.error !== null && <ProblemNote error={hangUp.error} />}
      {stop.error !== null && <ProblemNote error={stop.error} />}
    </>
  );
}
