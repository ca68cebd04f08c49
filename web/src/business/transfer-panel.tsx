import { useState } from 'react';
import type { CallView, EndpointView } from '../../../src/http/api-types.ts';
import type { ActionWish } from '../api/action-hooks.ts';
import { useEndpoints } from '../api/business-hooks.ts';
import { Button } from '../ui/button.tsx';
import { SelectField } from '../ui/select-field.tsx';

type Transfer = CallView['transfers'][number];

/** Chooses where the customer goes; while a transfer is under way, completes or cancels it. */
export function TransferPanel(props: {
  call: CallView;
  pending: Transfer | null;
  isBusy: boolean;
  onSend: (wish: ActionWish) => void;
}) {
  const endpoints = useEndpoints().data?.items ?? [];
  const nameOf = (id: string): string => endpoints.find((one) => one.id === id)?.name ?? id;
  return (
    <div
      className="flex flex-col gap-2.5 rounded-xl bg-card p-3"
      role="group"
      aria-label="Transfer"
    >
      {props.pending === null ? (
        <Choice {...props} endpoints={endpoints} />
      ) : (
        <Pending {...props} pending={props.pending} name={nameOf(props.pending.toEndpointId)} />
      )}
    </div>
  );
}

function Choice(props: {
  call: CallView;
  endpoints: readonly EndpointView[];
  isBusy: boolean;
  onSend: (wish: ActionWish) => void;
}) {
  const last = props.call.transfers.findLast(({ outcome }) => outcome === 'transferred');
  const current = last?.toEndpointId ?? props.call.endpointId;
  const others = props.endpoints.filter(({ id }) => id !== current);
  const [chosen, setChosen] = useState('');
  const target = others.find(({ id }) => id === chosen) ?? others[0];
  if (target === undefined) {
    return (
      <p className="text-sm">
        There is no other endpoint. Add one with <code>POST /v1/endpoints</code>.
      </p>
    );
  }
  const send = (mode: 'blind' | 'attended'): void =>
    props.onSend({ action: 'transfer', mode, endpointId: target.id });
  return (
    <>
      <SelectField
        label="To endpoint"
        value={target.id}
        options={others.map((one) => [one.id, labelOf(one)] as const)}
        onChange={setChosen}
      />
      <div className="flex flex-wrap gap-2">
        <Button look="primary" blocked={props.isBusy} onClick={() => send('blind')}>
          Hand over now
        </Button>
        <Button blocked={props.isBusy} onClick={() => send('attended')}>
          Speak with them first
        </Button>
      </div>
      <p className="text-sm text-muted">The customer hears music until somebody answers.</p>
    </>
  );
}

/** Words, not colours: whoever hands a customer over must know that nobody may be there. */
function labelOf({ name, health }: EndpointView): string {
  if (health === 'down') return `${name} (does not answer)`;
  return health === 'degraded' ? `${name} (partly out of order)` : name;
}

function Pending(props: {
  pending: Transfer;
  name: string;
  isBusy: boolean;
  onSend: (wish: ActionWish) => void;
}) {
  const { pending, name } = props;
  const isConsulting = pending.mode === 'attended' && pending.answered;
  return (
    <>
      <p role="status" className="text-sm font-semibold">
        {isConsulting
          ? `You speak with ${name}; the customer hears music.`
          : `${name} is being called; the customer hears music.`}
      </p>
      <div className="flex flex-wrap gap-2">
        {pending.mode === 'attended' && (
          <Button
            look="primary"
            blocked={!isConsulting || props.isBusy}
            onClick={() => props.onSend({ action: 'complete_transfer' })}
          >
            Hand over
          </Button>
        )}
        <Button blocked={props.isBusy} onClick={() => props.onSend({ action: 'cancel_transfer' })}>
          Back to the customer
        </Button>
      </div>
    </>
  );
}
