import {
  keyColumn,
  openedValue,
  sealedParts,
  type KeyColumn,
} from '../contacts/contact-key-store.ts';
import { at, statement, type Queryable } from '../database/database.ts';
import type { RowStore } from '../ledger/contact-unit.ts';
import {
  bucketOf,
  idPrefixAt,
  type AccountId,
  type CallId,
  type ContactId,
} from '../platform/ids.ts';
import type { FieldNames } from '../platform/divide.ts';
import { STATE, stateIn, type StateRow } from './call-store.ts';
import type { CallState } from './call.ts';
import { wholeCdr, type Cdr } from './cdr.ts';

/** Words, and ids that hold the person's number. */
const CDR_FIELDS: FieldNames = new Set([
  'purpose',
  'clientReference',
  'wacid',
  'sipCallId',
  'customerNumber',
  'customerUserId',
  'digits',
  'script.result',
]);

const SAVE_CDR = statement(
  'call_save_cdr',
  `insert into cdrs (bucket, call_id, id, account_id, record, sealed, ended_at)
   select * from unnest($1::smallint[], $2::text[], $3::text[], $4::text[], $5::jsonb[],
     $6::bytea[], $7::timestamptz[])`,
);

export type CdrRow = { id: string; accountId: AccountId; cdr: Cdr };

/** Plain insert: a second record of one call breaks the primary key, and so the transaction. */
export const cdrRows: RowStore<CdrRow> = {
  async saveAll(tx, rows) {
    const parts = rows.map(({ cdr }) =>
      sealedParts(tx, cdr.contactId as ContactId, cdr, CDR_FIELDS),
    );
    await tx.run(SAVE_CDR, [
      rows.map(({ cdr }) => bucketOf(cdr.callId as CallId)),
      rows.map(({ cdr }) => cdr.callId),
      rows.map(({ id }) => id),
      rows.map(({ accountId }) => accountId),
      parts.map(({ plain }) => plain),
      parts.map(({ sealed }) => sealed),
      rows.map(({ cdr }) => at(Date.parse(cdr.endedAt))),
    ]);
  },
};

type WithCdrRow = StateRow & { record: Cdr | null; sealed_record: Buffer | null };

const READ_WITH_CDR = statement<WithCdrRow>(
  'call_read_with_cdr',
  `select ${STATE}, r.record, r.sealed as sealed_record from calls
     left join cdrs r on r.bucket = calls.bucket and r.call_id = calls.id
    where (calls.bucket, calls.id) in (select * from unnest($1::smallint[], $2::text[]))
    order by calls.id`,
);

/** A call and its record, which there is only once the call has ended. */
export type RecordedCall = { call: CallState; cdr: Cdr | null };

/** Calls by their ids with their records, oldest first; ids that name nothing are left out. */
export async function readCallsWithCdrs(
  db: Queryable,
  ids: readonly CallId[],
): Promise<RecordedCall[]> {
  const rows = await db.run(READ_WITH_CDR, [ids.map((id) => bucketOf(id)), ids]);
  return rows.map((row) => {
    const sealedRecord = { ...row, sealed: row.sealed_record };
    const call = stateIn(db, row);
    if (row.record === null) return { call, cdr: null };
    const cdr = wholeCdr(openedValue(db, row.record, sealedRecord), call.plan.accountId);
    return { call, cdr };
  });
}

type RecordRow = KeyColumn & { record: Cdr; account_id: string; sealed: Buffer | null };

const RECORD = `cdrs.record, cdrs.account_id, cdrs.sealed,
  ${keyColumn('cdrs', "cdrs.record ->> 'contactId'")}`;

function recordIn(db: Queryable, row: RecordRow): Cdr {
  const contactId = row.record.contactId as ContactId;
  const stored = openedValue(db, row.record, { ...row, contact_id: contactId });
  return wholeCdr(stored, row.account_id as AccountId);
}

const READ_CDR = statement<RecordRow>(
  'call_read_cdr',
  `select ${RECORD} from cdrs where bucket = $1 and call_id = $2`,
);

export async function readCdr(
  db: Queryable,
  accountId: AccountId,
  callId: CallId,
): Promise<Cdr | null> {
  const row = await db.first(READ_CDR, [bucketOf(callId), callId]);
  return row?.account_id === accountId ? recordIn(db, row) : null;
}

const LIST_CDRS = statement<RecordRow>(
  'call_list_cdrs',
  `select ${RECORD} from cdrs where account_id = $1 and ($2::text is null or call_id < $2)
    order by call_id desc limit $3`,
);

export async function listCdrs(
  db: Queryable,
  accountId: AccountId,
  after: string | null,
  limit: number,
): Promise<Cdr[]> {
  const rows = await db.run(LIST_CDRS, [accountId, after, limit]);
  return rows.map((row) => recordIn(db, row));
}

const EXPORT = statement<RecordRow>(
  'cdr_export',
  `select ${RECORD} from cdrs
    where account_id = $1 and call_id > $2 and call_id < $3 order by call_id limit $4`,
);

/** Calls that were asked for in [from, to), in ms; null leaves an end open. */
export type ExportSpan = { from: number | null; to: number | null };

/** The first letter that no id can have after its prefix. */
const AFTER_ALL = 'call_g';

/** Where a span begins and ends among the ids of calls, both outside it. */
export function boundsOf({ from, to }: ExportSpan): { after: string; end: string } {
  const end = to === null ? AFTER_ALL : idPrefixAt('call', to);
  return { after: idPrefixAt('call', from ?? 0), end };
}

/** Records between two ids of calls, oldest first. */
export async function cdrsBetween(
  db: Queryable,
  accountId: AccountId,
  { after, end, limit }: { after: string; end: string; limit: number },
): Promise<Cdr[]> {
  const rows = await db.run(EXPORT, [accountId, after, end, limit]);
  return rows.map((row) => recordIn(db, row));
}

const COUNT = statement<{ records: number }>(
  'cdr_count',
  'select count(*) as records from cdrs where account_id = $1 and call_id > $2 and call_id < $3',
);

export async function countCdrs(
  db: Queryable,
  accountId: AccountId,
  { after, end }: { after: string; end: string },
): Promise<number> {
  return (await db.first(COUNT, [accountId, after, end]))?.records ?? 0;
}

/** The records of an account, oldest first, page by page, so that no transaction stays open. */
export async function* exportCdrs(
  db: Queryable,
  accountId: AccountId,
  span: ExportSpan,
  pageSize: number,
): AsyncGenerator<Cdr[]> {
  const { after: first, end } = boundsOf(span);
  let after = first;
  for (;;) {
    const cdrs = await cdrsBetween(db, accountId, { after, end, limit: pageSize });
    if (cdrs.length > 0) yield cdrs;
    const last = cdrs.at(-1);
    if (last === undefined || cdrs.length < pageSize) return;
    after = last.callId;
  }
}
