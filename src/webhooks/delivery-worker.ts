import type { Database } from '../database/database.ts';
import { repeat, type Clock } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import type { Log } from '../platform/log.ts';
import type { Random } from '../platform/random.ts';
import type { Sealer } from '../platform/sealing.ts';
import {
  CLAIM_MAX,
  claimDeliveries,
  dueWebhooks,
  isFailingSince,
  settleDelivery,
  type ClaimedDelivery,
} from './deliveries-store.ts';
import type { Egress } from './egress.ts';
import { sign } from './signing.ts';
import { disableWebhookEndpoint, secretsIn } from './webhook-endpoints-store.ts';
import { DISABLE_AFTER_MS, judgeAttempt, type AttemptResult } from './webhooks.ts';

/**
 * Brings events to their receivers: claims what is due, posts it, writes how it went. At least
 * once, under an id that never changes. A receiver that hangs takes a few slots of its own and
 * nobody else's. What a dead node had claimed becomes due again when its lease ends.
 */
export type DeliveryWorker = {
  /** Begins to look for work once a second. */
  start: () => void;
  /** A hint that something was announced: look now. */
  wake: () => void;
  /** Works until nothing is due and nothing is under way; for tests and the demo. */
  drain: () => Promise<void>;
  /** Takes nothing new and waits for what is under way, 15 s at most. */
  stop: () => Promise<void>;
};

export type DeliveryWorkerPorts = {
  database: Database;
  clock: Clock;
  random: Random;
  sealer: Sealer;
  egress: Pick<Egress, 'post'>;
  log: Log;
  /** Names this node in leases. */
  owner: string;
  concurrency?: number;
  /** For metrics: `delivered`, `retried` or `failed`. */
  observe?: (outcome: 'delivered' | 'retried' | 'failed') => void;
};

const POLL_MS = 1_000;
const CONCURRENCY = 64;
/**
 * An endpoint with this many tries under way is left out of claims, and a claim takes no more
 * than this many rows: so one endpoint never has twice as many, whatever waits for it.
 */
const PER_ENDPOINT = CLAIM_MAX;
const DISABLE_CHECK_EVERY_MS = 60_000;

export function makeDeliveryWorker(ports: DeliveryWorkerPorts): DeliveryWorker {
  const worker = new Deliveries(ports);
  return {
    start: () => worker.start(),
    wake: () => worker.wake(),
    drain: () => worker.drain(),
    stop: () => worker.stop(),
  };
}

class Deliveries {
  readonly #ports: DeliveryWorkerPorts;
  readonly #concurrency: number;
  readonly #underWay = new Set<Promise<void>>();
  readonly #load = new Map<string, number>();
  readonly #disableCheckedAt = new Map<string, number>();
  #pump: Promise<void> | undefined;
  #again = false;
  #stopping = false;
  #claimed = 0;
  #stopPolling: (() => Promise<void>) | undefined;

  constructor(ports: DeliveryWorkerPorts) {
    this.#ports = ports;
    this.#concurrency = Math.max(PER_ENDPOINT, ports.concurrency ?? CONCURRENCY);
  }

  start(): void {
    this.#stopPolling ??= repeat(this.#ports.clock, POLL_MS, async () => this.wake());
    this.wake();
  }

