import {
  keyColumn,
  openedValue,
  sealedParts,
  type KeyColumn,
} from '../contacts/contact-key-store.ts';
import { at, statement, type Queryable, type Tx } from '../database/database.ts';
import type { RowStore } from '../ledger/contact-unit.ts';
import {
  bucketOf,
  type AccountId,
  type CallId,
  type ContactId,
  type LineId,
} from '../platform/ids.ts';
import type { FieldNames } from '../platform/divide.ts';
import { invariant } from '../platform/invariant.ts';
import { rankOf } from '../schedule/schedule.ts';
import type { CallState } from './call.ts';
import { latestDialOf } from './call-rules.ts';

/** Words of the business and of others, and ids and addresses that hold the person's number. */
export const CALL_FIELDS: FieldNames = new Set([
  'purpose',
  'clientReference',
  'wacid',
  'mediaAnswer',
  'sipCallId',
  'dialog',
  'digits',
  'script.variables',
  'script.result',
  'failed.reason',
  'message',
  'details',
]);
const partsOf = (tx: Tx, call: CallState) =>
  sealedParts(tx, call.plan.contactId, call, CALL_FIELDS);

const SAVE = statement(
  'call_save',
  `insert into calls (bucket, id, account_id, contact_id, line_id, permission_id, status, state,
                      sealed, due_at, created_at, rank, latest_at)
   select * from unnest($1::smallint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
     $7::text[], $8::jsonb[], $9::bytea[], $10::timestamptz[], $11::timestamptz[], $12::smallint[],
     $13::timestamptz[])
   on conflict (bucket, id) do update
     set status = excluded.status, state = excluded.state, sealed = excluded.sealed,
         permission_id = excluded.permission_id, latest_at = excluded.latest_at`,
);

/** Calls by id: inserts new ones, replaces the state of known ones. */
export const callRows: RowStore<CallState> = {
  async saveAll(tx, calls) {
    const parts = calls.map((call) => partsOf(tx, call));
    await tx.run(SAVE, [
      calls.map(({ plan }) => bucketOf(plan.id)),
      calls.map(({ plan }) => plan.id),
      calls.map(({ plan }) => plan.accountId),
      calls.map(({ plan }) => plan.contactId),
      calls.map(({ plan }) => plan.lineId),
      calls.map(({ facts }) => facts.permissionId),
      calls.map(({ status }) => status),
      parts.map(({ plain }) => plain),
      parts.map(({ sealed }) => sealed),
      calls.map(({ plan }) => at(plan.dueAt)),
      calls.map(({ plan }) => at(plan.requestedAt)),
      calls.map(({ plan }) => rankOf(plan.priority)),
      calls.map(({ plan }) => at(latestDialOf(plan))),
    ]);
  },
};

const SAVE_LEASED = statement(
  'call_save_leased',
  `update calls c set status = v.status, state = v.state, sealed = v.sealed,
          permission_id = v.permission_id,
          lease_owner = $7, lease_until = now() + make_interval(secs => $8)
     from unnest($1::smallint[], $2::text[], $3::text[], $4::jsonb[], $5::bytea[], $6::text[])
            v (bucket, id, status, state, sealed, permission_id)
    where c.bucket = v.bucket and c.id = v.id`,
);

/** Calls that leave the queue: their state and the dialling gateway's lease in one write. */
export function leasedCallRows(owner: string, seconds: number): RowStore<CallState> {
  return {
    async saveAll(tx, calls) {
      const parts = calls.map((call) => partsOf(tx, call));
      await tx.run(SAVE_LEASED, [
        calls.map(({ plan }) => bucketOf(plan.id)),
        calls.map(({ plan }) => plan.id),
        calls.map(({ status }) => status),
        parts.map(({ plain }) => plain),
        parts.map(({ sealed }) => sealed),
        calls.map(({ facts }) => facts.permissionId),
        owner,
        seconds,
      ]);
    },
  };
}

