import {
  keyColumn,
  openedValue,
  sealedParts,
  type KeyColumn,
} from '../contacts/contact-key-store.ts';
import { at, statement, unmeasured, type Queryable } from '../database/database.ts';
import type { RowStore } from '../ledger/contact-unit.ts';
import type { FieldNames } from '../platform/divide.ts';
import { bucketOf, type AccountId, type ContactId } from '../platform/ids.ts';
import { wakesAt } from './run-rules.ts';
import type { JourneyId, Run, RunId } from './run.ts';

/** Words of the business about the person, and what the person pressed. */
export const RUN_FIELDS: FieldNames = new Set(['variables', 'purpose', 'meant', 'result']);

/** Events wake a run that waits for one; this is how long it sleeps if one were ever missed. */
const LOOK_ANYWAY_MS = 600_000;

type Row = KeyColumn & { contact_id: ContactId; state: Run; sealed: Buffer | null };

const COLUMNS = `r.contact_id, r.state, r.sealed, ${keyColumn('r')}`;

const SAVE = statement(
  'journey_run_save',
  `insert into journey_runs (bucket, id, account_id, contact_id, journey_id, status, due_at, state,
                             sealed, started_at, ended_at)
   select * from unnest($1::smallint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
     $7::timestamptz[], $8::jsonb[], $9::bytea[], $10::timestamptz[], $11::timestamptz[])
   on conflict (bucket, id) do update
     set status = excluded.status, due_at = excluded.due_at, state = excluded.state,
         sealed = excluded.sealed, ended_at = excluded.ended_at`,
);

/** A run with the instant at which it was decided. */
export type RunRow = { run: Run; now: number };

export const runRows: RowStore<RunRow> = {
  async saveAll(tx, rows) {
    const runs = rows.map(({ run }) => run);
    const parts = runs.map((run) => sealedParts(tx, run.contactId, run, RUN_FIELDS));
    await tx.run(SAVE, [
      runs.map(({ id }) => bucketOf(id)),
      runs.map(({ id }) => id),
      runs.map(({ accountId }) => accountId),
      runs.map(({ contactId }) => contactId),
      runs.map(({ journeyId }) => journeyId),
      runs.map(({ phase }) => (phase.kind === 'ended' ? 'ended' : 'live')),
      rows.map(({ run, now }) => at(wakesAt(run) ?? now + LOOK_ANYWAY_MS)),
      parts.map(({ plain }) => plain),
      parts.map(({ sealed }) => sealed),
      runs.map(({ startedAt }) => at(startedAt)),
      runs.map(({ endedAt }) => at(endedAt)),
    ]);
  },
};

const COUNT = statement(
  'journey_run_count_live',
  `update contacts c set live_runs = (
     select count(*) from journey_runs r
      where r.bucket = c.bucket and r.contact_id = c.id and r.status = 'live')
     from unnest(${unmeasured('$1::smallint[]')}, $2::text[]) v (bucket, id)
    where c.bucket = v.bucket and c.id = v.id`,
);

/** Counts the live runs of contacts anew. Save it after the runs themselves. */
export const liveRunCounts: RowStore<ContactId> = {
  async saveAll(tx, ids) {
    await tx.run(COUNT, [ids.map((id) => bucketOf(id)), ids]);
  },
};

const READ = statement<Row>(
  'journey_run_read',
  `select ${COLUMNS} from journey_runs r where r.bucket = $1 and r.id = $2 and r.account_id = $3`,
);

export async function readRun(db: Queryable, accountId: AccountId, id: RunId): Promise<Run | null> {
  const row = await db.first(READ, [bucketOf(id), id, accountId]);
  return row === undefined ? null : runIn(db, row);
}

const LIVE_OF = statement<Row>(
  'journey_run_live_of_contacts',
  `select ${COLUMNS} from journey_runs r
    where r.status = 'live'
      and (r.bucket, r.contact_id) in
        (select * from unnest(${unmeasured('$1::smallint[]')}, $2::text[]))
    order by r.bucket, r.id`,
);

/** The live runs of contacts; under their locks nothing else changes them. */
export async function liveRunsOf(db: Queryable, contactIds: readonly ContactId[]): Promise<Run[]> {
  const rows = await db.run(LIVE_OF, [contactIds.map((id) => bucketOf(id)), contactIds]);
  return rows.map((row) => runIn(db, row));
}

const OF_CONTACT = statement<Row>(
  'journey_run_of_contact',
  `select ${COLUMNS} from journey_runs r where r.bucket = $1 and r.contact_id = $2 order by r.id`,
);

