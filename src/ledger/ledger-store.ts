import { at, statement, type Queryable, type Tx } from '../database/database.ts';
import {
  bucketOf,
  type AccountId,
  type CallId,
  type ContactId,
  type Id,
  type PermissionId,
  type PermissionRequestId,
} from '../platform/ids.ts';
import { keyInRow } from '../contacts/contact-key-store.ts';
import type { ChainedEntry, ChainHead, OpenedEntry } from './ledger.ts';

// The second row tells who makes checkpoints that these contacts have entries under none.
const INSERT = statement(
  'ledger_insert',
  `with entry as (
     insert into ledger (bucket, contact_id, sequence, id, account_id, type, actor, at, data,
                         previous_hash, hash, sealed)
     select * from unnest($1::smallint[], $2::text[], $3::bigint[], $4::text[], $5::text[],
       $6::text[], $7::text[], $8::timestamptz[], $9::jsonb[], $10::bytea[], $11::bytea[],
       $12::bytea[]))
   insert into ledger_pending (bucket, contact_id, account_id)
   select * from unnest($13::smallint[], $14::text[], $15::text[])`,
);

export async function insertEntries(tx: Tx, entries: readonly ChainedEntry[]): Promise<void> {
  const contacts = [...new Map(entries.map((entry) => [entry.contactId, entry])).values()];
  await tx.run(INSERT, [
    entries.map((entry) => bucketOf(entry.contactId)),
    entries.map((entry) => entry.contactId),
    entries.map((entry) => entry.sequence),
    entries.map((entry) => entry.id),
    entries.map((entry) => entry.accountId),
    entries.map((entry) => entry.type),
    entries.map((entry) => entry.actor),
    entries.map((entry) => at(entry.at)),
    entries.map((entry) => JSON.stringify(entry.data)),
    entries.map((entry) => Buffer.from(entry.previousHash)),
    entries.map((entry) => Buffer.from(entry.hash)),
    entries.map(({ sealed }) => (sealed === null ? null : Buffer.from(sealed))),
    contacts.map(({ contactId }) => bucketOf(contactId)),
    contacts.map(({ contactId }) => contactId),
    contacts.map(({ accountId }) => accountId),
  ]);
}

type EntryRow = {
  sequence: number;
  id: Id<'event'>;
  account_id: AccountId;
  contact_id: ContactId;
  type: string;
  actor: string;
  at: number;
  data: Record<string, unknown>;
  previous_hash: Buffer;
  hash: Buffer;
  sealed: Buffer | null;
  sealed_key: Buffer | null;
};

const COLUMNS = `l.sequence, l.id, l.account_id, l.contact_id, l.type, l.actor, l.at, l.data,
  l.previous_hash, l.hash, l.sealed, k.sealed_key`;
const TABLES = `ledger l
  left join contact_keys k on k.bucket = l.bucket and k.contact_id = l.contact_id`;

const OF_CONTACT = statement<EntryRow>(
  'ledger_of_contact',
  `select ${COLUMNS} from ${TABLES} where l.bucket = $1 and l.contact_id = $2
      and l.sequence > $3 order by l.sequence limit $4`,
);

const OF_CALL = statement<EntryRow>(
  'ledger_of_call',
  `select ${COLUMNS} from ${TABLES} where l.bucket = $1 and l.contact_id = $2
      and l.data ->> 'callId' = $3 order by l.sequence limit 500`,
);

const OF_TYPES = statement<EntryRow>(
  'ledger_of_types',
  `select ${COLUMNS} from ${TABLES} where l.bucket = $1 and l.contact_id = $2
      and l.sequence > $3 and l.type = any ($4) order by l.sequence limit $5`,
);

const OF_CHAINS = statement<EntryRow>(
  'ledger_of_chains',
  `select ${COLUMNS} from ${TABLES}
     join unnest($1::smallint[], $2::text[], $3::bigint[]) v (bucket, contact_id, last)
       on l.bucket = v.bucket and l.contact_id = v.contact_id and l.sequence <= v.last
    order by l.contact_id, l.sequence`,
);

