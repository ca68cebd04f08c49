import type { AgentMeView } from '../../../src/agents/agent-views.ts';
import { useRingSound } from '../phone/use-ring-sound.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { AfterCallCard } from './after-call-card.tsx';
import { CallCard } from './call-card.tsx';
import { MicrophoneCard } from './microphone-card.tsx';
import { PresenceCard } from './presence-card.tsx';
import { useAgent } from './use-agent.ts';
import { useSoftphone } from './use-softphone.ts';
import { useTabTitle } from './use-tab-title.ts';

/** Everything an agent needs for a day of calls, from being ready to the note after each. */
export function AgentDesk(props: { token: string; onSignOut: () => void }) {
  const link = useAgent(props.token);
  const phone = useSoftphone(link);
  const { me, refused } = link;
  const ringing = me?.call?.state === 'ringing' && !phone.opening && !phone.comesBack;
  const ring = useRingSound(ringing);
  useTabTitle(me?.call ?? null);
  if (refused !== null) {
    return (
      <Card title="This link opens nothing any more">
        <div className="flex flex-col items-start gap-3">
          <ProblemNote error={refused} />
          <p className="text-sm">Ask whoever set you up for a new link.</p>
          <Button look="primary" onClick={props.onSignOut}>
            Use another token
          </Button>
        </div>
      </Card>
    );
  }
  if (me === null) {
    return (
      <p role="status" className="py-6 text-muted">
        Connecting…
      </p>
    );
  }
  const callId = writableCall(me);
  return (
    <>
      <PresenceCard link={link} me={me} ring={ring} onSignOut={props.onSignOut} />
      <CallCard link={link} me={me} phone={phone} />
      {callId !== null && <AfterCallCard key={callId} link={link} callId={callId} />}
      <MicrophoneCard inCall={phone.audio !== null} />
    </>
  );
}

/** The call whose outcome may be written now: the one that is talked in, else the last one. */
function writableCall({ call, lastCallId }: AgentMeView): string | null {
  return call?.state === 'answered' ? call.id : lastCallId;
}