  wake(): void {
    if (this.#stopping) return;
    this.#again = true;
    this.#pump ??= this.#pumpAll()
      .catch((error: unknown) => {
        this.#ports.log.error({ error: errorText(error) }, 'looking for deliveries failed');
      })
      .finally(() => {
        this.#pump = undefined;
        if (this.#again) this.wake();
      });
  }

  async drain(): Promise<void> {
    for (;;) {
      const before = this.#claimed;
      this.wake();
      while (this.#pump !== undefined) await this.#pump;
      await Promise.all(this.#underWay);
      if (this.#claimed === before) return;
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#stopPolling?.();
    await this.#pump;
    await Promise.all(this.#underWay);
  }

  async #pumpAll(): Promise<void> {
    while (this.#again && !this.#stopping) {
      this.#again = false;
      let claimed = await this.#claimRound();
      while (claimed > 0 && !this.#stopping) claimed = await this.#claimRound();
    }
  }

  /** Visits each receiver that has something due once; returns how many deliveries it began. */
  async #claimRound(): Promise<number> {
    const { database, clock, owner } = this.#ports;
    let claimed = 0;
    for (const webhookId of await dueWebhooks(database, clock.now(), this.#busy())) {
      while (this.#underWay.size > this.#concurrency - PER_ENDPOINT) {
        await Promise.race(this.#underWay);
      }
      if (this.#stopping) break;
      const rows = await claimDeliveries(database, { webhookId, now: clock.now(), owner });
      for (const row of rows) this.#begin(row);
      claimed += rows.length;
    }
    this.#claimed += claimed;
    return claimed;
  }

  #busy(): string[] {
    return [...this.#load].filter(([, count]) => count >= PER_ENDPOINT).map(([id]) => id);
  }

  #begin(row: ClaimedDelivery): void {
    const id = row.webhook_id;
    this.#load.set(id, (this.#load.get(id) ?? 0) + 1);
    const task = this.#deliver(row)
      .catch((error: unknown) => {
        // The lease ends by itself and the delivery is tried again: late, but not lost.
        const facts = { error: errorText(error), deliveryId: row.id };
        this.#ports.log.error(facts, 'delivery was not settled');
      })
      .finally(() => {
        this.#underWay.delete(task);
        const before = this.#load.get(id) ?? 1;
        if (before === 1) this.#load.delete(id);
        else this.#load.set(id, before - 1);
        // It was left out of claims until now, so what waits for it must be looked for.
        if (before === PER_ENDPOINT) this.wake();
      });
    this.#underWay.add(task);
  }

  async #deliver(row: ClaimedDelivery): Promise<void> {
    const { database, clock, random, owner, observe } = this.#ports;
    const lease = { bucket: row.bucket, id: row.id, owner };
    const nothing = { nextAttemptAt: null, lastStatus: null, deliveredAt: null };
    if (row.payload === null || row.url === null) {
      const lastError = row.url === null ? 'endpoint_deleted' : 'contact_erased';
      const gone = { ...nothing, status: 'failed', lastError } as const;
      await settleDelivery(database, lease, gone);
      return;
    }
    if (row.enabled !== true) {
      const held = { ...nothing, status: 'held', lastError: 'endpoint_disabled' } as const;
      await settleDelivery(database, lease, held);
      return;
    }
    const result = await this.#attempt(row.event_id, row.url, row.payload, row.secret);
    const now = clock.now();
    const verdict = judgeAttempt(row.attempts, result, now, random);
    const settled = await settleDelivery(database, lease, {
      status: verdict.status,
      nextAttemptAt: verdict.status === 'pending' ? verdict.nextAttemptAt : null,
      lastStatus: result.status,
      lastError: result.error,
      deliveredAt: verdict.status === 'delivered' ? now : null,
    });
    if (!settled) return;
    observe?.(verdict.status === 'pending' ? 'retried' : verdict.status);
    if (verdict.status === 'failed') await this.#considerDisabling(row, verdict.disable, now);
  }

  async #attempt(
    id: string,
    url: string,
    payload: Record<string, unknown>,
    sealed: Buffer | null,
  ): Promise<AttemptResult> {
    const { sealer, clock, egress } = this.#ports;
    try {
      const secrets = secretsIn(sealed === null ? '' : sealer.open(sealed), clock.now());
      return await postEvent(egress, { id, at: clock.now(), url, secrets, payload });
    } catch (error) {
      // A secret that cannot be opened is our fault; the event waits for it like for a receiver.
      return { status: null, error: errorText(error).slice(0, 120), retryAfter: null };
    }
  }

  async #considerDisabling(row: ClaimedDelivery, gone: boolean, now: number): Promise<void> {
    const { database, log } = this.#ports;
    const id = row.webhook_id;
    if (!gone) {
      if (now - (this.#disableCheckedAt.get(id) ?? 0) < DISABLE_CHECK_EVERY_MS) return;
      this.#disableCheckedAt.set(id, now);
      if (!(await isFailingSince(database, id, now - DISABLE_AFTER_MS))) return;
    }
    const reason = gone
      ? 'The receiver answered 410 Gone.'
      : 'The receiver took nothing for 5 days.';
    await database.transaction((tx) => disableWebhookEndpoint(tx, id, reason));
    log.warn({ webhookEndpointId: id, reason }, 'webhook endpoint disabled');
  }
}

/** One signed POST of one event. The body is the same, byte for byte, at every try. */
export function postEvent(
  egress: Pick<Egress, 'post'>,
  event: {
    id: string;
    /** When this try is made; receivers refuse old timestamps, so each try is signed anew. */
    at: number;
    url: string;
    secrets: readonly string[];
    payload: Record<string, unknown>;
  },
): Promise<AttemptResult> {
  const body = JSON.stringify(event.payload);
  const headers = { ...sign(event.secrets, { ...event, body }), 'user-agent': 'Askfirst' };
  return egress.post(event.url, headers, body);
}
