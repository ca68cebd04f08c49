import { at, statement, type Queryable, type Tx } from '../database/database.ts';
import type { AccountId, ContactId } from '../platform/ids.ts';
import type { Erasure, Needles } from './privacy.ts';

type Row = {
  contact_id: ContactId;
  account_id: AccountId;
  state: Erasure['state'];
  actor: string;
  requested_at: number;
  erased_at: number | null;
  needles: Buffer | null;
  done_at: number | null;
};

const COLUMNS = 'contact_id, account_id, state, actor, requested_at, erased_at, needles, done_at';

const OPEN = statement(
  'erasure_open',
  `insert into erasures (contact_id, account_id, state, actor, requested_at)
   values ($1, $2, 'waiting', $3, $4) on conflict (contact_id) do nothing`,
);

/** Puts an erasure on record; one that is under way or done stays as it is. */
export async function openErasure(
  tx: Tx,
  wish: { contactId: ContactId; accountId: AccountId; actor: string; now: number },
): Promise<void> {
  await tx.run(OPEN, [wish.contactId, wish.accountId, wish.actor, at(wish.now)]);
}

const ERASED = statement(
  'erasure_erased',
  `update erasures set state = 'sweeping', erased_at = $2, needles = $3
    where contact_id = $1 and state = 'waiting'`,
);

export async function saveErased(
  tx: Tx,
  contactId: ContactId,
  now: number,
  needles: Needles,
): Promise<void> {
  const sealed = tx.vault.sealer.seal(JSON.stringify(needles));
  await tx.run(ERASED, [contactId, at(now), sealed]);
}

const DONE = statement(
  'erasure_done',
  `update erasures set state = 'done', done_at = $2, needles = null
    where contact_id = any ($1::text[]) and state = 'sweeping'`,
);

export async function saveSwept(
  db: Queryable,
  contactIds: readonly ContactId[],
  now: number,
): Promise<void> {
  await db.run(DONE, [contactIds, at(now)]);
}

const READ = statement<Row>(
  'erasure_read',
  `select ${COLUMNS} from erasures where contact_id = $1 and account_id = $2`,
);

export async function readErasure(
  db: Queryable,
  accountId: AccountId,
  contactId: ContactId,
): Promise<Erasure | null> {
  const row = await db.first(READ, [contactId, accountId]);
  return row === undefined ? null : toErasure(row);
}

const UNFINISHED = statement<Row>(
  'erasure_unfinished',
  `select ${COLUMNS} from erasures where state <> 'done' order by requested_at limit $1`,
);

/** An erasure with what its sweep looks for. */
export type OpenErasure = Erasure & { needles: Needles };

export async function unfinishedErasures(db: Queryable, limit: number): Promise<OpenErasure[]> {
  return (await db.run(UNFINISHED, [limit])).map((row) => ({
    ...toErasure(row),
    needles:
      row.needles === null
        ? { contactIds: [], names: [] }
        : (JSON.parse(db.vault.sealer.open(row.needles)) as Needles),
  }));
}

function toErasure(row: Row): Erasure {
  return {
    contactId: row.contact_id,
    accountId: row.account_id,
    state: row.state,
    actor: row.actor,
    requestedAt: row.requested_at,
    erasedAt: row.erased_at,
    doneAt: row.done_at,
  };
}
