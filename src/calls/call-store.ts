import { at, statement, type Queryable, type Tx } from '../database/database.ts';
import type { RowStore } from '../ledger/contact-unit.ts';
import {
  bucketOf,
  type AccountId,
  type Bucket,
  type CallId,
  type ContactId,
} from '../platform/ids.ts';
import type { CallState } from './call.ts';
import type { Cdr } from './cdr.ts';

const SAVE = statement(
  'call_save',
  `insert into calls (bucket, id, account_id, contact_id, line_id, permission_id, status, state,
                      due_at, created_at)
   select * from unnest($1::smallint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
     $7::text[], $8::jsonb[], $9::timestamptz[], $10::timestamptz[])
   on conflict (bucket, id) do update
     set status = excluded.status, state = excluded.state, permission_id = excluded.permission_id`,
);

/** Calls by id: inserts new ones, replaces the state of known ones. */
export const callRows: RowStore<CallState> = {
  async saveAll(tx, calls) {
    await tx.run(SAVE, [
      calls.map(({ plan }) => bucketOf(plan.id)),
      calls.map(({ plan }) => plan.id),
      calls.map(({ plan }) => plan.accountId),
      calls.map(({ plan }) => plan.contactId),
      calls.map(({ plan }) => plan.lineId),
      calls.map(({ facts }) => facts.permissionId),
      calls.map(({ status }) => status),
      calls.map((call) => JSON.stringify(call)),
      calls.map(({ plan }) => at(plan.dueAt)),
      calls.map(({ plan }) => at(plan.requestedAt)),
    ]);
  },
};

const SAVE_CDR = statement(
  'call_save_cdr',
  `insert into cdrs (bucket, call_id, id, account_id, record, ended_at)
   select * from unnest($1::smallint[], $2::text[], $3::text[], $4::text[], $5::jsonb[],
     $6::timestamptz[])`,
);

export type CdrRow = { id: string; accountId: AccountId; cdr: Cdr };

/** Plain insert: a second record of one call breaks the primary key, and so the transaction. */
export const cdrRows: RowStore<CdrRow> = {
  async saveAll(tx, rows) {
    await tx.run(SAVE_CDR, [
      rows.map(({ cdr }) => bucketOf(cdr.callId as CallId)),
      rows.map(({ cdr }) => cdr.callId),
      rows.map(({ id }) => id),
      rows.map(({ accountId }) => accountId),
      rows.map(({ cdr }) => JSON.stringify(cdr)),
      rows.map(({ cdr }) => at(Date.parse(cdr.endedAt))),
    ]);
  },
};

type StateRow = { state: CallState };

const READ = statement<StateRow>(
  'call_read',
  'select state from calls where bucket = $1 and id = $2',
);

export async function readCall(db: Queryable, id: CallId): Promise<CallState | null> {
  return (await db.first(READ, [bucketOf(id), id]))?.state ?? null;
}

const LIST = statement<StateRow>(
  'call_list',
  `select state from calls where account_id = $1 and ($2::text is null or contact_id = $2)
      and ($3::text is null or id < $3)
    order by id desc limit $4`,
);

export async function listCalls(
  db: Queryable,
  accountId: AccountId,
  filter: { contactId: string | null; after: string | null; limit: number },
): Promise<CallState[]> {
  const rows = await db.run(LIST, [accountId, filter.contactId, filter.after, filter.limit]);
  return rows.map(({ state }) => state);
}

const READ_CDR = statement<{ record: Cdr; account_id: string }>(
  'call_read_cdr',
  'select record, account_id from cdrs where bucket = $1 and call_id = $2',
);

export async function readCdr(
  db: Queryable,
  accountId: AccountId,
  callId: CallId,
): Promise<Cdr | null> {
  const row = await db.first(READ_CDR, [bucketOf(callId), callId]);
  return row?.account_id === accountId ? row.record : null;
}

const LIST_CDRS = statement<{ record: Cdr }>(
  'call_list_cdrs',
  `select record from cdrs where account_id = $1 and ($2::text is null or call_id < $2)
    order by call_id desc limit $3`,
);

export async function listCdrs(
  db: Queryable,
  accountId: AccountId,
  after: string | null,
  limit: number,
): Promise<Cdr[]> {
  return (await db.run(LIST_CDRS, [accountId, after, limit])).map(({ record }) => record);
}

const BUCKETS_DUE = statement<{ bucket: number }>(
  'call_buckets_due',
  `select b as bucket from generate_series(0, 63) b
    where exists (select from calls where bucket = b and status = 'queued' and due_at <= $1)`,
);

/** Which buckets have a call to dial: 64 index probes, however many calls wait. */
export async function bucketsWithDueCalls(db: Queryable, now: number): Promise<Bucket[]> {
  return (await db.run(BUCKETS_DUE, [at(now)])).map(({ bucket }) => bucket);
}

const DUE = statement<StateRow>(
  'call_due',
  `select state from calls where bucket = $1 and status = 'queued' and due_at <= $2
    order by due_at, id limit $3`,
);

/** Due calls of one bucket, unlocked: whoever holds the contact's lock decides. */
export async function dueCalls(
  tx: Tx,
  bucket: Bucket,
  now: number,
  limit: number,
): Promise<CallState[]> {
  return (await tx.run(DUE, [bucket, at(now), limit])).map(({ state }) => state);
}

const UNFINISHED_OF = statement<StateRow>(
  'call_unfinished_of_contacts',
  `select state from calls where status <> 'ended'
      and (bucket, contact_id) in (select * from unnest($1::smallint[], $2::text[]))
    order by id`,
);

/** Queued and live calls of contacts. */
export async function unfinishedCalls(
  db: Queryable,
  contactIds: readonly ContactId[],
): Promise<CallState[]> {
  const values = [contactIds.map((id) => bucketOf(id)), contactIds];
  return (await db.run(UNFINISHED_OF, values)).map(({ state }) => state);
}

const LEASE = statement(
  'call_lease',
  `update calls c set lease_owner = $3, lease_until = now() + make_interval(secs => $4)
     from unnest($1::smallint[], $2::text[]) v (bucket, id)
    where c.bucket = v.bucket and c.id = v.id and c.status <> 'ended'`,
);

/** Takes or renews the lease of calls, in database time. */
export async function leaseCalls(
  db: Queryable,
  callIds: readonly CallId[],
  owner: string,
  seconds: number,
): Promise<void> {
  await db.run(LEASE, [callIds.map((id) => bucketOf(id)), callIds, owner, seconds]);
}

const ORPHANS = statement<StateRow & { lease_owner: string | null }>(
  'call_orphans',
  `select state, lease_owner from calls
    where status in ('dialing', 'initiated', 'ringing', 'answered', 'bridged')
      and (lease_until < now() or lease_until is null or (lease_owner like $1 and lease_owner <> $2))
    order by bucket, id limit 100`,
);

/**
 * Live calls whose gateway is gone: the lease ran out, or it belongs to an earlier run of this
 * very node (`nodeName/…`), which cannot be alive because this run holds the data folder.
 */
export async function orphanedCalls(
  db: Queryable,
  nodeName: string,
  owner: string,
): Promise<CallState[]> {
  const pattern = `${nodeName.replace(/[\\%_]/g, '\\$&')}/%`;
  return (await db.run(ORPHANS, [pattern, owner])).map(({ state }) => state);
}
