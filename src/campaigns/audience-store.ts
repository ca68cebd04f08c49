import { statement, type Queryable } from '../database/database.ts';
import type { AccountId, ContactId } from '../platform/ids.ts';
import type { Audience } from './campaign.ts';

/**
 * Whom a campaign is for, a page at a time in the order of their ids. Who came with an import or
 * carries a tag is found by that; else every contact of the account is gone through once. People
 * who were erased or merged into others are nobody's audience.
 */
const FITS = `(c.erased_at is null and c.merged_into is null
  and ($4::text is null or c.language = $4) and ($5::text is null or c.country = $5)
  and ($6::text is null or c.time_zone = $6)
  and ($7::text is null or exists (select 1 from contact_tags u
        where u.bucket = c.bucket and u.account_id = c.account_id and u.tag = $7
          and u.contact_id = c.id)))`;

const ALL = statement<{ id: ContactId; fits: boolean }>(
  'campaign_audience_all',
  `select c.id, ${FITS} as fits from contacts c
    where c.account_id = $1 and c.id > $2 order by c.id limit $3`,
);

const TAGGED = statement<{ id: ContactId; fits: boolean }>(
  'campaign_audience_tagged',
  `select c.id, ${FITS} as fits from contact_tags t
     join contacts c on c.bucket = t.bucket and c.id = t.contact_id
    where t.account_id = $1 and t.contact_id > $2 and t.tag = $8
    order by t.contact_id limit $3`,
);

export type AudiencePage = { ids: ContactId[]; next: string | null };

/** The next people after `after`; `next` is null behind the last of them. */
export async function audiencePage(
  db: Queryable,
  accountId: AccountId,
  audience: Audience,
  page: { after: string; limit: number },
): Promise<AudiencePage> {
  const { language = null, country = null, timeZone = null } = audience;
  const tags = [audience.importTag, audience.tag].filter((one) => one !== undefined);
  const [tag, second = null] = tags;
  const values = [accountId, page.after, page.limit, language, country, timeZone, second];
  const rows =
    tag === undefined ? await db.run(ALL, values) : await db.run(TAGGED, [...values, tag]);
  const ids = rows.filter(({ fits }) => fits).map(({ id }) => id);
  return { ids, next: rows.length < page.limit ? null : (rows.at(-1)?.id ?? null) };
}
