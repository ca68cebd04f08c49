import { keyColumn, type KeyColumn } from '../contacts/contact-key-store.ts';
import { at, statement, unmeasured, type Queryable } from '../database/database.ts';
import type { Bucket, ContactId, EventId } from '../platform/ids.ts';
import { openPayload } from './outbox-store.ts';
import type { WebhookEndpointId } from './webhook-endpoints-store.ts';

/**
 * The deliveries table is the queue: due rows are claimed receiver by receiver under a lease. When
 * a delivery is due is our clock's business, how long a lease lives is the database's: so nodes
 * whose clocks differ never hold the same row at once.
 */
export type DeliveryStatus = 'pending' | 'delivered' | 'failed' | 'held';

/** A claimed delivery, with all that one try needs. */
export type ClaimedDelivery = {
  bucket: Bucket;
  id: string;
  event_id: EventId;
  webhook_id: WebhookEndpointId;
  /** This try's number, from 1. */
  attempts: number;
  /** Null when the event is gone, or nobody can read it since its person was erased. */
  payload: Record<string, unknown> | null;
  /** Null when the endpoint is gone. */
  url: string | null;
  secret: Buffer | null;
  enabled: boolean | null;
};

export type DeliveryRow = {
  id: string;
  event_id: EventId;
  /** Null when the event is gone. */
  event_type: string | null;
  event_at: number | null;
  status: DeliveryStatus;
  attempts: number;
  next_attempt_at: number;
  last_status: number | null;
  last_error: string | null;
  delivered_at: number | null;
};

/**
 * One step through the index for each receiver that something waits for, so that a busy one costs
 * the same with one delivery waiting as with fifty thousand. Not from the table of receivers:
 * what was announced just as its receiver was taken away must still be found, to be settled.
 */
const DUE_WEBHOOKS = statement<{ webhook_id: WebhookEndpointId }>(
  'deliveries_due_webhooks',
  `with recursive waiting as (
     (select webhook_id, next_attempt_at from deliveries where status = 'pending'
       order by webhook_id, next_attempt_at limit 1)
     union all
     select following.* from waiting cross join lateral (
       select d.webhook_id, d.next_attempt_at from deliveries d
        where d.status = 'pending' and d.webhook_id > waiting.webhook_id
        order by d.webhook_id, d.next_attempt_at limit 1) as following
   )
   select w.webhook_id from waiting w
    where w.next_attempt_at <= $1 and w.webhook_id <> all (${unmeasured('$2::text[]')}::text[])
      and exists (select 1 from deliveries d
                   where d.webhook_id = w.webhook_id and d.status = 'pending'
                     and d.next_attempt_at <= $1
                     and (d.lease_until is null or d.lease_until < now()))
    order by w.next_attempt_at, w.webhook_id`,
);

/**
 * How many deliveries one claim leases. It stands in the text of the statement: of a limit that
 * is a parameter the planner thinks the worst, and reads the whole table to mark four rows.
 */
export const CLAIM_MAX = 4;

// The try is counted when it begins: a delivery that kills its worker must not be tried for ever.
type ClaimedRow = ClaimedDelivery &
  KeyColumn & { contact_id: ContactId | null; sealed: Buffer | null };

const CLAIM = statement<ClaimedRow>(
  'deliveries_claim',
  `with due as (
     select bucket, id from deliveries
      where webhook_id = $1 and status = 'pending' and next_attempt_at <= $2
        and (lease_until is null or lease_until < now())
      order by next_attempt_at, id limit ${CLAIM_MAX} for update skip locked
   ), leased as (
     update deliveries d
        set attempts = d.attempts + 1, lease_owner = $3,
            lease_until = now() + make_interval(secs => $4)
       from due where d.bucket = due.bucket and d.id = due.id
     returning d.bucket, d.id, d.event_id, d.webhook_id, d.attempts
   )
   select l.*, e.payload, e.contact_id, e.sealed, ${keyColumn('e')}, w.url, w.secret, w.enabled
     from leased l
     left join events e on e.bucket = l.bucket and e.id = l.event_id
     left join webhook_endpoints w on w.id = l.webhook_id
    order by l.id`,
);