/** A contact's entries of some types after `afterSequence`, oldest first. */
export async function entriesOfTypes(
  db: Queryable,
  contactId: ContactId,
  types: readonly string[],
  afterSequence: number,
  limit: number,
): Promise<OpenedEntry[]> {
  const values = [bucketOf(contactId), contactId, afterSequence, types, limit];
  return (await db.run(OF_TYPES, values)).map((row) => toEntry(db, row));
}

/** All entries of several chains up to their heads, by contact id and sequence. */
export async function entriesOfChains(
  db: Queryable,
  chains: ReadonlyArray<{ contactId: ContactId; head: ChainHead }>,
): Promise<OpenedEntry[]> {
  const rows = await db.run(OF_CHAINS, [
    chains.map(({ contactId }) => bucketOf(contactId)),
    chains.map(({ contactId }) => contactId),
    chains.map(({ head }) => head.sequence),
  ]);
  return rows.map((row) => toEntry(db, row));
}

/** An entry that speaks of a request, a permission or a call, without what it says of it. */
export type LedgerLink = {
  sequence: number;
  type: string;
  at: number;
  requestId: PermissionRequestId | null;
  permissionId: PermissionId | null;
  callId: CallId | null;
};

type LinkRow = {
  sequence: number;
  type: string;
  at: number;
  request_id: PermissionRequestId | null;
  permission_id: PermissionId | null;
  call_id: CallId | null;
};

const LINKS = statement<LinkRow>(
  'ledger_links',
  `select * from (
     select sequence, type, at, data ->> 'callId' as call_id,
            coalesce(data ->> 'requestId', data -> 'request' ->> 'requestId',
                     data -> 'permission' ->> 'requestId') as request_id,
            coalesce(data ->> 'permissionId', data -> 'permission' ->> 'permissionId')
              as permission_id
       from ledger where bucket = $1 and contact_id = $2 and sequence > $3
      order by sequence limit $4) l`,
);

/** What a contact's entries after `afterSequence` speak of, oldest first. */
export async function linksOfContact(
  db: Queryable,
  contactId: ContactId,
  afterSequence: number,
  limit: number,
): Promise<LedgerLink[]> {
  const rows = await db.run(LINKS, [bucketOf(contactId), contactId, afterSequence, limit]);
  return rows.map(
    ({ request_id: requestId, permission_id: permissionId, call_id: callId, ...rest }) => ({
      ...rest,
      requestId,
      permissionId,
      callId,
    }),
  );
}

/** A contact's entries after `afterSequence`, oldest first. */
export async function entriesOfContact(
  db: Queryable,
  contactId: ContactId,
  afterSequence: number,
  limit: number,
): Promise<OpenedEntry[]> {
  const rows = await db.run(OF_CONTACT, [bucketOf(contactId), contactId, afterSequence, limit]);
  return rows.map((row) => toEntry(db, row));
}

/** The entries of a contact's ledger that speak of one call, oldest first, at most 500. */
export async function entriesOfCall(
  db: Queryable,
  contactId: ContactId,
  callId: string,
): Promise<OpenedEntry[]> {
  return (await db.run(OF_CALL, [bucketOf(contactId), contactId, callId])).map((row) =>
    toEntry(db, row),
  );
}

function toEntry(db: Queryable, row: EntryRow): OpenedEntry {
  const { account_id: accountId, contact_id: contactId, previous_hash: previousHash } = row;
  const { sequence, id, type, actor, at: atMs, data, hash, sealed } = row;
  const stored = { sequence, id, accountId, contactId, type, actor, at: atMs, data };
  const entry = { ...stored, sealed, previousHash, hash };
  const key = sealed === null ? null : keyInRow(db, contactId, row.sealed_key);
  if (sealed === null || key === null) return { ...entry, personal: null, sealKey: null };
  const personal = key.openThing(id, sealed) as Record<string, unknown>;
  return { ...entry, personal, sealKey: key.keyFor(id) };
}

const LAST_AT = statement<{ at: number }>(
  'ledger_last_of_type',
  `select at from ledger where bucket = $1 and contact_id = $2 and type = $3
    order by sequence desc limit 1`,
);

/** When the contact's latest entry of a type happened, in ms. */
export async function lastEntryAt(
  db: Queryable,
  contactId: ContactId,
  type: string,
): Promise<number | null> {
  return (await db.first(LAST_AT, [bucketOf(contactId), contactId, type]))?.at ?? null;
}
