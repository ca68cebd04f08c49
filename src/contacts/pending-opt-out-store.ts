import { at, statement, type Queryable, type Tx } from '../database/database.ts';
import type { ContactId, LineId } from '../platform/ids.ts';
import type { Contact } from './contact.ts';

/** Blocks that wait for a person's answer: "did you mean stop?" */

const SET = statement(
  'contact_opt_out_pending',
  `update contacts set opt_out_pending_at = $3, opt_out_pending_line_id = $4
    where bucket = $1 and id = $2`,
);

export async function markOptOutPending(
  tx: Tx,
  contact: Contact,
  pending: { at: number; lineId: LineId },
): Promise<void> {
  await tx.run(SET, [contact.bucket, contact.id, at(pending.at), pending.lineId]);
}

export async function clearOptOutPending(tx: Tx, contact: Contact): Promise<void> {
  await tx.run(SET, [contact.bucket, contact.id, null, null]);
}

const WAITING = statement<{ id: ContactId }>(
  'contacts_opt_out_waiting',
  `select id from contacts where opt_out_pending_at <= $1 and opted_out_at is null
    order by opt_out_pending_at limit $2`,
);

/** Contacts that were asked at or before that instant and have not answered. */
export async function pendingSince(
  db: Queryable,
  askedBy: number,
  limit: number,
): Promise<ContactId[]> {
  return (await db.run(WAITING, [at(askedBy), limit])).map(({ id }) => id);
}

const OLDEST = statement<{ asked_at: number | null }>(
  'contacts_opt_out_oldest',
  `select min(opt_out_pending_at) as asked_at from contacts
    where opt_out_pending_at is not null and opted_out_at is null`,
);

/** When the one who has waited longest was asked; null when nobody waits. */
export async function oldestPending(db: Queryable): Promise<number | null> {
  return (await db.first(OLDEST))?.asked_at ?? null;
}

const CLEAR = statement(
  'contact_opted_in',
  `update contacts set opted_out_at = null, opt_out_pending_at = null,
          opt_out_pending_line_id = null
    where bucket = $1 and id = $2`,
);

/** The person has taken their stop back. */
export async function clearOptedOut(tx: Tx, contact: Contact): Promise<void> {
  await tx.run(CLEAR, [contact.bucket, contact.id]);
}
