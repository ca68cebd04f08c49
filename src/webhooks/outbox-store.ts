import { keyInRow, type KeyColumn } from '../contacts/contact-key-store.ts';
import { at, statement, type Queryable, type Tx } from '../database/database.ts';
import { isoTime } from '../platform/clock.ts';
import type { AccountId, Bucket, CallId, ContactId, Ids } from '../platform/ids.ts';
import type { EventType } from './webhooks.ts';

/** What the business is to be told, written in the transaction that made it true. */
export type Announcement = {
  bucket: Bucket;
  accountId: AccountId;
  contactId: ContactId;
  callId: CallId | null;
  /** Dot name in the past tense, such as `call.ended`. */
  type: EventType;
  /** Per call 1, 2, 3 … without gaps; 0 for events that belong to no call. */
  sequence: number;
  data: Record<string, unknown>;
  /** When it happened, in ms. */
  at: number;
};

const ANNOUNCE = statement(
  'outbox_announce',
  `with written as (
     insert into events (bucket, id, account_id, contact_id, call_id, type, sequence, payload, at,
                         sealed)
     select * from unnest($1::smallint[], $2::text[], $3::text[], $4::text[], $5::text[],
       $6::text[], $7::bigint[], $8::jsonb[], $9::timestamptz[], $10::bytea[])
     returning bucket, id, account_id, type, at)
   insert into deliveries (bucket, id, event_id, account_id, webhook_id, status, next_attempt_at)
   select v.bucket, 'dlv' || substr(v.id, strpos(v.id, '_')) || substr(w.id, strpos(w.id, '_')),
          v.id, v.account_id, w.id, 'pending', v.at
     from written v
     join webhook_endpoints w on w.account_id = v.account_id and w.enabled
      and (w.event_types = '{}' or v.type = any (w.event_types))`,
);

/**
 * Writes the events and one delivery for each enabled webhook endpoint that wants them, in one
 * statement however many there are. A delivery's id is made of its event and its endpoint.
 */
export async function announceAll(
  tx: Tx,
  ids: Ids,
  announcements: readonly Announcement[],
): Promise<void> {
  if (announcements.length === 0) return;
  const rows = announcements.map((item) => {
    const id = ids.next('event', item.bucket);
    return { ...item, id, sealed: tx.keys.get(item.contactId)?.seal(item.data) ?? null };
  });
  await tx.run(ANNOUNCE, [
    rows.map((row) => row.bucket),
    rows.map((row) => row.id),
    rows.map((row) => row.accountId),
    rows.map((row) => row.contactId),
    rows.map((row) => row.callId),
    rows.map((row) => row.type),
    rows.map((row) => row.sequence),
    rows.map((row) => JSON.stringify(payloadOf(row))),
    rows.map((row) => at(row.at)),
    rows.map(({ sealed }) => sealed),
  ]);
}

/**
 * The body of the webhook, byte for byte the same at every attempt (Standard Webhooks 1.0). What
 * it says is put in when it is read, as long as the contact's key exists.
 */
function payloadOf(event: Announcement & { id: string; sealed: Buffer | null }): object {
  const { id, type, at: atMs, sequence, contactId, callId, data, sealed } = event;
  const envelope = { id, type, timestamp: isoTime(atMs), sequence, contactId, callId };
  return sealed === null ? { ...envelope, data } : envelope;
}

/** What is read of an event to make its payload whole. */
export type SealedPayload = KeyColumn & {
  contact_id: ContactId;
  payload: Record<string, unknown>;
  sealed: Buffer | null;
};

/** A payload as it is sent; null once the person it speaks of was erased. */
export function openPayload(db: Queryable, row: SealedPayload): Record<string, unknown> | null {
  if (row.sealed === null) return row.payload;
  const key = keyInRow(db, row.contact_id, row.sealed_key);
  return key === null ? null : { ...row.payload, data: key.open(row.sealed) };
}
