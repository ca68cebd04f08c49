import {
  keyColumn,
  openedValue,
  sealedParts,
  type KeyColumn,
} from '../contacts/contact-key-store.ts';
import { at, statement, type Queryable, type Tx } from '../database/database.ts';
import type { PermissionRequestView } from '../http/api-types.ts';
import type { RowStore } from '../ledger/contact-unit.ts';
import {
  bucketOf,
  type AccountId,
  type Bucket,
  type ContactId,
  type LineId,
  type PermissionId,
  type PermissionRequestId,
} from '../platform/ids.ts';
import type { FieldNames } from '../platform/divide.ts';
import {
  completeConsent,
  initialConsent,
  wakesAt,
  type ConsentPermission,
  type ConsentRequest,
  type ConsentState,
  type RevokedBy,
} from './consent.ts';
import type { AskedStatus } from './request-types.ts';

/** Whose consent, on which line. */
export type ConsentKey = { accountId: AccountId; contactId: ContactId; lineId: LineId };

export type ConsentRow = ConsentKey & { state: ConsentState; updatedAt: number };

/** Words, and Meta's message ids, which hold the person's number in base64. */
export const CONSENT_FIELDS: FieldNames = new Set([
  'purpose',
  'text',
  'reason',
  'message',
  'fix',
  'messageId',
]);

const SAVE = statement(
  'consent_save',
  `insert into consents (bucket, contact_id, line_id, account_id, status, state, sealed, wakes_at,
                         updated_at)
   select * from unnest($1::smallint[], $2::text[], $3::text[], $4::text[], $5::text[],
     $6::jsonb[], $7::bytea[], $8::timestamptz[], $9::timestamptz[])
   on conflict (bucket, contact_id, line_id) do update
     set status = excluded.status, state = excluded.state, sealed = excluded.sealed,
         wakes_at = excluded.wakes_at, updated_at = excluded.updated_at`,
);

export const consentRows: RowStore<ConsentRow> = {
  async saveAll(tx, rows) {
    const parts = rows.map((row) => sealedParts(tx, row.contactId, row.state, CONSENT_FIELDS));
    await tx.run(SAVE, [
      rows.map((row) => bucketOf(row.contactId)),
      rows.map((row) => row.contactId),
      rows.map((row) => row.lineId),
      rows.map((row) => row.accountId),
      rows.map((row) => row.state.status),
      parts.map(({ plain }) => plain),
      parts.map(({ sealed }) => sealed),
      rows.map((row) => at(wakesAt(row.state))),
      rows.map((row) => at(row.updatedAt)),
    ]);
  },
};

/** A row with its personal fields, still sealed. */
type Sealed<State> = KeyColumn & { state: State; contact_id: ContactId; sealed: Buffer | null };

const sealedColumns = (table: string): string =>
  `${table}.state, ${table}.contact_id, ${table}.sealed, ${keyColumn(table)}`;

const READ = statement<Sealed<ConsentState>>(
  'consent_read',
  `select ${sealedColumns('consents')} from consents
    where bucket = $1 and contact_id = $2 and line_id = $3`,
);

/** The consent of a contact on a line; the initial state when nothing ever happened. */
export async function readConsent(
  db: Queryable,
  key: Pick<ConsentKey, 'contactId' | 'lineId'>,
): Promise<ConsentState> {
  const row = await db.first(READ, [bucketOf(key.contactId), key.contactId, key.lineId]);
  return row === undefined ? initialConsent : completeConsent(openedValue(db, row.state, row));
}

type KeyedRow = Sealed<ConsentState> & { line_id: LineId };

const OF_CONTACTS = statement<KeyedRow>(
  'consent_of_contacts',
  `select line_id, ${sealedColumns('consents')} from consents
    where (bucket, contact_id) in (select * from unnest($1::smallint[], $2::text[]))
    order by line_id`,
);

export async function consentsOf(
  db: Queryable,
  contactIds: readonly ContactId[],
): Promise<Array<{ contactId: ContactId; lineId: LineId; state: ConsentState }>> {
  const rows = await db.run(OF_CONTACTS, [contactIds.map((id) => bucketOf(id)), contactIds]);
  return rows.map((row) => ({
    contactId: row.contact_id,
    lineId: row.line_id,
    state: completeConsent(openedValue(db, row.state, row)),
  }));
}

