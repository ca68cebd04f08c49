import { at, statement, type Queryable } from '../database/database.ts';
import { bucketOf, type ContactId, type LineId } from '../platform/ids.ts';

/** Meta's customer service window: free-form messages only so long after the customer was heard. */
export const WINDOW_MS = 86_400_000;

const NOTE = statement(
  'message_window_note',
  `insert into message_windows (bucket, contact_id, line_id, last_inbound_at)
   values ($1, $2, $3, $4)
   on conflict (bucket, contact_id, line_id) do update
     set last_inbound_at = excluded.last_inbound_at
     where message_windows.last_inbound_at < excluded.last_inbound_at`,
);

/** Remembers that the customer was heard on this line then; older news change nothing. */
export async function noteInbound(
  db: Queryable,
  { contactId, lineId }: { contactId: ContactId; lineId: LineId },
  heardAt: number,
): Promise<void> {
  await db.run(NOTE, [bucketOf(contactId), contactId, lineId, at(heardAt)]);
}

const LAST = statement<{ last_inbound_at: number }>(
  'message_window_last',
  `select last_inbound_at from message_windows
    where bucket = $1 and contact_id = $2 and line_id = $3`,
);

/** When the customer was last heard on this line; null when never. */
export async function lastInboundAt(
  db: Queryable,
  { contactId, lineId }: { contactId: ContactId; lineId: LineId },
): Promise<number | null> {
  const row = await db.first(LAST, [bucketOf(contactId), contactId, lineId]);
  return row?.last_inbound_at ?? null;
}

const FORGET = statement(
  'message_window_forget',
  'delete from message_windows where bucket = $1 and contact_id = $2',
);

export async function forgetWindows(db: Queryable, contactId: ContactId): Promise<void> {
  await db.run(FORGET, [bucketOf(contactId), contactId]);
}

const OF_CONTACT = statement<{ line_id: LineId; last_inbound_at: number }>(
  'message_window_of_contact',
  'select line_id, last_inbound_at from message_windows where bucket = $1 and contact_id = $2',
);

/** When the customer was last heard, on each line. */
export async function windowsOfContact(
  db: Queryable,
  contactId: ContactId,
): Promise<Array<{ lineId: LineId; at: number }>> {
  const rows = await db.run(OF_CONTACT, [bucketOf(contactId), contactId]);
  return rows.map((row) => ({ lineId: row.line_id, at: row.last_inbound_at }));
}