const CANCEL = statement(
  'call_cancel',
  `update calls c
      set status = 'ended',
          state = c.state || v.ending
            || jsonb_build_object('facts', (c.state -> 'facts') || v.wish)
     from unnest($1::smallint[], $2::text[], $3::jsonb[], $4::jsonb[]) v (bucket, id, ending, wish)
    where c.bucket = v.bucket and c.id = v.id and c.phase = 'queued'`,
);

/**
 * Calls that were queued and are told to end: their plan and what is sealed stay as they are, so
 * of somebody for whom a thousand calls wait neither is sealed, sent and parsed once more.
 */
export const cancelledCallRows: RowStore<CallState> = {
  async saveAll(tx, calls) {
    const endings = calls.map((call) => {
      invariant(call.status === 'ended', `call ${call.plan.id} has not ended`);
      const { status, end, eventSequence } = call;
      return JSON.stringify({ status, end, eventSequence });
    });
    await tx.run(CANCEL, [
      calls.map(({ plan }) => bucketOf(plan.id)),
      calls.map(({ plan }) => plan.id),
      endings,
      calls.map(({ facts: { hangUp } }) => JSON.stringify({ hangUp })),
    ]);
  },
};

const PUT_OFF = statement(
  'call_put_off',
  `update calls c set due_at = v.due_at, put_off = v.put_off
     from unnest($1::smallint[], $2::text[], $3::timestamptz[], $4::text[])
            v (bucket, id, due_at, put_off)
    where c.bucket = v.bucket and c.id = v.id and c.phase = 'queued'`,
);

/** `waitsFor` is the code of what is in the way; absent where the call waits for its time only. */
export type PutOff = { id: CallId; dueAt: number; waitsFor?: string };

/** Calls that the dialer looks at again later; what was promised and when stays in the plan. */
export const putOffRows: RowStore<PutOff> = {
  async saveAll(tx, rows) {
    await tx.run(PUT_OFF, [
      rows.map(({ id }) => bucketOf(id)),
      rows.map(({ id }) => id),
      rows.map(({ dueAt }) => at(dueAt)),
      rows.map(({ waitsFor }) => waitsFor ?? null),
    ]);
  },
};

export type StateRow = KeyColumn & {
  state: CallState;
  contact_id: ContactId;
  sealed: Buffer | null;
};

export const STATE = `calls.state, calls.contact_id, calls.sealed, ${keyColumn('calls')}`;

export const stateIn = (db: Queryable, row: StateRow): CallState => openedValue(db, row.state, row);

const READ = statement<StateRow>(
  'call_read',
  `select ${STATE} from calls where bucket = $1 and id = $2`,
);

export async function readCall(db: Queryable, id: CallId): Promise<CallState | null> {
  const row = await db.first(READ, [bucketOf(id), id]);
  return row === undefined ? null : stateIn(db, row);
}

const READ_VERSION = statement<StateRow & { version: string }>(
  'call_read_version',
  `select ${STATE}, calls.xmin::text as version from calls where bucket = $1 and id = $2`,
);

/** As `readCall`, with the mark that `callVersions` has for the row as it was read. */
export async function readCallVersion(
  db: Queryable,
  id: CallId,
): Promise<{ state: CallState; version: string } | null> {
  const row = await db.first(READ_VERSION, [bucketOf(id), id]);
  return row === undefined ? null : { state: stateIn(db, row), version: row.version };
}

const CONTACT_OF = statement<{ contact_id: ContactId }>(
  'call_contact',
  'select contact_id from calls where bucket = $1 and id = $2',
);

/** Whose lock a change of the call needs; null where there is no such call. */
export async function contactOfCall(db: Queryable, id: CallId): Promise<ContactId | null> {
  return (await db.first(CONTACT_OF, [bucketOf(id), id]))?.contact_id ?? null;
}

const LIST = statement<StateRow>(
  'call_list',
  `select ${STATE} from calls where account_id = $1 and ($2::text is null or contact_id = $2)
      and ($3::text is null or id < $3)
    order by id desc limit $4`,
);

