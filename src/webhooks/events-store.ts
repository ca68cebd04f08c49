import { keyColumn } from '../contacts/contact-key-store.ts';
import { at, statement, type Queryable } from '../database/database.ts';
import {
  bucketOf,
  type AccountId,
  type CallId,
  type ContactId,
  type EventId,
} from '../platform/ids.ts';
import { idBound } from './deliveries-store.ts';
import { openPayload, type SealedPayload } from './outbox-store.ts';

/** Reading events back and sending them again. Writing them is the outbox's business. */
export type EventRow = {
  id: EventId;
  type: string;
  sequence: number;
  contact_id: ContactId;
  call_id: string | null;
  /** Without data once the person was erased. */
  payload: Record<string, unknown>;
  at: number;
};

type StoredRow = EventRow & SealedPayload;

const COLUMNS = `events.id, type, sequence, events.contact_id, call_id, payload, at, events.sealed,
  ${keyColumn('events')}`;

const LIST_UP = statement<StoredRow>(
  'events_list_up',
  `select ${COLUMNS} from events
    where account_id = $1 and ($2::text is null or id > $2) and ($3::text is null or type = $3)
    order by id limit $4`,
);
const LIST_DOWN = statement<StoredRow>(
  'events_list_down',
  `select ${COLUMNS} from events
    where account_id = $1 and ($2::text is null or id < $2) and ($3::text is null or type = $3)
    order by id desc limit $4`,
);
const LIST_OF_CALL = statement<StoredRow>(
  'events_list_of_call',
  `select ${COLUMNS} from events
    where bucket = $5 and call_id = $6 and account_id = $1
      and ($2::text is null or id > $2) and ($3::text is null or type = $3)
    order by id limit $4`,
);
const READ = statement<StoredRow>(
  'events_read',
  `select ${COLUMNS} from events where bucket = $1 and id = $2 and account_id = $3`,
);

// The id of a delivery is made of its event and its endpoint, so sending again finds the old row:
// one delivery per event and endpoint, however often it is asked for.
const QUEUE_AGAIN = `
  insert into deliveries (bucket, id, event_id, account_id, webhook_id, status, next_attempt_at)
  select e.bucket, 'dlv' || substr(e.id, strpos(e.id, '_')) || substr(w.id, strpos(w.id, '_')),
         e.id, e.account_id, w.id, 'pending', $1
    from events e join webhook_endpoints w on w.account_id = e.account_id and w.enabled`;
const WANTED = `(w.event_types = '{}' or e.type = any (w.event_types))`;
const RESET = `on conflict (bucket, id) do update
     set status = 'pending', attempts = 0, next_attempt_at = excluded.next_attempt_at`;

const REDELIVER = statement<{ id: string }>(
  'events_redeliver',
  `${QUEUE_AGAIN}
   where e.bucket = $2 and e.id = $3 and e.account_id = $4
     and (w.id = $5::text or ($5::text is null and ${WANTED}))
   ${RESET} returning id`,
);
const RECOVER = statement<{ id: string }>(
  'events_recover',
  `${QUEUE_AGAIN}
   where e.account_id = $2 and e.id >= $3 and w.id = $4 and ${WANTED}
   order by e.id limit $5
   ${RESET} where deliveries.status in ('failed', 'held') returning id`,
);

const RECOVER_MAX = 50_000;

export type EventQuery = {
  accountId: AccountId;
  after: string | null;
  type: string | null;
  callId: CallId | null;
  order: 'asc' | 'desc';
  limit: number;
};

export async function listEvents(db: Queryable, query: EventQuery): Promise<EventRow[]> {
  const values = [query.accountId, query.after, query.type, query.limit];
  const { callId, order } = query;
  const rows =
    callId === null
      ? await db.run(order === 'asc' ? LIST_UP : LIST_DOWN, values)
      : await db.run(LIST_OF_CALL, [...values, bucketOf(callId), callId]);
  return rows.map((row) => toEvent(db, row));
}

export async function readEvent(
  db: Queryable,
  accountId: AccountId,
  id: EventId,
): Promise<EventRow | undefined> {
  const row = await db.first(READ, [bucketOf(id), id, accountId]);
  return row === undefined ? undefined : toEvent(db, row);
}

function toEvent(db: Queryable, row: StoredRow): EventRow {
  const { sealed: _sealed, sealed_key: _key, ...event } = row;
  return { ...event, payload: openPayload(db, row) ?? row.payload };
}

/** Queues an event again, to one endpoint or to all that want it; returns how many deliveries. */
export async function redeliverEvent(
  queryable: Queryable,
  spec: { accountId: AccountId; eventId: EventId; webhookId: string | null; now: number },
): Promise<number> {
  const { accountId, eventId, webhookId, now } = spec;
  const values = [at(now), bucketOf(eventId), eventId, accountId, webhookId];
  return (await queryable.run(REDELIVER, values)).length;
}

/** Queues all events since an instant that an endpoint has not taken; returns how many. */
export async function recoverEvents(
  queryable: Queryable,
  spec: { accountId: AccountId; webhookId: string; since: number; now: number },
): Promise<number> {
  const { accountId, webhookId, since, now } = spec;
  const values = [at(now), accountId, idBound('evt', since), webhookId, RECOVER_MAX];
  return (await queryable.run(RECOVER, values)).length;
}
