import type { Database } from '../database/database.ts';
import { repeat, type Clock, type TimerHandle } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import type { Bucket } from '../platform/ids.ts';
import type { Log } from '../platform/log.ts';
import {
  claimRows,
  dueBuckets,
  finishRows,
  leaseLane,
  postponeRow,
  releaseLane,
  type InboxRow,
  type LaneLease,
} from './inbox-store.ts';
import { laneKey, parseWebhook } from './webhook-parse.ts';
import type { WhatsAppFact } from './whatsapp.ts';

/**
 * Hands the facts of the inbox on, in order per person. One bucket has one consumer at a time
 * (a lease by the database's clock); a fact that must wait holds back only its own lane, and
 * that only for a few seconds: a person's STOP must never be stuck behind a call nobody knows.
 *
 *   pending ──handled──▶ done
 *      ├──'later' (call id not known yet)──▶ pending, up to 10 minutes ──▶ failed
 *      └──throws──▶ pending, up to 10 attempts ──▶ failed
 */
const POLL_MS = 250;
const LEASE_MS = 10_000;
const RENEW_MS = 3_000;
const ROWS_PER_CLAIM = 32;
const BUCKETS_AT_ONCE = 8;
const LANE_HOLD_MS = 5_000;
const LATER_MIN_MS = 100;
const LATER_MAX_MS = 5_000;
const LATER_PATIENCE_MS = 10 * 60_000;
const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 60_000;
const ATTEMPTS_MAX = 10;
const REASON_LENGTH_MAX = 500;

export type InboxWorker = {
  /** There may be something to do: a hint that saves the wait for the next poll. */
  wake(bucket?: Bucket): void;
  /** Resolves when nothing is being handled; for tests and a calm shutdown. */
  settled(): Promise<void>;
  /** Finishes what is in hand, gives the leases back and stops. */
  close(): Promise<void>;
};

export type InboxWorkerOptions = {
  database: Database;
  clock: Clock;
  log: Log;
  /**
   * Folds one fact; must be idempotent, for a crash or a neighbour in the same delivery brings it
   * again. 'later' when the call it speaks of is not known yet.
   */
  handle: (fact: WhatsAppFact, heard: { waitedMs: number }) => Promise<'done' | 'later'>;
  /** Unique for each running process: the owner of its leases. */
  node: string;
};

export function openInboxWorker(options: InboxWorkerOptions): InboxWorker {
  return new Worker(options);
}

class Worker implements InboxWorker {
  readonly #options: InboxWorkerOptions;
  readonly #running = new Map<Bucket, Promise<void>>();
  /** Buckets woken while they were busy, or while too many others were. */
  readonly #again = new Set<Bucket>();
  readonly #timers = new Set<TimerHandle>();
  readonly #stopPolling: () => Promise<void>;
  #stopped = false;
  #scanning: Promise<void> | undefined;

  constructor(options: InboxWorkerOptions) {
    this.#options = options;
    this.#stopPolling = repeat(options.clock, POLL_MS, () => this.#scan());
    this.wake();
  }