const SETTLE = statement<{ id: string }>(
  'deliveries_settle',
  `update deliveries
      set status = $4, next_attempt_at = coalesce($5::timestamptz, next_attempt_at),
          last_status = $6, last_error = $7, delivered_at = coalesce($8::timestamptz, delivered_at),
          lease_owner = null, lease_until = null
    where bucket = $1 and id = $2 and lease_owner = $3 returning id`,
);

const FAILING_SINCE = statement<{ failing: boolean }>(
  'deliveries_failing_since',
  `select exists (select 1 from deliveries
                   where webhook_id = $1 and id < $2 and attempts > 0
                     and status in ('pending', 'failed'))
      and not exists (select 1 from deliveries where webhook_id = $1 and delivered_at >= $3)
       as failing`,
);

const OF_WEBHOOK = statement<DeliveryRow>(
  'deliveries_of_webhook',
  `select d.id, d.event_id, e.type as event_type, e.at as event_at, d.status, d.attempts,
          d.next_attempt_at, d.last_status, d.last_error, d.delivered_at
     from deliveries d left join events e on e.bucket = d.bucket and e.id = d.event_id
    where d.webhook_id = $1 and ($2::text is null or d.id < $2)
      and ($3::text is null or d.status = $3)
    order by d.id desc limit $4`,
);

/** Longer than one try can take, with room for a slow commit. */
const LEASE_SECONDS = 60;

/** The receivers with something due, who waits longest first, leaving aside the busy ones. */
export async function dueWebhooks(
  queryable: Queryable,
  now: number,
  busy: readonly string[],
): Promise<WebhookEndpointId[]> {
  const rows = await queryable.run(DUE_WEBHOOKS, [at(now), busy]);
  return rows.map(({ webhook_id: id }) => id);
}

/** Leases what has waited longest for one receiver, `CLAIM_MAX` deliveries at most. */
export async function claimDeliveries(
  queryable: Queryable,
  claim: { webhookId: WebhookEndpointId; now: number; owner: string },
): Promise<ClaimedDelivery[]> {
  const { webhookId, now, owner } = claim;
  const rows = await queryable.run(CLAIM, [webhookId, at(now), owner, LEASE_SECONDS]);
  return rows.map(({ contact_id: contactId, sealed, sealed_key: sealedKey, ...row }) => {
    const { payload } = row;
    if (payload === null || contactId === null) return { ...row, payload: null };
    const stored = { contact_id: contactId, payload, sealed, sealed_key: sealedKey };
    return { ...row, payload: openPayload(queryable, stored) };
  });
}

/** Writes how a try ended; false when the lease was lost and somebody else has the row now. */
export async function settleDelivery(
  queryable: Queryable,
  row: { bucket: Bucket; id: string; owner: string },
  outcome: {
    status: DeliveryStatus;
    nextAttemptAt: number | null;
    lastStatus: number | null;
    lastError: string | null;
    deliveredAt: number | null;
  },
): Promise<boolean> {
  const settled = await queryable.first(SETTLE, [
    row.bucket,
    row.id,
    row.owner,
    outcome.status,
    at(outcome.nextAttemptAt),
    outcome.lastStatus,
    outcome.lastError,
    at(outcome.deliveredAt),
  ]);
  return settled !== undefined;
}

/** True when the endpoint took nothing since `since` although something older was tried. */
export async function isFailingSince(
  queryable: Queryable,
  webhookId: string,
  since: number,
): Promise<boolean> {
  const values = [webhookId, idBound('dlv', since), at(since)];
  return (await queryable.first(FAILING_SINCE, values))?.failing === true;
}

/** Newest first. */
export function listDeliveries(
  queryable: Queryable,
  query: { webhookId: string; before: string | null; status: string | null; limit: number },
): Promise<DeliveryRow[]> {
  const { webhookId, before, status, limit } = query;
  return queryable.run(OF_WEBHOOK, [webhookId, before, status, limit]);
}

/** The least id of an instant: ids sort by time, so an id range is a time range. */
export function idBound(prefix: string, atMs: number): string {
  const hex = Math.max(0, atMs).toString(16).padStart(12, '0');
  return `${prefix}_${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}
