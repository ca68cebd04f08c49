import { useHangUp } from '../api/business-hooks.ts';
import { Button } from '../ui/button.tsx';
import { Icon } from '../ui/icon.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';

/** The business hangs up. */
export function EndCall(props: { callId: string }) {
  const hangUp = useHangUp(props.callId);
  return (
    <>
      <Button look="danger" disabled={hangUp.isPending} onClick={() => hangUp.mutate()}>
        <Icon name="hangUp" />
        End call
      </Button>
      {hangUp.error !== null && <ProblemNote error={hangUp.error} />}
    </>
  );
}
