import { at, statement, type Queryable } from '../database/database.ts';
import { idPrefixAt, type AccountId, type EndpointId } from '../platform/ids.ts';

/** Calls or seconds of talk by endpoint and by API key, for caps. */
export type Usage = { byEndpoint: Map<string, number>; byKey: Map<string, number> };

type UsageRow = { endpoint_id: string; key_id: string | null; used: number };

const LIVE = statement<UsageRow>(
  'endpoint_usage_live',
  `select state -> 'plan' ->> 'endpointId' as endpoint_id, state -> 'plan' ->> 'keyId' as key_id,
          count(*)::int as used
     from calls
    where account_id = any ($1::text[])
      and phase = 'live'
    group by 1, 2`,
);

/** Calls that are dialled and not over. */
export async function liveUsage(db: Queryable, accountIds: readonly AccountId[]): Promise<Usage> {
  return usageIn(await db.run(LIVE, [accountIds]));
}

const OPEN = statement<{ calls: number }>(
  'endpoint_usage_open',
  `select count(*)::int as calls from calls
    where account_id = $1 and phase <> 'ended' and state -> 'plan' ->> 'endpointId' = $2`,
);

/** Calls of the account that wait for this endpoint or are under way to it. */
export async function openCallsTo(
  db: Queryable,
  accountId: AccountId,
  endpointId: EndpointId,
): Promise<number> {
  return (await db.first(OPEN, [accountId, endpointId]))?.calls ?? 0;
}

const PLAYING = statement<{ name: string }>(
  'endpoint_playing',
  `select name from endpoints
    where account_id = $1 and options -> 'whenNobody' ->> 'prompt' = $2 order by id limit 5`,
);

/** Names of endpoints that play a prompt of that name when nobody is there. */
export async function endpointsThatPlay(
  db: Queryable,
  accountId: AccountId,
  prompt: string,
): Promise<string[]> {
  return (await db.run(PLAYING, [accountId, prompt])).map((row) => row.name);
}

const TALKED = statement<UsageRow>(
  'endpoint_usage_talked',
  `select record ->> 'endpointId' as endpoint_id, record ->> 'keyId' as key_id,
          sum((record ->> 'billableSeconds')::int)::int as used
     from cdrs where account_id = $1 and call_id >= $2 and ended_at >= $3 group by 1, 2`,
);

const DAY_MS = 86_400_000;

/**
 * Seconds of talk in calls that ended since then. Ids of calls are in order of time, so only the
 * last days of the account's records are looked at; no call waits longer than a week.
 */
export async function talkedSince(
  db: Queryable,
  accountId: AccountId,
  sinceMs: number,
): Promise<Usage> {
  const from = idPrefixAt('call', sinceMs - 7 * DAY_MS);
  return usageIn(await db.run(TALKED, [accountId, from, at(sinceMs)]));
}

function usageIn(rows: readonly UsageRow[]): Usage {
  const usage: Usage = { byEndpoint: new Map(), byKey: new Map() };
  for (const { endpoint_id: endpointId, key_id: keyId, used } of rows) {
    add(usage.byEndpoint, endpointId, used);
    if (keyId !== null) add(usage.byKey, keyId, used);
  }
  return usage;
}

function add(sums: Map<string, number>, key: string, used: number): void {
  sums.set(key, (sums.get(key) ?? 0) + used);
}
