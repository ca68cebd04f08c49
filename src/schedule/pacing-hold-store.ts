import { statement, type Queryable, type Tx } from '../database/database.ts';
import type { AccountId } from '../platform/ids.ts';
import { pacedAfter, paceKey, strictest, type PacedThing } from './pacing.ts';
import type { PacedId, PacingScope } from './schedule.ts';

/** What is in use of limits: how far their pace has run, and what claims under way hold of them. */
type PaceRow = {
  account_id: AccountId;
  scope: PacingScope;
  id: string;
  calls_per_second: number | null;
  concurrent_calls: number | null;
  paced_for_ms: number;
  held: number;
};

const USED = `p.account_id, p.scope, p.id, p.calls_per_second, p.concurrent_calls,
  (extract(epoch from p.paced_until - clock_timestamp()) * 1000)::float8 as paced_for_ms,
  (select coalesce(sum(h.calls), 0) from pacing_holds h
    where h.account_id = p.account_id and h.scope = p.scope and h.id = p.id
      and h.until > clock_timestamp())::int as held`;

const NAMED = `unnest($1::text[], $2::text[], $3::text[]) v (account_id, scope, id)
       on v.account_id = p.account_id and v.scope = p.scope and v.id = p.id`;

// In one order, so that two claims never wait for each other.
const LOCK = statement<{ id: string }>(
  'pacing_lock',
  `select p.id from pacing_limits p join ${NAMED}
    order by p.account_id, p.scope, p.id, p.set_by for update of p`,
);

const READ = statement<PaceRow>('pacing_used', `select ${USED} from pacing_limits p join ${NAMED}`);

// The lines of an account lead to its live calls by their index, however much else it ever had.
const LIVE = statement<{ account_id: string; scope: PacingScope; id: string; live: number }>(
  'pacing_live_calls',
  `with live as (
     select l.account_id, c.line_id, c.state -> 'plan' ->> 'endpointId' as endpoint_id,
            c.state -> 'plan' -> 'attribution' ->> 'campaignId' as campaign_id,
            count(*)::int as live
       from lines l join calls c on c.line_id = l.id and c.phase = 'live'
      where l.account_id = any ($1::text[]) group by 1, 2, 3, 4)
   select account_id, scope, v.id, sum(live)::int as live
     from live cross join lateral (values ('account', account_id), ('line', line_id),
            ('endpoint', endpoint_id), ('campaign', campaign_id)) v (scope, id)
    where v.id is not null group by 1, 2, 3`,
);

type Named = PacedId & { accountId: AccountId };

/**
 * Locks these limits, so that gateways take from them one after the other, and tells what is in
 * use: live calls, and those for which somebody holds room.
 */
export async function lockPaced(tx: Tx, limits: readonly Named[]): Promise<PacedThing[]> {
  await tx.run(LOCK, valuesOf(limits));
  // Read by statements of their own, behind the locks: what others took before is seen by now.
  return readPaced(tx, limits);
}

/** The same without locks: only good for telling somebody. */
export async function readPaced(db: Queryable, limits: readonly Named[]): Promise<PacedThing[]> {
  const rows = await db.run(READ, valuesOf(limits));
  const capped = rows.filter((row) => row.concurrent_calls !== null);
  const accounts = [...new Set(capped.map((row) => row.account_id))];
  const live = accounts.length === 0 ? [] : await db.run(LIVE, [accounts]);
  const counts = new Map(
    live.map((row) => [paceKey({ ...row, accountId: row.account_id }), row.live]),
  );
  const things = new Map<string, PacedThing>();
  for (const row of rows) {
    const thing = thingIn(row, counts);
    const known = things.get(paceKey(thing));
    things.set(paceKey(thing), known === undefined ? thing : merged(known, thing));
  }
  return [...things.values()];
}

