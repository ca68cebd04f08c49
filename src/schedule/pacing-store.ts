import { statement, type Queryable, type Tx } from '../database/database.ts';
import type { AccountId } from '../platform/ids.ts';
import { pacedAfter, type PacedThing } from './pacing.ts';
import type { PacingLimit, PacingScope } from './schedule.ts';

/** Limits of pace and of calls at a time, and what is in use of them. */
const SAVE = statement(
  'pacing_limit_save',
  `insert into pacing_limits (scope, id, account_id, calls_per_second, concurrent_calls)
   values ($1, $2, $3, $4, $5)
   on conflict (account_id, scope, id) do update
     set calls_per_second = excluded.calls_per_second,
         concurrent_calls = excluded.concurrent_calls, updated_at = now()`,
);

const REMOVE = statement(
  'pacing_limit_remove',
  'delete from pacing_limits where scope = $1 and id = $2 and account_id = $3',
);

/** Sets a limit; with neither a pace nor a cap it is taken away. Seen within two seconds. */
export async function savePacingLimit(db: Queryable, limit: PacingLimit): Promise<void> {
  const { scope, id, accountId, callsPerSecond, concurrentCalls } = limit;
  if (callsPerSecond === null && concurrentCalls === null) {
    await db.run(REMOVE, [scope, id, accountId]);
    return;
  }
  await db.run(SAVE, [scope, id, accountId, callsPerSecond, concurrentCalls]);
}

type LimitRow = {
  scope: PacingScope;
  id: string;
  account_id: AccountId;
  calls_per_second: number | null;
  concurrent_calls: number | null;
};

const COLUMNS = 'scope, id, account_id, calls_per_second, concurrent_calls';

const OF_ACCOUNTS = statement<LimitRow>(
  'pacing_limits_of_accounts',
  `select ${COLUMNS} from pacing_limits where account_id = any ($1::text[]) order by scope, id`,
);

export async function pacingLimits(
  db: Queryable,
  accountIds: readonly AccountId[],
): Promise<PacingLimit[]> {
  return (await db.run(OF_ACCOUNTS, [accountIds])).map(limitIn);
}

function limitIn(row: LimitRow): PacingLimit {
  return {
    accountId: row.account_id,
    scope: row.scope,
    id: row.id,
    callsPerSecond: row.calls_per_second,
    concurrentCalls: row.concurrent_calls,
  };
}

type LockedRow = LimitRow & { paced_for_ms: number; held: number };

const LOCK = statement<LockedRow>(
  'pacing_limits_lock',
  `select p.scope, p.id, p.account_id, calls_per_second, concurrent_calls,
          (extract(epoch from p.paced_until - clock_timestamp()) * 1000)::float8 as paced_for_ms,
          (select coalesce(sum(h.calls), 0) from pacing_holds h
            where h.account_id = p.account_id and h.scope = p.scope and h.id = p.id
              and h.until > clock_timestamp())::int as held
     from pacing_limits p
     join unnest($1::text[], $2::text[], $3::text[]) v (account_id, scope, id)
       on v.account_id = p.account_id and v.scope = p.scope and v.id = p.id
    order by p.account_id, p.scope, p.id for update of p`,
);

const LIVE = statement<{ account_id: string; scope: PacingScope; id: string; live: number }>(
  'pacing_live_calls',
  `with live as (
     select account_id, line_id, state -> 'plan' ->> 'endpointId' as endpoint_id,
            state -> 'plan' -> 'attribution' ->> 'campaignId' as campaign_id, count(*)::int as live
       from calls where phase = 'live' and account_id = any ($1::text[]) group by 1, 2, 3, 4)
   select account_id, scope, id, sum(live)::int as live
     from live cross join lateral (values ('account', account_id), ('line', line_id),
            ('endpoint', endpoint_id), ('campaign', campaign_id)) v (scope, id)
    where id is not null group by 1, 2, 3`,
);

/**
 * Locks these limits, so that gateways take from them one after the other, and tells what is in
 * use: live calls, and those for which somebody holds room.
 */
export async function lockPaced(
  tx: Tx,
  limits: ReadonlyArray<Pick<PacingLimit, 'scope' | 'id' | 'accountId' | 'concurrentCalls'>>,
): Promise<PacedThing[]> {
  const rows = await tx.run(LOCK, [
    limits.map(({ accountId }) => accountId),
    limits.map(({ scope }) => scope),
    limits.map(({ id }) => id),
  ]);
  const capped = rows.filter((row) => row.concurrent_calls !== null);
  const accounts = [...new Set(capped.map((row) => row.account_id))];
  // Counted behind the locks: what others took before is live by now, or held.
  const live = accounts.length === 0 ? [] : await tx.run(LIVE, [accounts]);
  const counts = new Map(live.map((row) => [keyOf(row), row.live]));
  return rows.map((row) => ({
    accountId: row.account_id,
    scope: row.scope,
    id: row.id,
    callsPerSecond: row.calls_per_second,
    concurrentCalls: row.concurrent_calls,
    pacedForMs: row.paced_for_ms,
    inUse: (counts.get(keyOf(row)) ?? 0) + row.held,
  }));
}

const keyOf = (row: { account_id: string; scope: string; id: string }): string =>
  `${row.account_id} ${row.scope} ${row.id}`;

const PACE = statement(
  'pacing_pace',
  `update pacing_limits p
      set paced_until = clock_timestamp() + make_interval(secs => v.paced_for_ms / 1000)
     from unnest($1::text[], $2::text[], $3::text[], $4::float8[])
            v (account_id, scope, id, paced_for_ms)
    where p.account_id = v.account_id and p.scope = v.scope and p.id = v.id`,
);

const HOLD = statement(
  'pacing_hold',
  `insert into pacing_holds (account_id, scope, id, holder, calls, until)
   select v.*, clock_timestamp() + make_interval(secs => $6)
     from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[]) v
   on conflict (account_id, scope, id, holder) do update
     set calls = pacing_holds.calls + excluded.calls, until = excluded.until`,
);

/** A claim that takes longer than this has lost its room; it takes a fraction of a second. */
const HOLD_SECONDS = 30;

export type Taken = { thing: PacedThing; calls: number };

/** Takes calls from limits that this transaction has locked. */
export async function takePaced(tx: Tx, holder: string, taken: readonly Taken[]): Promise<void> {
  const paced = taken.filter(({ thing }) => thing.callsPerSecond !== null);
  if (paced.length > 0) {
    await tx.run(PACE, [
      paced.map(({ thing }) => thing.accountId),
      paced.map(({ thing }) => thing.scope),
      paced.map(({ thing }) => thing.id),
      paced.map(({ thing, calls }) => pacedAfter(thing, calls)),
    ]);
  }
  const capped = taken.filter(({ thing }) => thing.concurrentCalls !== null);
  if (capped.length === 0) return;
  await tx.run(HOLD, [
    capped.map(({ thing }) => thing.accountId),
    capped.map(({ thing }) => thing.scope),
    capped.map(({ thing }) => thing.id),
    capped.map(() => holder),
    capped.map(({ calls }) => calls),
    HOLD_SECONDS,
  ]);
}

const RELEASE = statement('pacing_release', 'delete from pacing_holds where holder = $1');

/** The claim is over: its calls are live rows now, or never will be. */
export async function releaseHolds(db: Queryable, holder: string): Promise<void> {
  await db.run(RELEASE, [holder]);
}
