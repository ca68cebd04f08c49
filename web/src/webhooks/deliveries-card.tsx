import { useState } from 'react';
import {
  useDeliveries,
  useRecover,
  useRedeliver,
  type DeliveryView,
  type WebhookEndpointView,
} from '../api/webhook-hooks.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { Chip, type Tone } from '../ui/chip.tsx';
import { TextField } from '../ui/field.tsx';
import { dayAndTime } from '../ui/format.ts';
import { PageButtons, usePages } from '../ui/page-buttons.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { SelectField } from '../ui/select-field.tsx';

const STATES: Record<DeliveryView['status'], [tone: Tone, words: string]> = {
  delivered: ['good', 'Taken'],
  pending: ['accent', 'Waiting'],
  failed: ['bad', 'Given up'],
  held: ['warn', 'Held back'],
};

/** What went to one address, newest first, with the receiver's answer to the last try. */
export function DeliveriesCard(props: { endpoint: WebhookEndpointView }) {
  const { endpoint } = props;
  const [status, setStatus] = useState('');
  const pages = usePages();
  const found = useDeliveries(endpoint.id, status, pages.after);
  const items = found.data?.items ?? [];
  return (
    <Card title="Deliveries">
      <p className="mb-3 text-sm">
        <span className="text-muted">To </span>
        <code className="font-mono text-xs break-all">{endpoint.url}</code>
      </p>
      <div className="mb-3 max-w-60">
        <SelectField
          label="Show"
          value={status}
          options={[
            ['', 'All'],
            ...Object.entries(STATES).map(([state, [, words]]) => [state, words] as const),
          ]}
          onChange={(wanted) => {
            setStatus(wanted);
            pages.open([]);
          }}
        />
      </div>
      {found.error !== null && <ProblemNote error={found.error} />}
      {found.isPending && <p className="text-sm text-muted">Loading…</p>}
      {found.data !== undefined && items.length === 0 && (
        <p className="text-sm text-muted">
          {status === ''
            ? 'Nothing went there yet. The next event that it wants shows up here.'
            : 'No delivery stands so.'}
        </p>
      )}
      <ul className="flex flex-col gap-2">
        {items.map((delivery) => (
          <DeliveryLine key={delivery.id} delivery={delivery} endpoint={endpoint} />
        ))}
      </ul>
      <PageButtons pages={pages} next={found.data?.next ?? null} back="Newer" on="Older" />
      <Recover endpoint={endpoint} />
    </Card>
  );
}

function DeliveryLine(props: { delivery: DeliveryView; endpoint: WebhookEndpointView }) {
  const { delivery, endpoint } = props;
  const again = useRedeliver(endpoint.id);
  const [tone, words] = STATES[delivery.status];
  const name = delivery.eventType ?? 'An event that is no longer kept';
  return (
    <li className="border-t border-edge pt-2 text-sm">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <Chip tone={tone}>{words}</Chip>
        <span className="font-semibold break-all">{name}</span>
        {delivery.eventAt !== null && (
          <span className="text-muted">{dayAndTime(delivery.eventAt)}</span>
        )}
        {delivery.eventType !== null && (
          <Button
            look="quiet"
            className="ml-auto"
            blocked={!endpoint.enabled}
            disabled={again.isPending}
            onClick={() => again.mutate(delivery.eventId)}
          >
            Send again<span className="sr-only"> {delivery.eventId}</span>
          </Button>
        )}
      </div>
      <p className="text-xs text-muted">
        {answerText(delivery)} <code className="font-mono break-all">{delivery.eventId}</code>
      </p>
      {again.error !== null && <ProblemNote error={again.error} />}
    </li>
  );
}

function answerText({ attempts, lastStatus, lastError, ...rest }: DeliveryView): string {
  const tries = `${attempts} ${attempts === 1 ? 'try' : 'tries'}`;
  const answered = lastStatus === null ? '' : `, answered ${lastStatus}`;
  const trouble = lastError === null ? '' : `, ${lastError}`;
  const next = rest.nextAttemptAt === null ? '' : `; next try ${dayAndTime(rest.nextAttemptAt)}`;
  return `${tries}${answered}${trouble}${next}.`;
}

/** After an outage: all that did not arrive since then. */
function Recover(props: { endpoint: WebhookEndpointView }) {
  const [since, setSince] = useState('');
  const recover = useRecover(props.endpoint.id);
  const { enabled } = props.endpoint;
  return (
    <form
      className="mt-4 flex flex-col gap-2 border-t border-edge pt-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (enabled) recover.mutate(new Date(since).toISOString());
      }}
    >
      <div className="flex flex-wrap items-end gap-2">
        <TextField
          label="Send again what was not taken since"
          type="datetime-local"
          value={since}
          required
          onChange={setSince}
        />
        <Button type="submit" blocked={!enabled} disabled={recover.isPending}>
          Send it again
        </Button>
      </div>
      {!enabled && (
        <p className="text-xs text-muted">Switch the endpoint on first: now nothing goes there.</p>
      )}
      <p role="status" className="text-sm">
        {recover.data !== undefined &&
          (recover.data.queued === 0
            ? 'Nothing was missed.'
            : `${recover.data.queued} on the way.`)}
      </p>
      {recover.error !== null && <ProblemNote error={recover.error} />}
    </form>
  );
}
