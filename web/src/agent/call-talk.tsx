import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { DtmfKeys } from '../business/dtmf-keys.tsx';
import { LevelMeter } from '../phone/level-meter.tsx';
import { Button } from '../ui/button.tsx';
import { talkTime } from '../ui/format.ts';
import { Icon } from '../ui/icon.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { useNow } from '../ui/use-now.ts';
import { pathOf, type AgentCall } from './call-path.ts';
import { NoMoreCalls } from './no-more-calls.tsx';
import type { SoftphoneAudio } from './softphone-audio.ts';
import { TransferBox, type Lead } from './transfer-box.tsx';
import type { AgentLink } from './use-agent.ts';
import type { Softphone } from './use-softphone.ts';

/** A call that is talked in here: how long, how loud, and what can be done with it. */
export function CallTalk(props: {
  link: AgentLink;
  call: AgentCall;
  phone: Softphone;
  audio: SoftphoneAudio;
}) {
  const { link, call, phone, audio } = props;
  const [open, setOpen] = useState<'keys' | 'transfer' | null>(null);
  const leading = useMutation({
    mutationFn: (wish: Lead) => link.client.post(`${pathOf(call)}/actions`, wish),
  });
  const hangingUp = useMutation({
    mutationFn: () => link.client.post(`${pathOf(call)}/hangup`, {}),
  });
  const toggle = (part: 'keys' | 'transfer') => () => setOpen(open === part ? null : part);
  return (
    <div role="group" aria-label="The call" className="flex flex-col gap-3">
      <div className="flex flex-col gap-1.5 rounded-xl bg-[#1b1a22] p-3 text-white">
        <CallState call={call} />
        <LevelMeter label="You hear" read={audio.heard} />
        <LevelMeter label="You say" read={audio.spoken} />
      </div>
      <div className="flex flex-wrap gap-2">
        <Button aria-pressed={phone.muted} onClick={() => phone.setMuted(!phone.muted)}>
          <Icon name={phone.muted ? 'micOff' : 'mic'} />
          {phone.muted ? 'Unmute' : 'Mute'}
        </Button>
        {call.speaks && (
          <Button
            disabled={leading.isPending}
            onClick={() => leading.mutate({ action: call.held ? 'resume' : 'hold' })}
          >
            <Icon name={call.held ? 'play' : 'pause'} />
            {call.held ? 'Resume' : 'Hold'}
          </Button>
        )}
        <Button aria-expanded={open === 'keys'} onClick={toggle('keys')}>
          <Icon name="keypad" />
          Keys
        </Button>
        {call.speaks && (
          <Button aria-expanded={open === 'transfer'} onClick={toggle('transfer')}>
            <Icon name="transfer" />
            Transfer
          </Button>
        )}
        <Button look="danger" disabled={hangingUp.isPending} onClick={() => hangingUp.mutate()}>
          <Icon name="hangUp" />
          Hang up
        </Button>
      </div>
      {open === 'keys' && <DtmfKeys onDigit={(key) => audio.sendKey(key)} />}
      {(open === 'transfer' || call.transfer !== null) && (
        <TransferBox link={link} call={call} busy={leading.isPending} onLead={leading.mutate} />
      )}
      {leading.error !== null && <ProblemNote error={leading.error} />}
      {hangingUp.error !== null && <ProblemNote error={hangingUp.error} />}
      <NoMoreCalls link={link} call={call} />
    </div>
  );
}

function CallState({ call }: { call: AgentCall }) {
  const now = useNow();
  const since = call.customerAnsweredAt;
  const words = call.speaks ? 'Connected' : 'You listen in';
  return (
    <p className="flex justify-between gap-3 text-sm">
      <span role="status">
        {since === null ? 'The customer is being rung' : call.held ? 'On hold: music plays' : words}
      </span>
      {since !== null && (
        <span role="timer" aria-label="Length of the call" className="tabular-nums">
          {talkTime(now - Date.parse(since))}
        </span>
      )}
    </p>
  );
}
