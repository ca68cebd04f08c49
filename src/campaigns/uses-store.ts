import { statement, type Queryable } from '../database/database.ts';
import type { NamedTemplate } from '../journeys/journey-uses-store.ts';
import type { AccountId } from '../platform/ids.ts';

const NAMED_MAX = 5;

// A campaign keeps the version of its journey that it was made with.
const OPEN = `campaigns c join journey_versions v
    on v.journey_id = c.journey_id and v.version = c.journey_version
  cross join lateral json_array_elements(v.document -> 'steps') step
    where c.account_id = $1 and c.state not in ('stopped', 'done')`;

// A step may name its endpoint by a variable that the campaign gives one value for all.
const CALLING = statement<{ name: string }>(
  'campaign_calling',
  `select c.name from ${OPEN}
      and (step ->> 'endpoint' = any ($2::text[]) or exists (
        select from jsonb_each(c.settings -> 'variables') given
         where step ->> 'endpoint' = '{{' || given.key || '}}'
           and given.value ->> 'text' = any ($2::text[])))
    group by c.id, c.name order by c.id limit ${NAMED_MAX}`,
);

/** Names of campaigns that are not over and call that endpoint, by its id or name. */
export async function campaignsThatCall(
  db: Queryable,
  accountId: AccountId,
  endpoint: { id: string; name: string },
): Promise<string[]> {
  const rows = await db.run(CALLING, [accountId, [endpoint.id, endpoint.name]]);
  return rows.map((row) => row.name);
}

const SENDING = statement<{ name: string }>(
  'campaign_sending',
  `select c.name from ${OPEN}
      and step ->> 'template' = $2 and coalesce(step ->> 'language' = $3, $4)
    group by c.id, c.name order by c.id limit ${NAMED_MAX}`,
);

/** Names of campaigns that are not over and ask or write with that template. */
export async function campaignsThatSend(
  db: Queryable,
  accountId: AccountId,
  { name, language, isOnly }: NamedTemplate,
): Promise<string[]> {
  const rows = await db.run(SENDING, [accountId, name, language, isOnly]);
  return rows.map((row) => row.name);
}
