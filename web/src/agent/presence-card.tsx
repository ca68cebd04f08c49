import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import type { AgentMeView } from '../../../src/agents/agent-views.ts';
import { openMicrophone, type MicrophoneProblem } from '../phone/microphone.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { CheckBox } from '../ui/check-box.tsx';
import { Chip, type Tone } from '../ui/chip.tsx';
import { talkTime } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { useNow } from '../ui/use-now.ts';
import { HelpNote } from './help-note.tsx';
import type { AgentLink } from './use-agent.ts';

const STATES: Record<AgentMeView['state'], readonly [words: string, tone: Tone]> = {
  available: ['Ready: calls ring here', 'good'],
  ringing: ['A call rings', 'accent'],
  busy: ['In a call', 'accent'],
  wrap_up: ['Pause after the call', 'warn'],
  away: ['Away: no call rings here', 'plain'],
  gone: ['Not connected', 'bad'],
};

/** Who I am, whether calls ring here, and the way to change it. */
export function PresenceCard(props: {
  link: AgentLink;
  me: AgentMeView;
  ring: { on: boolean; setOn: (on: boolean) => void };
  onSignOut: () => void;
}) {
  const { link, me, ring } = props;
  const [words, tone] = link.live ? STATES[me.state] : STATES.gone;
  return (
    <Card
      title={me.name}
      aside={
        <span role="status">
          <Chip tone={tone} live={link.live && me.state === 'available'}>
            {words}
          </Chip>
        </span>
      }
    >
      <div className="flex flex-col gap-3">
        {!link.live && (
          <HelpNote
            message="There is no connection to the server: no call can ring here."
            fix="Check your network. This page connects again by itself, and stays as it was."
          />
        )}
        <Choice link={link} me={me} />
        <div className="flex flex-wrap items-center gap-x-4 gap-y-2 text-sm">
          <CheckBox label="Ring aloud" checked={ring.on} onChange={ring.setOn} />
          <span className="text-muted">Groups: {me.groups.join(', ')}</span>
          <Button look="quiet" className="ml-auto" onClick={props.onSignOut}>
            Sign out
          </Button>
        </div>
      </div>
    </Card>
  );
}

function Choice({ link, me }: { link: AgentLink; me: AgentMeView }) {
  const now = useNow(me.wrapUpUntil !== null);
  const [problem, setProblem] = useState<MicrophoneProblem | null>(null);
  const saying = useMutation({
    mutationFn: async (presence: 'available' | 'away') => {
      // Asked for now and not when a customer waits; who has none would be rung in vain.
      const found = presence === 'available' ? await tryMicrophone() : null;
      setProblem(found);
      if (found !== null) return;
      await link.client.put('/v1/agents/me/presence', { presence });
    },
  });
  const isReady = me.state === 'available' || me.state === 'ringing';
  const left = me.wrapUpUntil === null ? 0 : Date.parse(me.wrapUpUntil) - now;
  return (
    <>
      <div role="group" aria-label="Whether calls ring here" className="flex flex-wrap gap-2">
        <Button
          look={isReady ? 'primary' : 'plain'}
          aria-pressed={isReady}
          disabled={saying.isPending}
          onClick={() => saying.mutate('available')}
        >
          {me.state === 'wrap_up' ? 'Ready for the next' : 'Ready'}
        </Button>
        <Button
          look={me.state === 'away' ? 'primary' : 'plain'}
          aria-pressed={me.state === 'away'}
          disabled={saying.isPending}
          onClick={() => saying.mutate('away')}
        >
          Away
        </Button>
      </div>
      {me.state === 'wrap_up' && (
        <p className="text-sm text-muted">
          Calls ring again in {talkTime(Math.max(0, left))}, or when you say so.
        </p>
      )}
      {problem !== null && <HelpNote {...problem} />}
      {saying.error !== null && <ProblemNote error={saying.error} />}
    </>
  );
}

async function tryMicrophone(): Promise<MicrophoneProblem | null> {
  const context = new AudioContext();
  const microphone = await openMicrophone(context);
  microphone.close();
  void context.close();
  return microphone.problem;
}
