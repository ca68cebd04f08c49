import { useEffect, useRef } from 'react';
import { Keypad } from './keypad.tsx';
import { LevelMeter } from './level-meter.tsx';
import { RoundButton } from './round-button.tsx';
import type { CallScreenProps } from './call-screen.tsx';

/** Meters, mute, keypad and hang-up of a call that is up. */
export function InCallControls(
  props: CallScreenProps & { keypad: boolean; onKeypad: (open: boolean) => void },
) {
  const { sound, call } = props;
  const controls = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // Answer has gone with the ringing; whoever pressed it by keyboard must not lose the place.
    if (document.activeElement === document.body) controls.current?.focus();
  }, []);
  return (
    <div
      ref={controls}
      tabIndex={-1}
      role="group"
      aria-label="Call controls"
      className="flex flex-col gap-4 focus-visible:outline-none"
    >
      {props.keypad && (
        <Keypad
          sent={call.digitsSent}
          onDigit={(digits) => props.onAction({ action: 'digits', digits })}
        />
      )}
      <Sound {...props} />
      <div className="flex justify-center gap-6">
        <RoundButton
          small
          label={sound.muted ? 'Unmute' : 'Mute'}
          icon={sound.muted ? 'micOff' : 'mic'}
          look={sound.muted ? 'lit' : 'glass'}
          disabled={sound.status !== 'on'}
          onClick={() => sound.setMuted(!sound.muted)}
        />
        <RoundButton
          small
          label="Keypad"
          icon="keypad"
          look={props.keypad ? 'lit' : 'glass'}
          pressed={props.keypad}
          onClick={() => props.onKeypad(!props.keypad)}
        />
        <RoundButton
          small
          label="Hang up"
          icon="hangUp"
          look="red"
          onClick={() => props.onAction({ action: 'hang_up' })}
        />
      </div>
    </div>
  );
}

function Sound(props: CallScreenProps) {
  const { sound } = props;
  return (
    <div className="flex flex-col gap-2">
      {sound.problem !== null && (
        <p role="alert" className="rounded-lg bg-white/15 p-2 text-xs">
          {sound.problem.message} <strong>{sound.problem.fix}</strong>
        </p>
      )}
      {sound.status === 'on' ? (
        <>
          <LevelMeter label="You hear" read={sound.audio?.heard ?? null} />
          <LevelMeter label="You say" read={sound.audio?.spoken ?? null} />
        </>
      ) : (
        <div className="flex flex-col items-center gap-1.5 text-xs text-white/85">
          <p className="text-center">
            {props.person.interactive
              ? 'No sound on this screen yet.'
              : `${props.person.name} talks by script. You can take the phone over.`}
          </p>
          <button
            type="button"
            disabled={sound.status === 'opening'}
            onClick={() => void sound.open()}
            className="min-h-8 rounded-full bg-white/15 px-3 font-semibold hover:bg-white/25 focus-visible:outline-white"
          >
            {sound.status === 'opening' ? 'Connecting…' : 'Connect sound'}
          </button>
        </div>
      )}
    </div>
  );
}
