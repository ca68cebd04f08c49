import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Button } from '../ui/button.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { SelectField } from '../ui/select-field.tsx';
import type { AgentCall } from './call-path.ts';
import type { AgentLink } from './use-agent.ts';

export type Lead =
  | { action: 'hold' | 'resume' | 'complete_transfer' | 'cancel_transfer' }
  | { action: 'transfer'; mode: 'blind' | 'attended'; endpointId: string };

type Targets = { items: Array<{ id: string; name: string }> };

/** Hands the customer to somebody else, at once or after a word with them. */
export function TransferBox(props: {
  link: AgentLink;
  call: AgentCall;
  busy: boolean;
  onLead: (wish: Lead) => void;
}) {
  const { client } = props.link;
  const targets = useQuery({
    queryKey: ['agent', client.apiKey, 'endpoints'],
    queryFn: () => client.get<Targets>('/v1/agents/me/endpoints'),
  });
  const [picked, setPicked] = useState<string | null>(null);
  const { transfer } = props.call;
  if (transfer !== null) {
    return (
      <div className="flex flex-wrap items-center gap-2 rounded-xl bg-sunk p-3 text-sm">
        <p role="status" className="w-full">
          {transfer.answered
            ? 'You speak with them; the customer hears music.'
            : 'They are being called; the customer hears music.'}
        </p>
        {transfer.mode === 'attended' && transfer.answered && (
          <Button
            look="primary"
            disabled={props.busy}
            onClick={() => props.onLead({ action: 'complete_transfer' })}
          >
            Hand over now
          </Button>
        )}
        <Button disabled={props.busy} onClick={() => props.onLead({ action: 'cancel_transfer' })}>
          Back to the customer
        </Button>
      </div>
    );
  }
  const items = targets.data?.items ?? [];
  const endpointId = picked ?? items[0]?.id ?? null;
  const transferBy = (mode: 'blind' | 'attended') => () => {
    if (endpointId !== null) props.onLead({ action: 'transfer', mode, endpointId });
  };
  return (
    <div className="flex flex-col gap-2 rounded-xl bg-sunk p-3">
      {targets.error !== null && <ProblemNote error={targets.error} />}
      {targets.data !== undefined && items.length === 0 && (
        <p className="text-sm">There is nowhere to transfer to.</p>
      )}
      {endpointId !== null && (
        <>
          <SelectField
            label="To"
            value={endpointId}
            options={items.map(({ id, name }) => [id, name] as const)}
            onChange={setPicked}
          />
          <div className="flex flex-wrap gap-2">
            <Button disabled={props.busy} onClick={transferBy('attended')}>
              Speak with them first
            </Button>
            <Button disabled={props.busy} onClick={transferBy('blind')}>
              Hand over at once
            </Button>
          </div>
        </>
      )}
    </div>
  );
}