// Bucket by bucket: the index begins with it, and every yes and every question looks here.
const WAKING = statement<{ bucket: number; contact_id: ContactId; line_id: LineId }>(
  'consent_waking',
  `select w.bucket, w.contact_id, w.line_id from generate_series(0, 63) b
    cross join lateral (
      select bucket, contact_id, line_id, wakes_at from consents
       where bucket = b and wakes_at <= $1 order by wakes_at limit $2) w
    order by w.wakes_at limit $2`,
);

/** Consents whose grant expired or whose request lapsed by `now`. */
export async function wakingConsents(
  db: Queryable,
  now: number,
  limit: number,
): Promise<Array<{ bucket: Bucket; contactId: ContactId; lineId: LineId }>> {
  const rows = await db.run(WAKING, [at(now), limit]);
  return rows.map((row) => ({
    bucket: row.bucket,
    contactId: row.contact_id,
    lineId: row.line_id,
  }));
}

const NEXT_WAKE = statement<{ wakes_at: number | null }>(
  'consent_next_wake',
  `select min(w.wakes_at) as wakes_at from generate_series(0, 63) b
    cross join lateral (
      select wakes_at from consents where bucket = b and wakes_at is not null
       order by wakes_at limit 1) w`,
);

export async function nextConsentWake(db: Queryable): Promise<number | null> {
  return (await db.first(NEXT_WAKE))?.wakes_at ?? null;
}

export type RequestRow = ConsentKey & {
  request: ConsentRequest;
  status: AskedStatus;
  answeredAt: number | null;
  error: PermissionRequestView['error'];
  /** The latest tap on a quick reply, and the native request that followed a yes. */
  quickReply?: { answer: 'yes' | 'no'; at: number; nativeMessageId: string | null };
};

const SAVE_REQUESTS = statement(
  'consent_save_requests',
  `insert into permission_requests
     (bucket, id, account_id, contact_id, line_id, status, state, sealed, created_at)
   select * from unnest($1::smallint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
     $7::jsonb[], $8::bytea[], $9::timestamptz[])
   on conflict (bucket, id) do update
     set status = excluded.status, state = excluded.state, sealed = excluded.sealed`,
);

export const requestRows: RowStore<RequestRow> = {
  async saveAll(tx, rows) {
    const parts = rows.map((row) => sealedParts(tx, row.contactId, row, CONSENT_FIELDS));
    await tx.run(SAVE_REQUESTS, [
      rows.map((row) => bucketOf(row.request.requestId)),
      rows.map((row) => row.request.requestId),
      rows.map((row) => row.accountId),
      rows.map((row) => row.contactId),
      rows.map((row) => row.lineId),
      rows.map((row) => row.status),
      parts.map(({ plain }) => plain),
      parts.map(({ sealed }) => sealed),
      rows.map((row) => at(row.request.requestedAt)),
    ]);
  },
};

export type PermissionRow = ConsentKey & {
  permission: ConsentPermission;
  status: 'granted' | 'used' | 'expired' | 'revoked';
  usedByCallId: string | null;
  revokedAt: number | null;
  revokedBy: RevokedBy | null;
};

const SAVE_PERMISSIONS = statement(
  'consent_save_permissions',
  `insert into permissions
     (bucket, id, account_id, contact_id, line_id, status, state, sealed, granted_at)
   select * from unnest($1::smallint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
     $7::jsonb[], $8::bytea[], $9::timestamptz[])
   on conflict (bucket, id) do update
     set status = excluded.status, state = excluded.state, sealed = excluded.sealed`,
);

export const permissionRows: RowStore<PermissionRow> = {
  async saveAll(tx, rows) {
    const parts = rows.map((row) => sealedParts(tx, row.contactId, row, CONSENT_FIELDS));
    await tx.run(SAVE_PERMISSIONS, [
      rows.map((row) => bucketOf(row.permission.permissionId)),
      rows.map((row) => row.permission.permissionId),
      rows.map((row) => row.accountId),
      rows.map((row) => row.contactId),
      rows.map((row) => row.lineId),
      rows.map((row) => row.status),
      parts.map(({ plain }) => plain),
      parts.map(({ sealed }) => sealed),
      rows.map((row) => at(row.permission.grantedAt)),
    ]);
  },
};