function thingIn(row: PaceRow, counts: ReadonlyMap<string, number>): PacedThing {
  const named = { accountId: row.account_id, scope: row.scope, id: row.id };
  return {
    ...named,
    callsPerSecond: row.calls_per_second,
    concurrentCalls: row.concurrent_calls,
    pacedForMs: row.paced_for_ms,
    inUse: (counts.get(paceKey(named)) ?? 0) + row.held,
  };
}

/** What the operator set, and what a brake set for the same. */
function merged(a: PacedThing, b: PacedThing): PacedThing {
  return { ...strictest(a, b), pacedForMs: Math.max(a.pacedForMs, b.pacedForMs) };
}

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
  `insert into pacing_holds (account_id, scope, id, calls, holder, until)
   select v.*, $5, clock_timestamp() + make_interval(secs => $6)
     from unnest($1::text[], $2::text[], $3::text[], $4::int[]) v`,
);

/** A claim that takes longer than this has lost its room; it takes a fraction of a second. */
export const HOLD_SECONDS = 20;

export type Taken = { thing: PacedThing; calls: number };

/** Takes calls from limits that this transaction has locked. */
export async function takePaced(tx: Tx, holder: string, taken: readonly Taken[]): Promise<void> {
  const things = taken.map(({ thing }) => thing);
  await tx.run(HOLD, [...valuesOf(things), taken.map(({ calls }) => calls), holder, HOLD_SECONDS]);
  const paced = taken.filter(({ thing }) => thing.callsPerSecond !== null);
  if (paced.length === 0) return;
  await tx.run(PACE, [
    ...valuesOf(paced.map(({ thing }) => thing)),
    paced.map(({ thing, calls }) => pacedAfter(thing, calls)),
  ]);
}

const HOLDS = statement<{ holder: string }>(
  'pacing_holds_of',
  'select holder from pacing_holds where holder = $1 and until > clock_timestamp() limit 1',
);

/** False where a claim froze for so long that what it had taken was given to others. */
export async function holdsStill(tx: Tx, holder: string): Promise<boolean> {
  return (await tx.first(HOLDS, [holder])) !== undefined;
}

// The locks of all rows are taken first and in one order; see LOCK.
const PAY_BACK = statement(
  'pacing_pay_back',
  `with mine as (
     select p.account_id, p.scope, p.id, p.set_by, v.calls
       from pacing_limits p
       join unnest($1::text[], $2::text[], $3::text[], $4::int[]) v (account_id, scope, id, calls)
         on v.account_id = p.account_id and v.scope = p.scope and v.id = p.id
      where p.calls_per_second is not null
      order by p.account_id, p.scope, p.id, p.set_by for update of p)
   update pacing_limits p
      set paced_until = p.paced_until - make_interval(secs => mine.calls / p.calls_per_second)
     from mine
    where p.account_id = mine.account_id and p.scope = mine.scope and p.id = mine.id
      and p.set_by = mine.set_by`,
);

const RELEASE = statement('pacing_release', 'delete from pacing_holds where holder = $1');

const FORGET = statement(
  'pacing_holds_forget',
  "delete from pacing_holds where until < clock_timestamp() - interval '1 minute'",
);

/** The claim is over: its calls are live rows now, and pace that no call used is given back. */
export async function releaseHolds(
  db: Queryable,
  holder: string,
  unused: readonly Taken[],
): Promise<void> {
  if (unused.length > 0) {
    const things = unused.map(({ thing }) => thing);
    await db.run(PAY_BACK, [...valuesOf(things), unused.map(({ calls }) => calls)]);
  }
  await db.run(RELEASE, [holder]);
}

/** Forgets what gateways that died have left. */
export async function forgetOldHolds(db: Queryable): Promise<void> {
  await db.run(FORGET);
}

function valuesOf(limits: readonly Named[]): string[][] {
  return [
    limits.map(({ accountId }) => accountId),
    limits.map(({ scope }) => scope),
    limits.map(({ id }) => id),
  ];
}
