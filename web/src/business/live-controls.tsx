import { useId, useState } from 'react';
import type { CallActionView, CallView } from '../../../src/http/api-types.ts';
import { useCallAction, useCallActions, type ActionWish } from '../api/action-hooks.ts';
import { Button } from '../ui/button.tsx';
import { Icon, type IconName } from '../ui/icon.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { DtmfKeys } from './dtmf-keys.tsx';
import { EndCall } from './end-call.tsx';
import { TransferPanel } from './transfer-panel.tsx';

type Panel = 'keys' | 'transfer' | null;

/** What an agent can do with the call that is on: hold, mute, keys, transfer, and its end. */
export function LiveControls(props: { call: CallView }) {
  const { call } = props;
  const [panel, setPanel] = useState<Panel>(null);
  const action = useCallAction(call.id);
  const reasonId = useId();
  const isUp = call.status === 'bridged';
  const isHeld = call.holds.some(({ by, to }) => by !== 'endpoint' && to === null);
  const isMuted = call.muted.includes('endpoint');
  const send = (wish: ActionWish): void => action.mutate(wish);
  const toggle = (name: Panel): void => setPanel(panel === name ? null : name);
  const blocked = !isUp || action.isPending;
  const common = { blocked, reasonId: isUp ? undefined : reasonId };
  return (
    <div className="flex flex-col gap-2.5" role="group" aria-label="Live call">
      <div className="flex flex-wrap gap-2">
        <Control
          {...common}
          icon={isHeld ? 'play' : 'pause'}
          label={isHeld ? 'Resume' : 'Hold'}
          onClick={() => send({ action: isHeld ? 'resume' : 'hold' })}
        />
        <Control
          {...common}
          icon={isMuted ? 'micOff' : 'mic'}
          label={isMuted ? 'Unmute' : 'Mute'}
          onClick={() => send({ action: isMuted ? 'unmute' : 'mute', leg: 'endpoint' })}
        />
        <Control
          {...common}
          icon="keypad"
          label="Keys"
          open={isUp && panel === 'keys'}
          onClick={() => toggle('keys')}
        />
        <Control
          {...common}
          icon="transfer"
          label="Transfer"
          open={isUp && panel === 'transfer'}
          onClick={() => toggle('transfer')}
        />
        <EndCall callId={call.id} />
      </div>
      {!isUp && (
        <p id={reasonId} className="text-sm text-muted">
          Hold, mute, keys and transfer work once both sides talk.
        </p>
      )}
      <Standing call={call} isHeld={isHeld} isMuted={isMuted} />
      {isUp && panel === 'keys' && (
        <DtmfKeys onDigit={(digits) => send({ action: 'send_dtmf', digits })} />
      )}
      {isUp && (panel === 'transfer' || pendingTransfer(call) !== null) && (
        <TransferPanel
          call={call}
          pending={pendingTransfer(call)}
          isBusy={action.isPending}
          onSend={send}
        />
      )}
      <LastTrouble callId={call.id} />
      {action.error !== null && <ProblemNote error={action.error} />}
    </div>
  );
}

function Control(props: {
  icon: IconName;
  label: string;
  blocked: boolean;
  reasonId: string | undefined;
  /** For a button that opens a panel. */
  open?: boolean;
  onClick: () => void;
}) {
  return (
    <Button
      blocked={props.blocked}
      aria-describedby={props.reasonId}
      aria-expanded={props.open}
      onClick={props.onClick}
    >
      <Icon name={props.icon} />
      {props.label}
    </Button>
  );
}

/** Spoken when it changes: what the customer hears right now, where it is not the endpoint. */
function Standing(props: { call: CallView; isHeld: boolean; isMuted: boolean }) {
  const { call, isHeld, isMuted } = props;
  const byPbx = call.holds.some(({ by, to }) => by === 'endpoint' && to === null);
  const words = [
    isHeld && 'On hold: the customer hears music.',
    byPbx && 'The PBX has put the customer on hold.',
    isMuted && 'Muted: the customer does not hear the endpoint.',
  ].filter((text) => text !== false);
  return (
    <p role="status" className={words.length === 0 ? 'sr-only' : 'text-sm font-semibold'}>
      {words.join(' ')}
    </p>
  );
}

function pendingTransfer(call: CallView): CallView['transfers'][number] | null {
  return call.transfers.find(({ endedAt }) => endedAt === null) ?? null;
}

/** The newest order, where it has failed: what happened and what to do. */
function LastTrouble(props: { callId: string }) {
  const actions = useCallActions(props.callId);
  const last: CallActionView | undefined = actions.data?.items.at(-1);
  if (last === undefined || last.status !== 'failed') return null;
  return (
    <div role="alert" className="rounded-xl bg-warn-soft p-3 text-sm">
      <p className="font-semibold text-warn">{last.message}</p>
      <p className="mt-1">
        <span className="font-semibold">Fix: </span>
        {last.fix}
      </p>
      <p className="mt-1 font-mono text-xs">{last.code}</p>
    </div>
  );
}
