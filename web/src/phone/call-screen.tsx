import { useState } from 'react';
import type { PersonAction, SimCall, SimPerson } from '../../../simulator/control-types.ts';
import { classes } from '../ui/classes.ts';
import { talkTime } from '../ui/format.ts';
import { Icon } from '../ui/icon.tsx';
import { useNow } from '../ui/use-now.ts';
import { InCallControls } from './in-call-controls.tsx';
import { RoundButton } from './round-button.tsx';
import type { PhoneSound } from './use-phone-audio.ts';

export type CallScreenProps = {
  person: SimPerson;
  call: SimCall;
  sound: PhoneSound;
  onAction: (action: PersonAction) => void;
  onAnswer: () => void;
  /** Leaves the call up and shows the chat, so that something can be typed meanwhile. */
  onShowChat: () => void;
};

/** The whole screen of the phone while it rings or talks. */
export function CallScreen(props: CallScreenProps) {
  const { call } = props;
  const answered = call.state === 'answered';
  const [keypad, setKeypad] = useState(false);
  return (
    <section
      aria-label={answered ? 'Call' : 'Incoming call'}
      className="call-night absolute inset-0 z-10 flex flex-col gap-3 p-5"
    >
      <button
        type="button"
        onClick={props.onShowChat}
        className={classes(
          'flex min-h-8 items-center gap-1.5 self-end rounded-full bg-white/15 px-3 text-xs',
          'hover:bg-white/25 focus-visible:outline-white',
        )}
      >
        <Icon name="chat" size={14} /> Show chat
      </button>
      <Caller call={call} compact={keypad} />
      <div className="mt-auto flex flex-col gap-4">
        {answered ? (
          <InCallControls {...props} keypad={keypad} onKeypad={setKeypad} />
        ) : (
          <>
            {props.sound.status === 'opening' && (
              <p role="status" className="text-center text-xs text-white/85">
                If your browser asks for the microphone, allow or refuse it: the call goes on.
              </p>
            )}
            <div className="flex justify-around pb-4">
              <RoundButton
                label="Decline"
                icon="hangUp"
                look="red"
                onClick={() => props.onAction({ action: 'decline' })}
              />
              <RoundButton
                label={props.sound.status === 'opening' ? 'Answering…' : 'Answer'}
                icon="phone"
                look="green"
                disabled={props.sound.status === 'opening'}
                onClick={props.onAnswer}
              />
            </div>
          </>
        )}
      </div>
    </section>
  );
}

function Caller(props: { call: SimCall; compact: boolean }) {
  const { call } = props;
  const ringing = call.state !== 'answered';
  return (
    <div className={classes('flex flex-col items-center gap-2', !props.compact && 'mt-4')}>
      {!props.compact && (
        <div className="relative mb-3 flex size-24 items-center justify-center">
          {ringing && (
            <span aria-hidden className="absolute inset-0 animate-ring rounded-full bg-white/40" />
          )}
          <span
            aria-hidden
            className="relative flex size-24 items-center justify-center rounded-full bg-white text-4xl font-bold text-[#1d1b40]"
          >
            {call.businessName.charAt(0)}
          </span>
        </div>
      )}
      <p className="text-center text-2xl font-bold text-balance">{call.businessName}</p>
      <p className="text-sm text-white/85">{call.businessNumber}</p>
      <p className="text-sm text-white/85">
        {ringing ? 'Incoming voice call · free over data' : <Timer since={call.answeredAt} />}
      </p>
    </div>
  );
}

function Timer(props: { since: string | null }) {
  const now = useNow();
  const since = props.since === null ? now : Date.parse(props.since);
  return (
    <span role="timer" className="font-mono text-lg tabular-nums">
      {talkTime(now - since)}
    </span>
  );
}
