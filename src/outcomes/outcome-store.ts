import {
  keyColumn,
  openedValue,
  sealedParts,
  type KeyColumn,
} from '../contacts/contact-key-store.ts';
import { at, statement, type Queryable } from '../database/database.ts';
import type { RowStore } from '../ledger/contact-unit.ts';
import type { FieldNames } from '../platform/divide.ts';
import { bucketOf, type AccountId, type CallId, type ContactId } from '../platform/ids.ts';
import type { AgentOutcome } from './outcome.ts';

/** Agents write of people. */
const OUTCOME_FIELDS: FieldNames = new Set(['note']);

const SAVE = statement(
  'outcome_save',
  `insert into call_outcomes (bucket, call_id, account_id, contact_id, version, outcome, actor,
     set_at, sealed)
   select * from unnest($1::smallint[], $2::text[], $3::text[], $4::text[], $5::integer[],
     $6::text[], $7::text[], $8::timestamptz[], $9::bytea[])
   on conflict (bucket, call_id) do update
     set version = excluded.version, outcome = excluded.outcome, actor = excluded.actor,
         set_at = excluded.set_at, sealed = excluded.sealed`,
);

/** The newest version replaces the one before; older ones stay in the ledger. */
export const outcomeRows: RowStore<AgentOutcome> = {
  async saveAll(tx, rows) {
    const parts = rows.map((row) =>
      sealedParts(tx, row.contactId, { note: row.note }, OUTCOME_FIELDS),
    );
    await tx.run(SAVE, [
      rows.map((row) => bucketOf(row.callId)),
      rows.map((row) => row.callId),
      rows.map((row) => row.accountId),
      rows.map((row) => row.contactId),
      rows.map((row) => row.version),
      rows.map((row) => row.outcome),
      rows.map((row) => row.actor),
      rows.map((row) => at(row.setAt)),
      parts.map(({ sealed }) => sealed),
    ]);
  },
};

type OutcomeRow = KeyColumn & {
  call_id: CallId;
  account_id: AccountId;
  contact_id: ContactId;
  version: number;
  outcome: string | null;
  actor: string;
  set_at: number;
  sealed: Buffer | null;
};

const COLUMNS = `call_id, account_id, contact_id, version, outcome, actor, set_at, sealed,
          ${keyColumn('call_outcomes')}`;

const OF_CALLS = statement<OutcomeRow>(
  'outcome_of_calls',
  `select ${COLUMNS} from call_outcomes
    where (bucket, call_id) in (select * from unnest($1::smallint[], $2::text[]))`,
);

/** What was written of these calls, as far as anything was. */
export async function outcomesOfCalls(
  db: Queryable,
  ids: readonly CallId[],
): Promise<AgentOutcome[]> {
  if (ids.length === 0) return [];
  const rows = await db.run(OF_CALLS, [ids.map((id) => bucketOf(id)), ids]);
  return rows.map((row) => toOutcome(db, row));
}

const OF_CONTACT = statement<OutcomeRow>(
  'outcome_of_contact',
  `select ${COLUMNS} from call_outcomes where bucket = $1 and contact_id = $2 order by call_id`,
);

/** What was written of the calls of one contact, the oldest call first. */
export async function outcomesOfContact(
  db: Queryable,
  contactId: ContactId,
): Promise<AgentOutcome[]> {
  const rows = await db.run(OF_CONTACT, [bucketOf(contactId), contactId]);
  return rows.map((row) => toOutcome(db, row));
}

function toOutcome(db: Queryable, row: OutcomeRow): AgentOutcome {
  return {
    callId: row.call_id,
    accountId: row.account_id,
    contactId: row.contact_id,
    version: row.version,
    outcome: row.outcome,
    // Of an erased person nothing can be opened, and nothing is left.
    note: openedValue(db, { note: null as string | null }, row).note,
    actor: row.actor,
    setAt: row.set_at,
  };
}
