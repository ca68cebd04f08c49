import { statement, type Queryable } from '../database/database.ts';
import type { AccountId } from '../platform/ids.ts';

/** So many names are told; whoever has changed those is told the next ones. */
const NAMED_MAX = 5;

// The version that new runs take, and each one that somebody is on.
const IN_FORCE = `journeys j join journey_versions v on v.journey_id = j.id
    and (v.version = j.version and j.deleted_at is null or exists (
      select from journey_runs r where r.journey_id = j.id and r.status = 'live'
         and r.state ->> 'version' = v.version::text))`;

const CALLING = statement<{ name: string }>(
  'journey_calling',
  `select j.name from ${IN_FORCE}
    where j.account_id = $1
      and exists (select from json_array_elements(v.document -> 'steps') step
                   where step ->> 'endpoint' = any ($2::text[]))
    group by j.id, j.name order by j.id limit ${NAMED_MAX}`,
);

/** Names of journeys that call that endpoint, by its id or name. */
export async function journeysThatCall(
  db: Queryable,
  accountId: AccountId,
  endpoint: { id: string; name: string },
): Promise<string[]> {
  const rows = await db.run(CALLING, [accountId, [endpoint.id, endpoint.name]]);
  return rows.map((row) => row.name);
}

/** A template as steps name it; `isOnly`: it is also what a step without a language means. */
export type NamedTemplate = { name: string; language: string; isOnly: boolean };

// A campaign that brings its own question writes it down as a journey of its name. That one stays
// behind it and is started by nobody, so it keeps no template alive.
const SENDING = statement<{ name: string }>(
  'journey_sending',
  `select j.name from ${IN_FORCE}
    where j.account_id = $1
      and exists (select from json_array_elements(v.document -> 'steps') step
                   where step ->> 'template' = $2
                     and coalesce(step ->> 'language' = $3, $4))
      and not exists (select from campaigns c where c.journey_id = j.id and c.name = j.name
                         and c.state in ('stopped', 'done'))
    group by j.id, j.name order by j.id limit ${NAMED_MAX}`,
);

/** Names of journeys that ask or write with that template. */
export async function journeysThatSend(
  db: Queryable,
  accountId: AccountId,
  { name, language, isOnly }: NamedTemplate,
): Promise<string[]> {
  const rows = await db.run(SENDING, [accountId, name, language, isOnly]);
  return rows.map((row) => row.name);
}