const READ_REQUEST = statement<Sealed<RequestRow>>(
  'consent_read_request',
  `select ${sealedColumns('permission_requests')} from permission_requests
    where bucket = $1 and id = $2 and account_id = $3`,
);

export async function readRequest(
  db: Queryable,
  accountId: AccountId,
  id: PermissionRequestId,
): Promise<RequestRow | null> {
  const row = await db.first(READ_REQUEST, [bucketOf(id), id, accountId]);
  return row === undefined ? null : openedValue(db, row.state, row);
}

const READ_REQUESTS = statement<Sealed<RequestRow>>(
  'consent_read_requests',
  `select ${sealedColumns('permission_requests')} from permission_requests
    where (bucket, id) in (select * from unnest($1::smallint[], $2::text[])) order by id`,
);

/** Requests by their ids, oldest first; ids that name nothing are left out. */
export async function readRequests(
  db: Queryable,
  ids: readonly PermissionRequestId[],
): Promise<RequestRow[]> {
  return (await db.run(READ_REQUESTS, [ids.map((id) => bucketOf(id)), ids])).map((row) =>
    openedValue(db, row.state, row),
  );
}

const READ_PERMISSIONS = statement<Sealed<PermissionRow>>(
  'consent_read_permissions',
  `select ${sealedColumns('permissions')} from permissions
    where (bucket, id) in (select * from unnest($1::smallint[], $2::text[])) order by id`,
);

/** Permissions by their ids, oldest first; ids that name nothing are left out. */
export async function readPermissions(
  db: Queryable,
  ids: readonly PermissionId[],
): Promise<PermissionRow[]> {
  return (await db.run(READ_PERMISSIONS, [ids.map((id) => bucketOf(id)), ids])).map((row) =>
    openedValue(db, row.state, row),
  );
}

const READ_PERMISSION = statement<Sealed<PermissionRow>>(
  'consent_read_permission',
  `select ${sealedColumns('permissions')} from permissions
    where bucket = $1 and id = $2 and account_id = $3`,
);

export async function readPermission(
  db: Queryable,
  accountId: AccountId,
  id: PermissionId,
): Promise<PermissionRow | null> {
  const row = await db.first(READ_PERMISSION, [bucketOf(id), id, accountId]);
  return row === undefined ? null : openedValue(db, row.state, row);
}

const LIST_REQUESTS = statement<Sealed<RequestRow>>(
  'consent_list_requests',
  `select ${sealedColumns('permission_requests')} from permission_requests
    where account_id = $1 and ($2::text is null or contact_id = $2)
      and ($3::text is null or id < $3)
    order by id desc limit $4`,
);

const LIST_PERMISSIONS = statement<Sealed<PermissionRow>>(
  'consent_list_permissions',
  `select ${sealedColumns('permissions')} from permissions
    where account_id = $1 and ($2::text is null or contact_id = $2)
      and ($3::text is null or id < $3)
    order by id desc limit $4`,
);

export type ListFilter = { contactId: string | null; after: string | null; limit: number };

export async function listRequests(
  db: Queryable,
  accountId: AccountId,
  filter: ListFilter,
): Promise<RequestRow[]> {
  const values = [accountId, filter.contactId, filter.after, filter.limit];
  return (await db.run(LIST_REQUESTS, values)).map((row) => openedValue(db, row.state, row));
}

export async function listPermissions(
  db: Queryable,
  accountId: AccountId,
  filter: ListFilter,
): Promise<PermissionRow[]> {
  const values = [accountId, filter.contactId, filter.after, filter.limit];
  return (await db.run(LIST_PERMISSIONS, values)).map((row) => openedValue(db, row.state, row));
}

const STOP_WAKING = statement(
  'consent_stop_waking',
  'update consents set wakes_at = null where bucket = $1 and contact_id = $2',
);

/** Nothing happens by time any more on the lines of this contact. */
export async function stopWaking(tx: Tx, contactId: ContactId): Promise<void> {
  await tx.run(STOP_WAKING, [bucketOf(contactId), contactId]);
}
