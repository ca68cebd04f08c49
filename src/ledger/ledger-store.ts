import { at, statement, type Queryable, type Tx } from '../database/database.ts';
import { bucketOf, type AccountId, type ContactId, type Id } from '../platform/ids.ts';
import type { ChainedEntry } from './ledger.ts';

const INSERT = statement(
  'ledger_insert',
  `insert into ledger (bucket, contact_id, sequence, id, account_id, type, actor, at, data,
                       previous_hash, hash)
   select * from unnest($1::smallint[], $2::text[], $3::bigint[], $4::text[], $5::text[],
     $6::text[], $7::text[], $8::timestamptz[], $9::jsonb[], $10::bytea[], $11::bytea[])`,
);

export async function insertEntries(tx: Tx, entries: readonly ChainedEntry[]): Promise<void> {
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
};

const OF_CONTACT = statement<EntryRow>(
  'ledger_of_contact',
  `select sequence, id, account_id, contact_id, type, actor, at, data, previous_hash, hash
     from ledger where bucket = $1 and contact_id = $2 and sequence > $3
    order by sequence limit $4`,
);

const OF_CALL = statement<EntryRow>(
  'ledger_of_call',
  `select sequence, id, account_id, contact_id, type, actor, at, data, previous_hash, hash
     from ledger where bucket = $1 and contact_id = $2 and data ->> 'callId' = $3
    order by sequence limit 500`,
);

/** A contact's entries after `afterSequence`, oldest first. */
export async function entriesOfContact(
  db: Queryable,
  contactId: ContactId,
  afterSequence: number,
  limit: number,
): Promise<ChainedEntry[]> {
  const rows = await db.run(OF_CONTACT, [bucketOf(contactId), contactId, afterSequence, limit]);
  return rows.map(toEntry);
}

/** The entries of a contact's ledger that speak of one call, oldest first, at most 500. */
export async function entriesOfCall(
  db: Queryable,
  contactId: ContactId,
  callId: string,
): Promise<ChainedEntry[]> {
  return (await db.run(OF_CALL, [bucketOf(contactId), contactId, callId])).map(toEntry);
}

function toEntry(row: EntryRow): ChainedEntry {
  const { account_id: accountId, contact_id: contactId, previous_hash: previousHash } = row;
  const { sequence, id, type, actor, at: atMs, data, hash } = row;
  return { sequence, id, accountId, contactId, type, actor, at: atMs, data, previousHash, hash };
}
