import { useState } from 'react';
import type { PersonAction, SimLine, SimPerson } from '../../../simulator/control-types.ts';
import { SimulatorError } from '../api/simulator-client.ts';
import { usePersonAction } from '../api/simulator-hooks.tsx';
import { CallBar } from './call-bar.tsx';
import { CallScreen } from './call-screen.tsx';
import { callAnnouncement } from './chat-items.ts';
import { ChatHeader } from './chat-header.tsx';
import { Chat } from './chat.tsx';
import { Composer } from './composer.tsx';
import { useCallTitle } from './use-call-title.ts';
import { usePhoneAudio } from './use-phone-audio.ts';
import { useRingSound } from './use-ring-sound.ts';

/** One person's phone. Give it `key={person.number}`: another person is another phone. */
export function Phone(props: { person: SimPerson; lines: readonly SimLine[] }) {
  const { person } = props;
  const call = screenCall(person);
  const act = usePersonAction(person.number);
  const sound = usePhoneAudio(person.number, call);
  const ring = useRingSound(call?.state === 'ringing');
  useCallTitle(call);
  /** The id of the call that was made small; the next call is large again. */
  const [smallCallId, setSmallCallId] = useState<string | null>(null);
  const onAction = (action: PersonAction): void => act.mutate(action);
  const onAnswer = async (): Promise<void> => {
    // The sound path comes first: the first word after picking up must not be lost.
    await sound.open();
    act.mutate({ action: 'answer' });
  };
  const large = call !== null && call.id !== smallCallId;
  const callProps = { person, sound, onAction, onAnswer: () => void onAnswer() };
  return (
    <section
      aria-label={`Phone of ${person.name}`}
      className="mx-auto w-full max-w-95 rounded-[2.4rem] bg-bezel p-2.5 shadow-xl"
    >
      <div className="relative flex h-[min(42rem,calc(100dvh-12rem))] min-h-125 flex-col overflow-hidden rounded-[1.9rem] bg-card">
        <div className="flex min-h-0 flex-1 flex-col" inert={large}>
          <ChatHeader
            person={person}
            line={lineOf(person, props.lines)}
            ring={ring}
            onAction={onAction}
          />
          {call !== null && !large && (
            <CallBar {...callProps} call={call} onOpen={() => setSmallCallId(null)} />
          )}
          <Chat person={person} onAction={onAction} />
          <ActionProblem error={act.error} />
          <Composer onWrite={(text) => onAction({ action: 'write', text })} />
        </div>
        {call !== null && large && (
          <CallScreen {...callProps} call={call} onShowChat={() => setSmallCallId(call.id)} />
        )}
      </div>
      <p role="status" aria-live="assertive" className="sr-only">
        {callAnnouncement(person)}
      </p>
    </section>
  );
}

function ActionProblem(props: { error: Error | null }) {
  if (props.error === null) return null;
  return (
    <p role="alert" className="bg-bad-soft px-3 py-2 text-xs text-bad">
      {props.error.message}{' '}
      {props.error instanceof SimulatorError && <strong>{props.error.fix}</strong>}
    </p>
  );
}

/** A call the business has only begun to dial is not on the customer's screen yet. */
function screenCall(person: SimPerson) {
  const { call } = person;
  return call !== null && (call.state === 'ringing' || call.state === 'answered') ? call : null;
}

/** The line this person last had to do with, else the first there is. */
function lineOf(person: SimPerson, lines: readonly SimLine[]): SimLine | null {
  const id = person.call?.phoneNumberId ?? person.messages.at(-1)?.phoneNumberId;
  return lines.find((line) => line.phoneNumberId === id) ?? lines[0] ?? null;
}
