import { statement, type Queryable } from '../database/database.ts';
import type { Bucket } from '../platform/ids.ts';

/** The SQL of the inbox: whatsapp_inbox and whatsapp_inbox_lanes. */
export type InboxArrival = {
  bucket: Bucket;
  /** 48 bits of a hash of the person and the line. */
  lane: number;
  body: Buffer;
  bodySha256: Buffer;
};

export type InboxRow = {
  id: number;
  lane: number;
  body: Buffer;
  attempts: number;
  /** Since when a fact of this row is put off, in ms; 0 when none was. */
  putOffMs: number;
  /** False once it has held its lane as long as it may: later rows go on whatever it does. */
  mayHoldLane: boolean;
  receivedAt: number;
  /** From its arrival to this claim, in ms of the database's clock. */
  waitedMs: number;
};

export type LaneLease = { bucket: Bucket; owner: string };

/**
 * Bodies travel as one binary parameter, cut up by their lengths: an array of bytea would go as
 * text in hex, twice the size, and cost more than the insert itself.
 */
const INSERT = statement(
  'inbox_insert',
  `insert into whatsapp_inbox (bucket, lane, body, body_sha256)
   select bucket, lane, substr($5::bytea, start, length),
     substr($6::bytea, number::integer * 32 - 31, 32)
   from unnest($1::smallint[], $2::bigint[], $3::integer[], $4::integer[])
     with ordinality as arrival (bucket, lane, start, length, number)
   on conflict (bucket, body_sha256) do nothing`,
);

const DUE_BUCKETS = statement<{ bucket: number }>(
  'inbox_due_buckets',
  `select l.bucket from whatsapp_inbox_lanes l
   where l.lease_until < now() and exists (
     select 1 from whatsapp_inbox i
     where i.bucket = l.bucket and i.state = 'pending' and i.next_attempt_at <= now())`,
);

const LEASE = statement<{ bucket: number }>(
  'inbox_lease',
  `update whatsapp_inbox_lanes
   set lease_owner = $2, lease_until = now() + $3::double precision * interval '1 ms'
   where bucket = $1 and (lease_until < now() or lease_owner = $2)
   returning bucket`,
);

const RELEASE = statement(
  'inbox_release',
  `update whatsapp_inbox_lanes set lease_until = '-infinity'
   where bucket = $1 and lease_owner = $2`,
);

/** A row waits while an earlier row of its lane is put off and still holds the lane. */
const CLAIM = statement<{
  id: number;
  lane: number;
  body: Buffer;
  attempts: number;
  put_off_ms: number;
  may_hold_lane: boolean;
  received_at: number;
  waited_ms: number;
}>(
  'inbox_claim',
  `select r.id, r.lane, r.body, r.attempts, r.received_at,
     (extract(epoch from clock_timestamp() - r.received_at) * 1000)::double precision as waited_ms,
     coalesce(extract(epoch from now() - r.put_off_since) * 1000, 0)::double precision
       as put_off_ms,
     (r.lane_held_until = '-infinity' or r.lane_held_until > now()) as may_hold_lane
   from whatsapp_inbox r
   where r.bucket = $1 and r.state = 'pending' and r.next_attempt_at <= now()
     and not exists (
       select 1 from whatsapp_inbox e
       where e.bucket = r.bucket and e.lane = r.lane and e.state = 'pending' and e.id < r.id
         and e.lane_held_until > '-infinity'
         and e.lane_held_until > now() and e.next_attempt_at > now())
   order by r.id
   limit $2`,
);

const FINISH = statement<{ id: number }>(
  'inbox_finish',
  `update whatsapp_inbox set state = $4, finished_at = now(), last_error = $5
   where bucket = $1 and id = any ($2::bigint[]) and state = 'pending' and exists (
     select 1 from whatsapp_inbox_lanes where bucket = $1 and lease_owner = $3)
   returning id`,
);

const POSTPONE = statement<{ id: number }>(
  'inbox_postpone',
  `update whatsapp_inbox set
     attempts = attempts + $4::integer,
     put_off_since = case when $4 = 0 then coalesce(put_off_since, now()) else put_off_since end,
     lane_held_until = case when lane_held_until = '-infinity'
       then now() + $6::double precision * interval '1 ms' else lane_held_until end,
     next_attempt_at = now() + $5::double precision * interval '1 ms',
     last_error = $7
   where bucket = $1 and id = $2 and state = 'pending' and exists (
     select 1 from whatsapp_inbox_lanes where bucket = $1 and lease_owner = $3)
   returning id`,
);

const OLDEST = statement<{ waited_ms: number | null }>(
  'inbox_oldest',
  `select (extract(epoch from now() - min(received_at)) * 1000)::double precision as waited_ms
     from whatsapp_inbox where state = 'pending' and put_off_since is null`,
);

/**
 * How long the oldest delivery has waited to be handled, in ms; 0 when none waits. What was put
 * off for a call that nobody knows yet does not count: it waits by design.
 */
export async function oldestWaitMs(target: Queryable): Promise<number> {
  return (await target.first(OLDEST))?.waited_ms ?? 0;
}

const PURGE = statement<{ count: number }>(
  'inbox_purge',
  `with gone as (
     delete from whatsapp_inbox where (bucket, body_sha256) in (
       select bucket, body_sha256 from whatsapp_inbox
       where state <> 'pending' and finished_at < now() - $1::double precision * interval '1 ms'
       order by finished_at limit $2)
     returning 1)
   select count(*) as count from gone`,
);

const PURGE_ROWS_MAX = 5000;

