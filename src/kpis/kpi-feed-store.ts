import { keyInRow } from '../contacts/contact-key-store.ts';
import { at, statement, unmeasured, type Tx } from '../database/database.ts';
import { bucketOf, type AccountId, type ContactId } from '../platform/ids.ts';
import { COUNTED_TYPES, type CountedEntry } from './contribution.ts';
import { DIMENSIONS, MEASURES, type Contribution, type Dimensions, type Measures } from './kpis.ts';
import { purposeIdOf } from './purposes.ts';

const LOCK = statement('kpi_feed_lock', 'select one from kpi_feed for update skip locked');

/** True when this transaction is the one that counts; whoever else wants to comes later. */
export async function lockFeed(tx: Tx): Promise<boolean> {
  return (await tx.run(LOCK)).length > 0;
}

export type PendingContact = { contactId: ContactId; isBehind: boolean };

// What a checkpoint covered before it was counted was handed over; the rest still waits there,
// and is only looked at, because it belongs to whoever makes checkpoints. That look passes all
// people since the last checkpoint, so it is left out where hints tell who it was.
const BEHIND = statement<{ contact_id: ContactId; behind: boolean }>(
  'kpi_behind',
  `with taken as (
     delete from kpi_pending where ctid = any (array(select ctid from kpi_pending limit $1))
     returning bucket, contact_id)
   select t.contact_id, c.ledger_sequence > coalesce(k.sequence, 0) as behind from taken t
     join contacts c on c.bucket = t.bucket and c.id = t.contact_id
     left join kpi_contacts k on k.bucket = t.bucket and k.contact_id = t.contact_id
   union
   select * from (
     select p.contact_id, true from ledger_pending p
       join contacts c on c.bucket = p.bucket and c.id = p.contact_id
       left join kpi_contacts k on k.bucket = p.bucket and k.contact_id = p.contact_id
      where $2 and c.ledger_sequence > coalesce(k.sequence, 0) limit $1) waiting
   union
   select v.id, c.ledger_sequence > coalesce(k.sequence, 0)
     from unnest(${unmeasured('$3::smallint[]')}, $4::text[]) v (bucket, id)
     join contacts c on c.bucket = v.bucket and c.id = v.id
     left join kpi_contacts k on k.bucket = v.bucket and k.contact_id = v.id`,
);

/** Where to look: at these, and with `all` at whoever waits for a checkpoint. */
export type LookAt = { limit: number; all: boolean; hinted: readonly ContactId[] };

/** Contacts whose ledger may have grown since they were counted: up to `limit` of each place. */
export async function contactsBehind(
  tx: Tx,
  { limit, all, hinted }: LookAt,
): Promise<PendingContact[]> {
  const rows = await tx.run(BEHIND, [limit, all, hinted.map((id) => bucketOf(id)), hinted]);
  return rows.map(({ contact_id: contactId, behind: isBehind }) => ({ contactId, isBehind }));
}

export type CountedPerson = {
  contactId: ContactId;
  accountId: AccountId;
  country: string | null;
  /** The last entry that is counted. */
  sequence: number;
  sealedKey: Buffer | null;
};

type PersonRow = {
  id: ContactId;
  account_id: AccountId;
  country: string | null;
  ledger_sequence: number;
  sealed_key: Buffer | null;
};

const PEOPLE = statement<PersonRow>(
  'kpi_people',
  `select c.id, c.account_id, c.country, c.ledger_sequence,
          case when c.erased_at is null then k.sealed_key end as sealed_key
     from unnest($1::smallint[], $2::text[]) v (bucket, id)
     join contacts c on c.bucket = v.bucket and c.id = v.id
     left join contact_keys k on k.bucket = c.bucket and k.contact_id = c.id`,
);

export async function readPeople(
  tx: Tx,
  contactIds: readonly ContactId[],
): Promise<CountedPerson[]> {
  const rows = await tx.run(PEOPLE, [contactIds.map((id) => bucketOf(id)), contactIds]);
  return rows.map((row) => ({
    contactId: row.id,
    accountId: row.account_id,
    country: row.country,
    sequence: row.ledger_sequence,
    sealedKey: row.sealed_key,
  }));
}

type EntryRow = {
  contact_id: ContactId;
  sequence: number;
  id: string;
  type: string;
  at: number;
  data: Record<string, unknown>;
  sealed: Buffer | null;
};

const CHAINS = statement<EntryRow>(
  'kpi_chains',
  `select l.contact_id, l.sequence, l.id, l.type, l.at, l.data,
          case when l.type in ('PermissionRequested', 'CallRequested') then l.sealed end as sealed
     from unnest($1::smallint[], $2::text[], $3::bigint[]) v (bucket, contact_id, last)
     join ledger l on l.bucket = v.bucket and l.contact_id = v.contact_id and l.sequence <= v.last
    where l.type = any ($4)`,
);

/** A person's entries, and the words of the purposes in them by their hashes. */
export type CountedChain = { entries: CountedEntry[]; purposes: Map<string, string> };

/** What figures need of the chains of several people, up to the entry they were read at. */
export async function readChains(
  tx: Tx,
  people: readonly CountedPerson[],
): Promise<ReadonlyMap<ContactId, CountedChain>> {
  const rows = await tx.run(CHAINS, [
    people.map(({ contactId }) => bucketOf(contactId)),
    people.map(({ contactId }) => contactId),
    people.map(({ sequence }) => sequence),
    COUNTED_TYPES,
  ]);
  const byContact = Map.groupBy(rows, ({ contact_id: contactId }) => contactId);
  return new Map(people.map((person) => [person.contactId, chainOf(tx, person, byContact)]));
}