/** Every run of a contact, for the person's own copy. */
export async function runsOfContact(db: Queryable, contactId: ContactId): Promise<Run[]> {
  const rows = await db.run(OF_CONTACT, [bucketOf(contactId), contactId]);
  return rows.map((row) => runIn(db, row));
}

export type RunFilter = {
  journeyId: JourneyId | null;
  contactId: ContactId | null;
  status: 'live' | 'ended' | null;
  after: string | null;
  limit: number;
};

const LIST = statement<Row>(
  'journey_run_list',
  `select ${COLUMNS} from journey_runs r
    where r.account_id = $1 and ($2::text is null or r.journey_id = $2)
      and ($3::text is null or r.contact_id = $3) and ($4::text is null or r.status = $4)
      and ($5::text is null or r.id < $5)
    order by r.id desc limit $6`,
);

export async function listRuns(
  db: Queryable,
  accountId: AccountId,
  { journeyId, contactId, status, after, limit }: RunFilter,
): Promise<Run[]> {
  const rows = await db.run(LIST, [accountId, journeyId, contactId, status, after, limit]);
  return rows.map((row) => runIn(db, row));
}

/** What must be known of a due run before its contact is locked. */
export type DueRun = { id: RunId; contactId: ContactId; accountId: AccountId };
type DueRow = { id: RunId; contact_id: ContactId; account_id: AccountId };

/** No bucket gives more than this part of a claim, so that a crowded one cannot starve others. */
const BUCKET_SHARE = 16;

const DUE = statement<DueRow>(
  'journey_run_due',
  `select r.id, r.contact_id, r.account_id from generate_series(0, 63) b
    cross join lateral (
      select * from journey_runs where bucket = b and status = 'live' and due_at <= $1
       order by due_at, id limit $2) r
    order by r.due_at, r.id limit $3`,
);

/** The runs that have been due longest, unlocked: whoever holds the contact's lock decides. */
export async function dueRuns(db: Queryable, now: number, limit: number): Promise<DueRun[]> {
  const rows = await db.run(DUE, [at(now), Math.ceil(limit / BUCKET_SHARE), limit]);
  return rows.map(({ id, contact_id: contactId, account_id: accountId }) => ({
    id,
    contactId,
    accountId,
  }));
}

const NEXT_DUE = statement<{ due_at: number | null }>(
  'journey_run_next_due',
  `select min(r.due_at) as due_at from generate_series(0, 63) b
    cross join lateral (
      select due_at from journey_runs where bucket = b and status = 'live'
       order by due_at, id limit 1) r`,
);

/** When the first run is due, in ms; null when none is live. */
export async function nextRunDueAt(db: Queryable): Promise<number | null> {
  return (await db.first(NEXT_DUE))?.due_at ?? null;
}

const PUT_OFF = statement(
  'journey_run_put_off',
  `update journey_runs r set due_at = $3 from unnest($1::smallint[], $2::text[]) v (bucket, id)
    where r.bucket = v.bucket and r.id = v.id and r.status = 'live'`,
);

/** Has runs looked at again at that time. Needs their contacts' locks, or no hurry. */
export async function putOffRuns(db: Queryable, ids: readonly RunId[], to: number): Promise<void> {
  await db.run(PUT_OFF, [ids.map((id) => bucketOf(id)), ids, at(to)]);
}

// The limit inside has the planner begin with the journeys; there is mostly none of that kind.
const WAKE_CANCELLED = statement(
  'journey_run_wake_cancelled',
  `update journey_runs set due_at = $1 where (bucket, id) in (
     select r.bucket, r.id from journeys j
      cross join lateral (
        select bucket, id from journey_runs
         where journey_id = j.id and status = 'live' and started_at <= j.cancel_before
           and due_at > $1
         limit $2 for update skip locked) r
      where j.cancel_before is not null limit $2)
   returning id`,
);

/**
 * Has runs looked at now whose journey was cancelled; returns how many. Rows that somebody is
 * busy with are left out, and found the next time.
 */
export async function wakeCancelledRuns(
  db: Queryable,
  now: number,
  limit: number,
): Promise<number> {
  return (await db.run(WAKE_CANCELLED, [at(now), limit])).length;
}

/** Erased people's runs have no variables any more. */
function runIn(db: Queryable, row: Row): Run {
  const run = openedValue(db, row.state, row);
  return { ...run, variables: run.variables ?? {} };
}