  wake(bucket?: Bucket): void {
    if (this.#stopped) return;
    if (bucket === undefined) void this.#scan();
    else this.#start(bucket);
  }

  async settled(): Promise<void> {
    while (this.#running.size > 0 || this.#scanning !== undefined) {
      await Promise.all([...this.#running.values(), this.#scanning]);
    }
  }

  async close(): Promise<void> {
    this.#stopped = true;
    this.#again.clear();
    for (const timer of this.#timers) timer.cancel();
    await this.#stopPolling();
    await this.settled();
  }

  #scan(): Promise<void> {
    this.#scanning ??= this.#startDue().finally(() => {
      this.#scanning = undefined;
    });
    return this.#scanning;
  }

  async #startDue(): Promise<void> {
    try {
      for (const bucket of await dueBuckets(this.#options.database)) this.#start(bucket);
    } catch (error) {
      this.#options.log.warn({ error: errorText(error) }, 'inbox not read; trying again');
    }
  }

  #start(bucket: Bucket): void {
    if (this.#stopped) return;
    if (this.#running.has(bucket) || this.#running.size >= BUCKETS_AT_ONCE) {
      this.#again.add(bucket);
      return;
    }
    this.#again.delete(bucket);
    const run = this.#consume(bucket).finally(() => {
      this.#running.delete(bucket);
      for (const next of this.#again) this.#start(next);
    });
    this.#running.set(bucket, run);
  }

  async #consume(bucket: Bucket): Promise<void> {
    const { database, clock, log, node } = this.#options;
    const lease = { bucket, owner: node };
    let stopRenewing: (() => Promise<void>) | undefined;
    try {
      if (!(await leaseLane(database, lease, LEASE_MS))) return;
      stopRenewing = repeat(clock, RENEW_MS, () => this.#renew(lease));
      let more = true;
      while (more && !this.#stopped) more = await this.#consumeSome(lease);
    } catch (error) {
      log.warn({ bucket, error: errorText(error) }, 'inbox interrupted; trying again');
    } finally {
      await stopRenewing?.();
      if (stopRenewing !== undefined) await this.#release(lease);
    }
  }

  /** One claim; false when nothing is left, or the lease went to somebody else. */
  async #consumeSome(lease: LaneLease): Promise<boolean> {
    const { database, clock } = this.#options;
    const rows = await claimRows(database, lease.bucket, ROWS_PER_CLAIM);
    const claimedAt = clock.monotonic();
    const heldLanes = new Set<number>();
    const done: number[] = [];
    let owned = true;
    for (const row of rows) {
      if (!owned || this.#stopped) break;
      if (heldLanes.has(row.lane)) continue;
      const outcome = await this.#handleRow(row, claimedAt).catch(thrownOutcome);
      if (outcome.kind === 'done') {
        done.push(row.id);
      } else {
        if (row.mayHoldLane) heldLanes.add(row.lane);
        owned = await this.#putOff(lease, row, outcome);
      }
    }
    owned = (await finishRows(database, lease, done, { state: 'done' })) && owned;
    return owned && rows.length === ROWS_PER_CLAIM;
  }

  async #handleRow(row: InboxRow, claimedAt: number): Promise<Outcome> {
    const heldLanes = new Set<string>();
    let outcome: Outcome = { kind: 'done' };
    for (const fact of parseWebhook(row.body, row.receivedAt)) {
      const lane = laneKey(fact);
      if (heldLanes.has(lane)) continue;
      // The wait before the claim by the database's clock, and since then by ours.
      const waitedMs = row.waitedMs + this.#options.clock.monotonic() - claimedAt;
      const result = await this.#handleFact(fact, { waitedMs });
      if (result.kind === 'done') continue;
      heldLanes.add(lane);
      // A thrown error counts attempts, so it outweighs a fact that merely came too early.
      if (outcome.kind !== 'thrown') outcome = result;
    }
    return outcome;
  }

  async #handleFact(fact: WhatsAppFact, heard: { waitedMs: number }): Promise<Outcome> {
    try {
      if ((await this.#options.handle(fact, heard)) === 'done') return { kind: 'done' };
      return { kind: 'later', reason: `${fact.kind} of an unknown call`, factKey: fact.key };
    } catch (error) {
      return { ...thrownOutcome(error), factKey: fact.key };
    }
  }

  /** Keeps the row for later or gives it up; false when the lease was lost. */
  async #putOff(lease: LaneLease, row: InboxRow, outcome: NotDone): Promise<boolean> {
    const { database, log } = this.#options;
    const reason = outcome.reason.slice(0, REASON_LENGTH_MAX);
    const thrown = outcome.kind === 'thrown';
    const hopeless = thrown ? row.attempts + 1 >= ATTEMPTS_MAX : row.putOffMs >= LATER_PATIENCE_MS;
    const facts = { bucket: lease.bucket, row: row.id, fact: outcome.factKey, reason };
    if (hopeless) {
      log.error({ ...facts, anomaly: 'whatsapp_fact_unhandled' }, 'webhook given up');
      return finishRows(database, lease, [row.id], { state: 'failed', reason });
    }
    if (thrown) log.warn(facts, 'webhook not handled; trying again');
    const ms = thrown
      ? Math.min(RETRY_FIRST_MS * 2 ** row.attempts, RETRY_MAX_MS)
      : Math.min(Math.max(row.putOffMs / 2, LATER_MIN_MS), LATER_MAX_MS);
    const delay = { ms, laneHoldMs: LANE_HOLD_MS, countAttempt: thrown, reason };
    const owned = await postponeRow(database, lease, row.id, delay);
    // Longer waits are seen by the next poll.
    if (ms < POLL_MS) this.#wakeIn(ms, lease.bucket);
    return owned;
  }

  #wakeIn(delayMs: number, bucket: Bucket): void {
    const timer = this.#options.clock.after(delayMs + 1, () => {
      this.#timers.delete(timer);
      this.wake(bucket);
    });
    this.#timers.add(timer);
  }

  async #renew(lease: LaneLease): Promise<void> {
    try {
      await leaseLane(this.#options.database, lease, LEASE_MS);
    } catch (error) {
      this.#options.log.warn({ error: errorText(error) }, 'inbox lease not renewed');
    }
  }

  async #release(lease: LaneLease): Promise<void> {
    // Left alone, the lease ends by itself.
    await releaseLane(this.#options.database, lease).catch(() => undefined);
  }
}

type NotDone = { kind: 'later' | 'thrown'; reason: string; factKey: string };
type Outcome = { kind: 'done' } | NotDone;

function thrownOutcome(error: unknown): NotDone {
  return { kind: 'thrown', reason: errorText(error), factKey: 'unread' };
}