/** Stores arrivals in one statement; those already there are passed over. */
export async function insertArrivals(
  target: Queryable,
  arrivals: readonly InboxArrival[],
): Promise<void> {
  // Two statements that insert the same keys in different orders would deadlock. Six bytes of
  // the hash decide the order; comparing whole buffers costs as much as hashing them.
  const sorted = arrivals
    .map((arrival) => ({ ...arrival, order: arrival.bodySha256.readUIntBE(0, 6) }))
    .sort((a, b) => a.order - b.order);
  const starts: number[] = [];
  let start = 1;
  for (const { body } of sorted) {
    starts.push(start);
    start += body.length;
  }
  await target.run(INSERT, [
    arrayText(sorted.map(({ bucket }) => bucket)),
    arrayText(sorted.map(({ lane }) => lane)),
    arrayText(starts),
    arrayText(sorted.map(({ body }) => body.length)),
    Buffer.concat(sorted.map(({ body }) => body)),
    Buffer.concat(sorted.map(({ bodySha256 }) => bodySha256)),
  ]);
}

/** PostgreSQL's own form of an array of numbers; the driver would quote and escape each one. */
function arrayText(numbers: readonly number[]): string {
  return `{${numbers.join(',')}}`;
}

/** Buckets with rows to handle that nobody holds; read without locks. */
export async function dueBuckets(target: Queryable): Promise<Bucket[]> {
  return (await target.run(DUE_BUCKETS)).map((row) => row.bucket);
}

/** Takes or prolongs the lease of a bucket; false when somebody else holds it. */
export async function leaseLane(
  target: Queryable,
  lease: LaneLease,
  forMs: number,
): Promise<boolean> {
  return (await target.first(LEASE, [lease.bucket, lease.owner, forMs])) !== undefined;
}

export async function releaseLane(target: Queryable, lease: LaneLease): Promise<void> {
  await target.run(RELEASE, [lease.bucket, lease.owner]);
}

/** The next rows of a bucket that may be handled now, oldest first. */
export async function claimRows(
  target: Queryable,
  bucket: Bucket,
  limit: number,
): Promise<InboxRow[]> {
  const rows = await target.run(CLAIM, [bucket, limit]);
  return rows.map(({ put_off_ms, may_hold_lane, received_at, waited_ms, ...row }) => ({
    ...row,
    waitedMs: Math.max(0, waited_ms),
    putOffMs: put_off_ms,
    mayHoldLane: may_hold_lane,
    receivedAt: received_at,
  }));
}

/** Ends rows; false when the lease was lost and somebody else decides now. */
export async function finishRows(
  target: Queryable,
  lease: LaneLease,
  ids: readonly number[],
  result: { state: 'done' } | { state: 'failed'; reason: string },
): Promise<boolean> {
  if (ids.length === 0) return true;
  const reason = result.state === 'failed' ? result.reason : null;
  const values = [lease.bucket, ids, lease.owner, result.state, reason];
  return (await target.run(FINISH, values)).length === ids.length;
}

/** Puts a row off; false when the lease was lost. */
export async function postponeRow(
  target: Queryable,
  lease: LaneLease,
  id: number,
  delay: { ms: number; laneHoldMs: number; countAttempt: boolean; reason: string },
): Promise<boolean> {
  const row = await target.first(POSTPONE, [
    lease.bucket,
    id,
    lease.owner,
    delay.countAttempt ? 1 : 0,
    delay.ms,
    delay.laneHoldMs,
    delay.reason,
  ]);
  return row !== undefined;
}

/**
 * Deletes deliveries that were handled so long ago; returns how many went. Meta sends a delivery
 * again for up to seven days, but its facts are remembered longer than that.
 */
export async function purgeInbox(target: Queryable, keptMs: number): Promise<number> {
  let total = 0;
  for (;;) {
    const row = await target.first(PURGE, [keptMs, PURGE_ROWS_MAX]);
    const count = row?.count ?? 0;
    total += count;
    if (count < PURGE_ROWS_MAX) return total;
  }
}

const SWEEP = statement<{ finished_at: string; id: number }>(
  'inbox_sweep',
  `with page as (
     select bucket, body_sha256, id, finished_at, body from whatsapp_inbox
      where state <> 'pending'
        and (finished_at, id) > (coalesce($1::timestamptz, '-infinity'), $2::bigint)
      order by finished_at, id limit $3),
   gone as (
     delete from whatsapp_inbox i using page p
      where i.bucket = p.bucket and i.body_sha256 = p.body_sha256
        and exists (select from unnest($4::bytea[]) n where position(n in p.body) > 0))
   select finished_at::text as finished_at, id from page
    order by finished_at desc, id desc limit 1`,
);

const WAITS = statement<{ waits: boolean }>(
  'inbox_sweep_waits',
  `select exists (select from whatsapp_inbox where state = 'pending'
      and exists (select from unnest($1::bytea[]) n where position(n in body) > 0)) as waits`,
);

/**
 * Deletes handled deliveries that hold one of the texts; false while one such delivery still waits
 * to be handled.
 */
export async function sweepInbox(db: Queryable, texts: readonly string[]): Promise<boolean> {
  const needles = texts.map((text) => Buffer.from(text));
  // Asked first: what is handled while the pages are read would stand behind them.
  if ((await db.first(WAITS, [needles]))?.waits !== false) return false;
  let after: [string | null, number] = [null, 0];
  for (;;) {
    const last = await db.first(SWEEP, [...after, PURGE_ROWS_MAX, needles]);
    if (last === undefined) return true;
    after = [last.finished_at, last.id];
  }
}