export async function listCalls(
  db: Queryable,
  accountId: AccountId,
  filter: { contactId: string | null; after: string | null; limit: number },
): Promise<CallState[]> {
  const rows = await db.run(LIST, [accountId, filter.contactId, filter.after, filter.limit]);
  return rows.map((row) => stateIn(db, row));
}

const UNFINISHED_OF = statement<StateRow>(
  'call_unfinished_of_contacts',
  `select ${STATE} from calls where phase <> 'ended'
      and (bucket, contact_id) in (select * from unnest($1::smallint[], $2::text[]))
    order by id`,
);

/** Queued and live calls of contacts. */
export async function unfinishedCalls(
  db: Queryable,
  contactIds: readonly ContactId[],
): Promise<CallState[]> {
  const values = [contactIds.map((id) => bucketOf(id)), contactIds];
  return (await db.run(UNFINISHED_OF, values)).map((row) => stateIn(db, row));
}

const LEASE = statement(
  'call_lease',
  `update calls c set lease_owner = $3, lease_until = now() + make_interval(secs => $4)
     from unnest($1::smallint[], $2::text[]) v (bucket, id)
    where c.bucket = v.bucket and c.id = v.id and c.phase <> 'ended'`,
);

/** Renews the lease of calls, in database time. */
export async function leaseCalls(
  db: Queryable,
  callIds: readonly CallId[],
  owner: string,
  seconds: number,
): Promise<void> {
  await db.run(LEASE, [callIds.map((id) => bucketOf(id)), callIds, owner, seconds]);
}

const VERSIONS = statement<{ id: CallId; version: string }>(
  'call_versions',
  `select c.id, c.xmin::text as version from calls c
     join unnest($1::smallint[], $2::text[]) v (bucket, id)
       on c.bucket = v.bucket and c.id = v.id`,
);

/** A mark for each call that differs whenever its row was written (xmin, the writer's number). */
export async function callVersions(
  db: Queryable,
  callIds: readonly CallId[],
): Promise<Map<CallId, string>> {
  if (callIds.length === 0) return new Map();
  const rows = await db.run(VERSIONS, [callIds.map((id) => bucketOf(id)), callIds]);
  return new Map(rows.map(({ id, version }) => [id, version]));
}

const LIVE_OF_LINES = statement<{ line_id: LineId; live: number }>(
  'call_live_of_lines',
  `select v.line_id, live::int from unnest($1::text[], $2::int[]) v (line_id, cap)
    cross join lateral (
     select count(*) as live from (
       select from calls
        where phase = 'live'
          and calls.line_id = v.line_id limit v.cap) counted) counted`,
);

/** How many calls each line has that are dialled and not over, counted up to its cap. */
export async function liveCallsOfLines(
  db: Queryable,
  caps: ReadonlyMap<LineId, number>,
): Promise<Map<LineId, number>> {
  if (caps.size === 0) return new Map();
  const rows = await db.run(LIVE_OF_LINES, [[...caps.keys()], [...caps.values()]]);
  return new Map(rows.map(({ line_id: id, live }) => [id, live]));
}

const ORPHANS = statement<StateRow & { lease_owner: string | null }>(
  'call_orphans',
  `select ${STATE}, lease_owner from calls
    where phase = 'live'
      and (lease_until < now() or lease_until is null
        or (lease_owner like $1 and lease_owner <> $2))
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
  return (await db.run(ORPHANS, [pattern, owner])).map((row) => stateIn(db, row));
}

const RINGING = statement<{ contact_id: ContactId }>(
  'call_ringing_of_account',
  `select contact_id from calls
    where phase = 'live' and account_id = $1 and status in ('dialing', 'initiated', 'ringing')
    order by bucket, contact_id`,
);

/** Whose phones ring, or are about to, for an account. */
export async function callsThatRing(db: Queryable, accountId: AccountId): Promise<ContactId[]> {
  return (await db.run(RINGING, [accountId])).map(({ contact_id: contactId }) => contactId);
}
