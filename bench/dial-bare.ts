import { at, statement, type Database } from '../src/database/database.ts';
import { delay, type Clock } from '../src/platform/clock.ts';

/** The least that could take due calls from a queue: claim, one insert, commit. */
export type BareDialer = {
  /** Takes everything that is due, four claims side by side; returns how many. */
  drain(): Promise<number>;
  /** Takes calls as they fall due, and tells when each was due. */
  watch(taken: (dueAt: number) => void): { failed: Promise<void>; stop(): Promise<void> };
};

type ClaimedRow = { bucket: number; id: string; contact_id: string; due_at: number };

const CLAIM = statement<ClaimedRow>(
  'bench_dial_claim',
  `update calls c set status = 'dialing', lease_owner = 'bare',
          lease_until = now() + interval '1 hour'
     from (select bucket, id from calls
            where lane = (select min(lane) from calls where phase = 'queued') and rank = 4
              and phase = 'queued' and due_at <= $1
            order by due_at, id limit $2 for update skip locked) v
    where c.bucket = v.bucket and c.id = v.id
   returning c.bucket, c.id, c.contact_id, c.due_at`,
);

const RECORD = statement(
  'bench_dial_record',
  `insert into ledger (bucket, contact_id, sequence, id, account_id, type, actor, at, data,
     previous_hash, hash)
   select v.bucket, v.contact_id, 1, v.id, '', 'CallDialing', 'platform', now(), '{}', '', ''
     from unnest($1::smallint[], $2::text[], $3::text[]) v (bucket, contact_id, id)`,
);

const BATCH = 64;
const SIDE_BY_SIDE = 4;
const IDLE_MS = 1;

export function openBareDialer(database: Database, clock: Clock): BareDialer {
  const claim = (limit: number): Promise<ClaimedRow[]> =>
    database.transaction(async (tx) => {
      const rows = await tx.run(CLAIM, [at(clock.now()), limit]);
      if (rows.length === 0) return rows;
      await tx.run(RECORD, [
        rows.map((row) => row.bucket),
        rows.map((row) => row.contact_id),
        rows.map((row) => row.id),
      ]);
      return rows;
    });
  return {
    async drain() {
      let count = 0;
      const work = async (): Promise<void> => {
        let taken = BATCH;
        while (taken === BATCH) {
          taken = (await claim(BATCH)).length;
          count += taken;
        }
      };
      await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work));
      return count;
    },
    watch(taken) {
      let stopped = false;
      const isWatching = (): boolean => !stopped;
      const loop = async (): Promise<void> => {
        while (isWatching()) {
          const rows = await claim(BATCH);
          for (const row of rows) taken(row.due_at);
          if (rows.length === 0) await delay(clock, IDLE_MS);
        }
      };
      const failed = loop();
      return {
        failed,
        async stop() {
          stopped = true;
          await failed;
        },
      };
    },
  };
}
