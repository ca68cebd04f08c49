import { hash } from 'node:crypto';
import type { Database } from '../database/database.ts';
import type { Clock } from '../platform/clock.ts';
import { errorText, Failure } from '../platform/failure.ts';
import type { Bucket } from '../platform/ids.ts';
import type { Log } from '../platform/log.ts';
import { insertArrivals, type InboxArrival } from './inbox-store.ts';
import { laneOf } from './intake-lane.ts';

/**
 * Takes webhook bodies in and makes them durable before Meta gets its 200. Concurrent requests
 * share a commit: while two statements are under way, whatever else arrives waits for the next
 * one, so the disk is asked twice per round trip however many requests come.
 */
const STATEMENTS_MAX = 2;
const ROWS_MAX = 256;
/** Keeps one statement from carrying 256 bodies of 3 MB. */
const STATEMENT_BYTES_MAX = 8 * 1024 * 1024;
const WAITING_MAX = 10_000;
const WAITING_BYTES_MAX = 128 * 1024 * 1024;

export type Intake = {
  /** Resolves when the body is committed. Throws `intake_full` or `intake_store_failed`. */
  accept(rawBody: Buffer): Promise<void>;
  /** Resolves when nothing is waiting any more. */
  close(): Promise<void>;
};

export type IntakeOptions = {
  database: Database;
  log: Log;
  clock: Clock;
  /** A hint for the worker, called after the commit with the buckets that got rows. */
  onStored: (buckets: readonly Bucket[]) => void;
};

type Waiting = InboxArrival & { resolve: () => void; reject: (reason: Failure) => void };

export function openIntake(options: IntakeOptions): Intake {
  const { database, log, clock, onStored } = options;
  let waiting: Waiting[] = [];
  let waitingBytes = 0;
  let underWay = 0;
  let closing: (() => void) | undefined;

  const take = (): Waiting[] => {
    let bytes = 0;
    let count = 0;
    for (const { body } of waiting) {
      if (count === ROWS_MAX || (count > 0 && bytes + body.length > STATEMENT_BYTES_MAX)) break;
      bytes += body.length;
      count += 1;
    }
    const batch = waiting.slice(0, count);
    waiting = waiting.slice(count);
    waitingBytes -= bytes;
    return batch;
  };

  const store = async (batch: readonly Waiting[]): Promise<void> => {
    const startedAt = clock.monotonic();
    try {
      await insertArrivals(database, batch);
      for (const { resolve } of batch) resolve();
      onStored([...new Set(batch.map(({ bucket }) => bucket))]);
    } catch (cause) {
      const tookMs = Math.round(clock.monotonic() - startedAt);
      log.error({ rows: batch.length, tookMs, error: errorText(cause) }, 'webhooks not stored');
      const failure = storeFailed(cause);
      for (const { reject } of batch) reject(failure);
    }
  };

  const flush = (): void => {
    while (underWay < STATEMENTS_MAX && waiting.length > 0) {
      underWay += 1;
      void store(take()).finally(() => {
        underWay -= 1;
        flush();
      });
    }
    if (underWay === 0) closing?.();
  };

  return {
    accept(rawBody) {
      const full =
        waiting.length >= WAITING_MAX || waitingBytes + rawBody.length > WAITING_BYTES_MAX;
      if (full || closing !== undefined) return Promise.reject(intakeFull());
      const arrival = arrivalOf(rawBody);
      return new Promise((resolve, reject) => {
        waiting.push({ ...arrival, resolve, reject });
        waitingBytes += rawBody.length;
        flush();
      });
    },
    close() {
      return new Promise((resolve) => {
        closing = resolve;
        flush();
      });
    },
  };
}

function arrivalOf(rawBody: Buffer): InboxArrival {
  return { ...laneOf(rawBody), body: rawBody, bodySha256: hash('sha256', rawBody, 'buffer') };
}

function intakeFull(): Failure {
  return new Failure({
    code: 'intake_full',
    message: 'More webhooks are waiting than can be stored.',
    fix: 'Meta sends them again; look at the database if this lasts.',
    verdict: 'retryable',
    side: 'server',
  });
}

function storeFailed(cause: unknown): Failure {
  return new Failure({
    code: 'intake_store_failed',
    message: `Webhooks could not be stored: ${errorText(cause)}`,
    fix: 'Meta sends them again; look at the database.',
    verdict: 'retryable',
    side: 'server',
    cause,
  });
}
