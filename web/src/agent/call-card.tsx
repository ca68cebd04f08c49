import { useMutation } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import type { AgentMeView } from '../../../src/agents/agent-views.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { Icon } from '../ui/icon.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { pathOf, type AgentCall } from './call-path.ts';
import { CallTalk } from './call-talk.tsx';
import { CustomerFacts } from './customer-facts.tsx';
import { HelpNote } from './help-note.tsx';
import type { AgentLink } from './use-agent.ts';
import type { Softphone } from './use-softphone.ts';

/** The one call an agent may have: what rings, what is talked in, or that there is none. */
export function CallCard(props: { link: AgentLink; me: AgentMeView; phone: Softphone }) {
  const { link, me, phone } = props;
  const { call } = me;
  return (
    <Card title={titleOf(call, phone)}>
      <div className="flex flex-col gap-3">
        {phone.problem !== null && <HelpNote {...phone.problem} />}
        {call === null && <p className="text-sm text-muted">{idleWords(me)}</p>}
        {call !== null && <CustomerFacts call={call} />}
        {call?.state === 'ringing' && <Ringing link={link} call={call} phone={phone} />}
        {call?.state === 'answered' && phone.audio === null && !phone.opening && (
          <Elsewhere link={link} call={call} />
        )}
        {call?.state === 'answered' && phone.audio !== null && (
          <CallTalk link={link} call={call} phone={phone} audio={phone.audio} />
        )}
      </div>
    </Card>
  );
}

function titleOf(call: AgentCall | null, phone: Softphone): string {
  if (call === null) return 'No call';
  if (phone.opening || phone.comesBack) return 'Connecting…';
  return call.state === 'ringing' ? 'Incoming call' : 'In a call';
}

function idleWords({ state, reservedFor }: AgentMeView): string {
  if (reservedFor !== null) {
    return 'A call is kept for you: it rings here as soon as the customer is there.';
  }
  return state === 'available'
    ? 'The next call rings here.'
    : 'Say that you are ready to get calls.';
}

function Ringing({ link, call, phone }: { link: AgentLink; call: AgentCall; phone: Softphone }) {
  const answer = useRef<HTMLDivElement>(null);
  // One key press answers, wherever the focus was.
  useEffect(() => answer.current?.querySelector('button')?.focus(), [call.id]);
  const declining = useMutation({
    mutationFn: () => link.client.post(`${pathOf(call)}/decline`, {}),
  });
  return (
    <>
      <p role="status" className="sr-only">
        {call.returning ? 'Your customer waits for you, with music.' : 'A call rings.'}
      </p>
      <div ref={answer} className="flex flex-wrap gap-2">
        <Button look="primary" disabled={phone.opening} onClick={() => void phone.answer(call)}>
          <Icon name="phone" />
          Answer
        </Button>
        <Button disabled={phone.opening || declining.isPending} onClick={() => declining.mutate()}>
          Decline
        </Button>
      </div>
      {declining.error !== null && <ProblemNote error={declining.error} />}
    </>
  );
}

/** Answered, and not by this page as it is now: in another tab, or before it was loaded again. */
function Elsewhere({ link, call }: { link: AgentLink; call: AgentCall }) {
  const hangingUp = useMutation({
    mutationFn: () => link.client.post(`${pathOf(call)}/hangup`, {}),
  });
  return (
    <>
      <p role="status" className="rounded-xl bg-warn-soft p-3 text-sm text-warn">
        The sound of this call is not in this tab: it was answered in another one. Go on there.
        Where that one is gone, the call rings here again within some seconds.
      </p>
      {hangingUp.error !== null && <ProblemNote error={hangingUp.error} />}
      <div>
        <Button look="danger" onClick={() => hangingUp.mutate()}>
          Hang up
        </Button>
      </div>
    </>
  );
}
