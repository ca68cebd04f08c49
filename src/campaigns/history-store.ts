import { detailsOf } from '../contacts/contact-detail-store.ts';
import { at, statement, type Queryable } from '../database/database.ts';
import { bucketOf, type AccountId, type ContactId, type LineId } from '../platform/ids.ts';
import type { AudienceHistory } from './campaign.ts';

/**
 * Which people of a page have such a history. Each is looked up by indexes that begin with their
 * bucket, so a page costs the same however much an account has done; the pages bound the whole.
 */
const FITTING = statement<{ id: ContactId }>(
  'campaign_history_fitting',
  `select v.id from unnest($1::smallint[], $2::text[]) v (bucket, id)
     left join lateral (
       select c.state #>> '{end,outcome}' as outcome,
              (c.state #>> '{facts,dialingAt}')::float8 as dialed_at
         from calls c
        where c.bucket = v.bucket and c.contact_id = v.id
          and c.state #>> '{facts,dialingAt}' is not null
        order by c.id desc limit 1) last on true
     left join lateral (
       select max((s.state #>> '{history,lastRequestAt}')::float8) as requested_at,
              max(case when s.line_id <> $3 then null
                       when s.status = 'granted' and s.wakes_at <= $4 then 'expired'
                       else s.status end) as permission
         from consents s where s.bucket = v.bucket and s.contact_id = v.id) asked on true
     left join campaign_members m
       on m.bucket = v.bucket and m.campaign_id = $10 and m.contact_id = v.id
    where ($5::text is null
           or case when $5 = 'never' then last.dialed_at is null else last.outcome = $5 end)
      and ($6::text is null or coalesce(asked.permission, 'none') = $6)
      and ($7::float8 is null or coalesce(greatest(asked.requested_at, last.dialed_at), 0) < $7)
      and ($8::float8 is null or greatest(asked.requested_at, last.dialed_at) >= $8)
      and ($9::timestamptz is null or not exists (
        select from calls c
         where c.bucket = v.bucket and c.contact_id = v.id
           and (c.state #>> '{facts,answeredAt}')::float8 >= extract(epoch from $9) * 1000))
      and ($10::text is null or m.contact_id is not null and ($11::text is null or m.reason = $11))
    order by v.id`,
);

const DAY_MS = 86_400_000;

export type HistoryQuestion = {
  accountId: AccountId;
  lineId: LineId;
  history: AudienceHistory;
  now: number;
};

/** Those of these people with whom it went so, in their order. */
export async function fittingHistory(
  db: Queryable,
  { accountId, lineId, history, now }: HistoryQuestion,
  ids: readonly ContactId[],
): Promise<ContactId[]> {
  const { lastCall, permission, lastContactBefore, lastContactAfter } = history;
  const { notReachedDays, ofCampaign, column } = history;
  const rows = await db.run(FITTING, [
    ids.map((id) => bucketOf(id)),
    ids,
    lineId,
    at(now),
    lastCall ?? null,
    permission ?? null,
    lastContactBefore ?? null,
    lastContactAfter ?? null,
    notReachedDays === undefined ? null : at(now - notReachedDays * DAY_MS),
    ofCampaign?.id ?? null,
    ofCampaign?.result ?? null,
  ]);
  const fitting = rows.map(({ id }) => id);
  if (column === undefined || fitting.length === 0) return fitting;
  // What is in a column is sealed for each person, so it is compared here and not in a statement.
  const details = await detailsOf(db, fitting);
  return fitting.filter((id) => {
    const text = details.get(id)?.columns[column.name];
    return text !== undefined && columnMark(db, accountId, text) === column.mark;
  });
}

/**
 * What stands in the open for the text of a column: whoever reads the tables learns nothing of
 * it, and a name that somebody typed outlives nobody's erasure.
 */
export function columnMark(db: Queryable, accountId: AccountId, text: string): string {
  return db.vault.pseudonym(`${accountId}\u0000column:${text}`).toString('base64url');
}
