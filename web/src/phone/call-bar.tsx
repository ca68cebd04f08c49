import { classes } from '../ui/classes.ts';
import type { CallScreenProps } from './call-screen.tsx';

/** The call made small, above the chat: typing STOP while it rings is what this is for. */
export function CallBar(
  props: Pick<CallScreenProps, 'call' | 'onAction' | 'onAnswer'> & { onOpen: () => void },
) {
  const answered = props.call.state === 'answered';
  return (
    <section
      aria-label={answered ? 'Call' : 'Incoming call'}
      className="call-night flex flex-wrap items-center gap-2 px-3 py-2 text-xs"
    >
      <p className="flex-1 font-semibold">
        {answered ? 'In a call' : 'Incoming call'} · {props.call.businessName}
      </p>
      <BarButton label="Back to call" onClick={props.onOpen} />
      {answered ? (
        <BarButton label="Hang up" red onClick={() => props.onAction({ action: 'hang_up' })} />
      ) : (
        <>
          <BarButton label="Decline" red onClick={() => props.onAction({ action: 'decline' })} />
          <BarButton label="Answer" onClick={props.onAnswer} />
        </>
      )}
    </section>
  );
}

function BarButton(props: { label: string; red?: boolean; onClick: () => void }) {
  return (
    <button
      type="button"
      onClick={props.onClick}
      className={classes(
        'min-h-7 rounded-full px-3 font-semibold focus-visible:outline-white',
        props.red === true ? 'bg-[#c62828] text-white' : 'bg-white text-[#1d1b40]',
      )}
    >
      {props.label}
    </button>
  );
}
