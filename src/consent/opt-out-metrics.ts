import { Counter, Gauge, Histogram, type Metric } from 'prom-client';
import type { Database } from '../database/database.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { oldestWaitMs } from '../whatsapp/inbox-store.ts';
import { OPT_OUT_LATE_MS } from './opt-out-commands.ts';

/**
 * How long a stop takes, from the moment that we were told to the commit that blocks every dial.
 * The promise is one minute, so one that takes longer is an alarm; and because a stop that nobody
 * has read yet is in no histogram, the age of the oldest unread webhook is a figure of its own.
 */
export type OptOutLatency = {
  /** Call what it returns when the stop is in force. `waitedMs` had passed before. */
  start(waitedMs: number): () => void;
  metrics: readonly Metric[];
};

export function makeOptOutLatency(ports: {
  clock: Clock;
  log: Log;
  database: Database;
}): OptOutLatency {
  const { clock, log, database } = ports;
  // The registry of the process takes them in, so that two servers in one process stay apart.
  const registers: [] = [];
  const seconds = new Histogram({
    name: 'askfirst_opt_out_latency_seconds',
    help: 'Time from being told to stop until no dial can pass any more.',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 15, 60, 300],
    registers,
  });
  const late = new Counter({
    name: 'askfirst_opt_outs_late_total',
    help: 'Stops that took effect more than 60 seconds after they came in.',
    registers,
  });
  const unread = new Gauge({
    name: 'askfirst_inbox_oldest_seconds',
    help: 'Age of the oldest webhook that nobody has read; a stop may be in it.',
    registers,
    async collect() {
      // A database that is away shows elsewhere; the other metrics must not go with it.
      this.set(
        await oldestWaitMs(database).then(
          (ms) => ms / 1000,
          () => Number.NaN,
        ),
      );
    },
  });
  return {
    start(waitedMs) {
      const startedAt = clock.monotonic();
      return () => {
        const ms = waitedMs + clock.monotonic() - startedAt;
        seconds.observe(ms / 1000);
        if (ms <= OPT_OUT_LATE_MS) return;
        late.inc();
        log.error({ ms: Math.round(ms), anomaly: 'opt_out_late' }, 'a stop took over a minute');
      };
    },
    metrics: [seconds, late, unread],
  };
}
