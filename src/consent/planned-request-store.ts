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
import type { PermissionRequestId } from '../platform/ids.ts';
import type { PlannedRequest } from './planned-request.ts';
import type { PlannedStatus } from './request-types.ts';

/** Words of the business about the person. */
const PLANNED_FIELDS: FieldNames = new Set([
  'purpose',
  'name',
  'variables',
  'text',
  'message',
  'fix',
]);

const SAVE = statement(
  'planned_request_save',
  `insert into planned_requests
     (bucket, id, account_id, contact_id, line_id, status, due_at, state, sealed, created_at)
   select * from unnest($1::smallint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
     $7::timestamptz[], $8::jsonb[], $9::bytea[], $10::timestamptz[])
   on conflict (bucket, id) do update
     set status = excluded.status, due_at = excluded.due_at, state = excluded.state,
         sealed = excluded.sealed`,
);

export const plannedRows: RowStore<PlannedRequest> = {
  async saveAll(tx, rows) {
    const parts = rows.map((row) => sealedParts(tx, row.contactId, row, PLANNED_FIELDS));
    await tx.run(SAVE, [
      rows.map(({ id }) => bucketOf(id)),
      rows.map(({ id }) => id),
      rows.map(({ accountId }) => accountId),
      rows.map(({ contactId }) => contactId),
      rows.map(({ lineId }) => lineId),
      rows.map(({ status }) => status),
      rows.map(({ dueAt }) => at(dueAt)),
      parts.map(({ plain }) => plain),
      parts.map(({ sealed }) => sealed),
      rows.map(({ plannedAt }) => at(plannedAt)),
    ]);
  },
};

const DROP = statement(
  'planned_request_drop',
  `delete from planned_requests
    where (bucket, id) in (select * from unnest($1::smallint[], $2::text[]))`,
);

/** Plans that were asked: the permission request of that id goes on for them. */
export const plannedAsked: RowStore<PermissionRequestId> = {
  async saveAll(tx, ids) {
    await tx.run(DROP, [ids.map((id) => bucketOf(id)), ids]);
  },
};

type Row = KeyColumn & { contact_id: ContactId; state: PlannedRequest; sealed: Buffer | null };
const COLUMNS = `p.contact_id, p.state, p.sealed, ${keyColumn('p')}`;

const READ = statement<Row>(
  'planned_request_read',
  `select ${COLUMNS} from planned_requests p
    where p.bucket = $1 and p.id = $2 and p.account_id = $3`,
);

export async function readPlanned(
  db: Queryable,
  accountId: AccountId,
  id: PermissionRequestId,
): Promise<PlannedRequest | null> {
  const row = await db.first(READ, [bucketOf(id), id, accountId]);
  return row === undefined ? null : openedValue(db, row.state, row);
}

const OF_CONTACTS = statement<Row>(
  'planned_request_of_contacts',
  `select ${COLUMNS} from planned_requests p
    where (p.bucket, p.contact_id) in
        (select * from unnest(${unmeasured('$1::smallint[]')}, $2::text[]))
      and ($3::text is null or p.status = $3)
    order by p.id`,
);

/** What is planned for contacts, or was and did not come to be; oldest first. */
export async function plannedOf(
  db: Queryable,
  contactIds: readonly ContactId[],
  status: PlannedStatus | null,
): Promise<PlannedRequest[]> {
  const values = [contactIds.map((id) => bucketOf(id)), contactIds, status];
  return (await db.run(OF_CONTACTS, values)).map((row) => openedValue(db, row.state, row));
}

const LIST = statement<Row>(
  'planned_request_list',
  `select ${COLUMNS} from planned_requests p
    where p.account_id = $1 and ($2::text is null or p.contact_id = $2)
      and ($3::text is null or p.status = $3) and ($4::text is null or p.id < $4)
    order by p.id desc limit $5`,
);

export type PlannedFilter = {
  contactId: ContactId | null;
  status: PlannedStatus | null;
  after: string | null;
  limit: number;
};

export async function listPlanned(
  db: Queryable,
  accountId: AccountId,
  { contactId, status, after, limit }: PlannedFilter,
): Promise<PlannedRequest[]> {
  const rows = await db.run(LIST, [accountId, contactId, status, after, limit]);
  return rows.map((row) => openedValue(db, row.state, row));
}

type DueRow = { id: PermissionRequestId; contact_id: ContactId; account_id: AccountId };
export type DuePlanned = { id: PermissionRequestId; contactId: ContactId; accountId: AccountId };

// Bucket by bucket, as the index begins with it.
const DUE = statement<DueRow>(
  'planned_request_due',
  `select d.id, d.contact_id, d.account_id from generate_series(0, 63) b
    cross join lateral (
      select id, contact_id, account_id, due_at from planned_requests
       where bucket = b and status = 'planned' and due_at <= $1
       order by due_at limit $2) d
    order by d.due_at, d.id limit $2`,
);

/** Those that have been due longest, unlocked: whoever holds the contact's lock decides. */
export async function duePlanned(db: Queryable, now: number, limit: number): Promise<DuePlanned[]> {
  const rows = await db.run(DUE, [at(now), limit]);
  return rows.map(({ id, contact_id: contactId, account_id: accountId }) => ({
    id,
    contactId,
    accountId,
  }));
}

const PUT_OFF = statement(
  'planned_request_put_off',
  `update planned_requests set due_at = $3
    where bucket = $1 and id = $2 and status = 'planned'`,
);

/** Has one looked at again at that time; the moment of asking judges it anew in any case. */
export async function putOffPlanned(
  db: Queryable,
  id: PermissionRequestId,
  to: number,
): Promise<void> {
  await db.run(PUT_OFF, [bucketOf(id), id, at(to)]);
}

const NEXT_DUE = statement<{ due_at: number | null }>(
  'planned_request_next_due',
  `select min(d.due_at) as due_at from generate_series(0, 63) b
    cross join lateral (
      select due_at from planned_requests where bucket = b and status = 'planned'
       order by due_at limit 1) d`,
);

/** When the first is due, in ms; null when nothing is planned. */
export async function nextPlannedAt(db: Queryable): Promise<number | null> {
  return (await db.first(NEXT_DUE))?.due_at ?? null;
}
