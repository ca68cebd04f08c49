import { Logger, makeWorkerUtils, run, type Runner } from 'graphile-worker';
import { Client } from 'pg';

/**
 * The reference of bench/schedule.ts: graphile-worker on the same PostgreSQL. One job stands for
 * one call, and its handler does nothing at all: it takes a job and completes it. There is no order
 * among tenants, no limit, no lock on a person, no gate and no evidence.
 */
export type JobQueue = {
  /** Adds jobs far in the future, as a queue has them that is in use. */
  fill(count: number, runAt: number): Promise<void>;
  /** Adds jobs of ten tenants in turns, the n-th one due at `from + n * spacingMs`. */
  makeDue(count: number, from: number, spacingMs: number): Promise<void>;
  /** Runs what is due until it is stopped, and tells whose it was and when it was due. */
  watch(taken: (owner: number, dueAt: number) => void): Promise<{ stop(): Promise<void> }>;
  close(): Promise<void>;
};

/** How many it runs at once; the connection pool it makes is as wide. */
const CONCURRENCY = 16;
/** It polls for what falls due; ten times as often as it does unless told, or it would be later. */
const POLL_MS = 200;
const CHUNK = 20_000;

const ADD = `
  select count(*) from graphile_worker.add_jobs(array(
    select json_populate_record(null::graphile_worker.job_spec, json_build_object(
      'identifier', 'call', 'run_at', to_timestamp((($1::bigint) + floor(n * $2::float8)) / 1000.0),
      'payload', json_build_object('owner', n % 10, 'dueAt', $1::bigint + floor(n * $2::float8))))
      from generate_series($3::bigint, $4::bigint - 1) n))`;

type Payload = { owner: number; dueAt: number };

const logger = new Logger(() => () => {});

export async function openJobQueue(connectionString: string): Promise<JobQueue> {
  const utils = await makeWorkerUtils({ connectionString, logger });
  await utils.migrate();
  await utils.release();
  const client = new Client({ connectionString });
  await client.connect();
  const add = async (count: number, from: number, spacingMs: number): Promise<void> => {
    for (let first = 0; first < count; first += CHUNK) {
      await client.query(ADD, [from, spacingMs, first, Math.min(count, first + CHUNK)]);
    }
  };
  return {
    async fill(count, runAt) {
      await client.query('set synchronous_commit = off');
      await add(count, runAt, 0);
      await client.query('set synchronous_commit = on');
      await client.query('vacuum analyze');
    },
    makeDue: add,
    async watch(taken) {
      const runner: Runner = await run({
        connectionString,
        logger,
        concurrency: CONCURRENCY,
        pollInterval: POLL_MS,
        maxPoolSize: CONCURRENCY + 4,
        noHandleSignals: true,
        crontab: '',
        taskList: {
          call: (payload) => {
            const { owner, dueAt } = payload as Payload;
            taken(owner, dueAt);
          },
        },
      });
      return { stop: () => runner.stop() };
    },
    close: () => client.end(),
  };
}
