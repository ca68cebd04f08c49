import { Logger, makeWorkerUtils, run, type Runner } from 'graphile-worker';
import { Client } from 'pg';

/**
 * The references of bench/schedule.ts: graphile-worker on the same PostgreSQL. One job stands for
 * one call. Of one kind the handler does nothing at all: it takes a job and completes it. Of the
 * other it changes the rows that a dial changes, in one statement of plain SQL. There is no order
 * among tenants, no limit, no gate, nothing sealed and nothing chained in either.
 */
export type JobQueue = {
  /** Adds jobs far in the future, as a queue has them that is in use. */
  fill(count: number, runAt: number): Promise<void>;
  /** Adds jobs of ten tenants in turns, the n-th one due at `from + n * spacingMs`. */
  makeDue(count: number, from: number, spacingMs: number): Promise<void>;
  /** Adds a job that changes the rows of a dial for each call that falls due in that time. */
  addDials(from: number, until: number): Promise<void>;
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

const ADD_DIALS = `
  select count(*) from graphile_worker.add_jobs(array(
    select json_populate_record(null::graphile_worker.job_spec, json_build_object(
      'identifier', 'dial', 'run_at', c.due_at, 'payload', json_build_object(
        'owner', a.place - 1, 'dueAt', floor(extract(epoch from c.due_at) * 1000),
        'bucket', c.bucket, 'callId', c.id, 'contactId', c.contact_id)))
      from calls c
      join unnest($3::text[]) with ordinality a (id, place) on a.id = c.account_id
     where c.phase = 'queued' and c.due_at >= to_timestamp($1::bigint / 1000.0)
       and c.due_at < to_timestamp($2::bigint / 1000.0)))`;

/** What a dial leaves behind: call, person, consent, permission, two entries, an event told. */
const DIAL = `
  with taken as (
     update calls set status = 'dialing', lease_owner = 'jobs',
            lease_until = now() + interval '1 hour'
      where bucket = $1 and id = $2 and phase = 'queued' returning id, account_id),
   person as (
     update contacts set ledger_sequence = ledger_sequence + 2 where bucket = $1 and id = $3),
   consent as (
     update consents set status = 'used', wakes_at = null, updated_at = now()
      where bucket = $1 and contact_id = $3
     returning state -> 'permission' ->> 'permissionId' as id),
   permission as (
     update permissions set status = 'used'
      where bucket = $1 and id = (select id from consent limit 1)),
   entries as (
     insert into ledger (bucket, contact_id, sequence, id, account_id, type, actor, at, data,
       previous_hash, hash)
     select $1, $3, n, 'bare_' || n || taken.id, account_id, type, 'platform', now(), '{}', '', ''
       from taken cross join (values (1, 'PermissionUsed'), (2, 'CallDialing')) v (n, type)),
   pending as (
     insert into ledger_pending (bucket, contact_id, account_id)
     select $1, $3, account_id from taken),
   event as (
     insert into events (bucket, id, account_id, contact_id, call_id, type, sequence, payload, at)
     select $1, 'bare_' || taken.id, account_id, $3, taken.id, 'permission.used', 0, '{}', now()
       from taken returning id, account_id)
  insert into deliveries (bucket, id, event_id, account_id, webhook_id, status, next_attempt_at)
  select $1, 'bare_' || event.id, event.id, account_id, w.id, 'pending', now()
    from event join webhook_endpoints w using (account_id)`;

type Payload = { owner: number; dueAt: number };
type DialPayload = Payload & { bucket: number; callId: string; contactId: string };

const logger = new Logger(() => () => {});

/** `accounts` are the tenants, in the order in which `watch` counts them. */
export async function openJobQueue(
  connectionString: string,
  accounts: readonly string[],
): Promise<JobQueue> {
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
    async addDials(from, until) {
      await client.query(ADD_DIALS, [from, until, accounts]);
    },
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
          dial: async (payload, { withPgClient }) => {
            const { owner, dueAt, bucket, callId, contactId } = payload as DialPayload;
            const values = [bucket, callId, contactId];
            const query = { name: 'bench_jobs_dial', text: DIAL, values };
            const { rowCount } = await withPgClient((pg) => pg.query(query));
            if (rowCount !== 1) throw new Error(`call ${callId} was not dialled`);
            taken(owner, dueAt);
          },
        },
      });
      return { stop: () => runner.stop() };
    },
    close: () => client.end(),
  };
}
