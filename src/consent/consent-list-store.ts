import { at, statement, type Queryable } from '../database/database.ts';
import type { AccountId, ContactId, LineId } from '../platform/ids.ts';
import type { ConsentStatus } from './consent.ts';

/** A grant past its end counts as expired from that moment on, whether or not it was swept. */
const BY_STATUS = statement<{ contact_id: ContactId }>(
  'consent_list_by_status',
  `select contact_id from consents
    where account_id = $1 and ($3::text is null or line_id = $3)
      and ($4::text is null or contact_id < $4)
      and (status = $2 and (status <> 'granted' or wakes_at is null or wakes_at > $5)
        or $2 = 'expired' and status = 'granted' and wakes_at <= $5)
    group by contact_id order by contact_id desc limit $6`,
);

export type StatusFilter = {
  status: ConsentStatus;
  lineId: LineId | null;
  after: string | null;
  now: number;
  limit: number;
};

/** Contacts whose permission stands so, on one line or on any; newest first. */
export async function contactsByStatus(
  db: Queryable,
  accountId: AccountId,
  { status, lineId, after, now, limit }: StatusFilter,
): Promise<ContactId[]> {
  const rows = await db.run(BY_STATUS, [accountId, status, lineId, after, at(now), limit]);
  return rows.map(({ contact_id }) => contact_id);
}