function chainOf(
  tx: Tx,
  { contactId, accountId, sealedKey }: CountedPerson,
  rows: ReadonlyMap<ContactId, EntryRow[]>,
): CountedChain {
  const key = keyInRow(tx, contactId, sealedKey);
  const purposes = new Map<string, string>();
  const entries = (rows.get(contactId) ?? []).map((row) => {
    const { type, sequence, at: atMs, data, sealed } = row;
    const entry = { type, sequence, at: atMs, data, purpose: '' };
    if (sealed === null || key === null) return entry;
    const { purpose } = key.openThing(row.id, sealed) as { purpose?: unknown };
    if (typeof purpose !== 'string' || purpose === '') return entry;
    const purposeId = purposeIdOf(tx.vault, accountId, purpose);
    purposes.set(purposeId, purpose);
    return { ...entry, purpose: purposeId };
  });
  return { entries, purposes };
}

const SAVE_COUNTED = statement(
  'kpi_contacts_save',
  `insert into kpi_contacts (bucket, contact_id, sequence)
   select * from unnest($1::smallint[], $2::text[], $3::bigint[])
   on conflict (bucket, contact_id) do update set sequence = excluded.sequence`,
);

/** Remembers up to where people were counted. */
export async function saveCounted(tx: Tx, people: readonly CountedPerson[]): Promise<void> {
  await tx.run(SAVE_COUNTED, [
    people.map(({ contactId }) => bucketOf(contactId)),
    people.map(({ contactId }) => contactId),
    people.map(({ sequence }) => sequence),
  ]);
}

const CONTRIBUTION_COLUMNS = ['kind', 'at', ...DIMENSIONS, ...MEASURES];

type ContributionRow = { id: string; account_id: AccountId; contact_id: ContactId } & {
  kind: Contribution['kind'];
  at: number;
} & Record<(typeof DIMENSIONS)[number], string> &
  Record<(typeof MEASURES)[number], number>;

const OF_CONTACTS = statement<ContributionRow>(
  'kpi_contributions_of',
  `select q.* from unnest(${unmeasured('$1::smallint[]')}, $2::text[]) v (bucket, contact_id)
     join kpi_contributions q on q.bucket = v.bucket and q.contact_id = v.contact_id`,
);

/** What people contribute as it was counted last. */
export async function readContributions(
  tx: Tx,
  contactIds: readonly ContactId[],
): Promise<Contribution[]> {
  const rows = await tx.run(OF_CONTACTS, [contactIds.map((id) => bucketOf(id)), contactIds]);
  return rows.map((row) => ({
    id: row.id,
    contactId: row.contact_id,
    kind: row.kind,
    at: row.at,
    dimensions: Object.fromEntries(DIMENSIONS.map((name) => [name, row[name]])) as Dimensions,
    measures: Object.fromEntries(MEASURES.map((name) => [name, row[name]])) as Measures,
  }));
}

const SAVE = statement(
  'kpi_contributions_save',
  `insert into kpi_contributions (bucket, id, account_id, contact_id,
     ${CONTRIBUTION_COLUMNS.join(', ')})
   select * from unnest($1::smallint[], $2::text[], $3::text[], $4::text[], $5::text[],
     $6::timestamptz[], ${DIMENSIONS.map((_, index) => `$${index + 7}::text[]`).join(', ')},
     ${MEASURES.map((_, index) => `$${index + 7 + DIMENSIONS.length}::integer[]`).join(', ')})
   on conflict (bucket, id) do update
     set ${CONTRIBUTION_COLUMNS.map((name) => `${name} = excluded.${name}`).join(', ')}`,
);

export type AccountContribution = { accountId: AccountId; contribution: Contribution };

export async function saveContributions(
  tx: Tx,
  rows: readonly AccountContribution[],
): Promise<void> {
  if (rows.length === 0) return;
  const all = rows.map(({ contribution }) => contribution);
  await tx.run(SAVE, [
    all.map(({ contactId }) => bucketOf(contactId as ContactId)),
    all.map(({ id }) => id),
    rows.map(({ accountId }) => accountId),
    all.map(({ contactId }) => contactId),
    all.map(({ kind }) => kind),
    all.map((row) => at(row.at)),
    ...DIMENSIONS.map((name) => all.map(({ dimensions }) => dimensions[name])),
    ...MEASURES.map((name) => all.map(({ measures }) => Math.min(measures[name], INTEGER_MAX))),
  ]);
}

/** About 24 days in milliseconds; no call lasts that long. */
const INTEGER_MAX = 2_147_483_647;

const REMOVE = statement(
  'kpi_contributions_remove',
  `delete from kpi_contributions where (bucket, id) in
     (select * from unnest($1::smallint[], $2::text[]))`,
);

/** Takes away what the ledger does not say any more. */
export async function removeContributions(tx: Tx, gone: readonly Contribution[]): Promise<void> {
  if (gone.length === 0) return;
  const buckets = gone.map(({ contactId }) => bucketOf(contactId as ContactId));
  await tx.run(REMOVE, [buckets, gone.map(({ id }) => id)]);
}
