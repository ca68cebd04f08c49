import { at, statement, type Queryable, type Tx } from '../database/database.ts';
import type { AccountId, ContactId } from '../platform/ids.ts';

/** Working out anew all figures of an account, from the ledger alone. */
export type Rebuild = {
  accountId: AccountId;
  actor: string;
  askedAt: number;
  /** People that were gone through, and rows that had said something else. */
  contacts: number;
  changed: number;
  /** Sums that had said something else than their rows; null until the end. */
  rollupsChanged: number | null;
  finishedAt: number | null;
};

type Row = {
  account_id: AccountId;
  actor: string;
  asked_at: number;
  after_id: string;
  contacts: number;
  changed: number;
  rollups_changed: number | null;
  finished_at: number | null;
};

const ASK = statement(
  'kpi_rebuild_ask',
  `insert into kpi_rebuilds (account_id, actor, asked_at) values ($1, $2, $3)
   on conflict (account_id) do update
     set actor = excluded.actor, asked_at = excluded.asked_at, after_id = '', contacts = 0,
         changed = 0, rollups_changed = null, finished_at = null
   where kpi_rebuilds.finished_at is not null`,
);

/** Begins a rebuild; one that is under way goes on as it is. */
export async function askRebuild(
  db: Queryable,
  accountId: AccountId,
  { actor, now }: { actor: string; now: number },
): Promise<void> {
  await db.run(ASK, [accountId, actor, at(now)]);
}

const READ = statement<Row>('kpi_rebuild_read', 'select * from kpi_rebuilds where account_id = $1');

export async function readRebuild(db: Queryable, accountId: AccountId): Promise<Rebuild | null> {
  const row = await db.first(READ, [accountId]);
  return row === undefined ? null : toRebuild(row);
}

const OPEN = statement<Row>(
  'kpi_rebuild_open',
  'select * from kpi_rebuilds where finished_at is null order by asked_at limit 1',
);

/** The rebuild that is under way, with the contact it has come to. */
export async function openRebuild(tx: Tx): Promise<(Rebuild & { afterId: string }) | null> {
  const row = await tx.first(OPEN);
  return row === undefined ? null : { ...toRebuild(row), afterId: row.after_id };
}

const NEXT = statement<{ id: ContactId }>(
  'kpi_rebuild_next',
  'select id from contacts where account_id = $1 and id > $2 order by id limit $3',
);

export async function contactsAfter(
  tx: Tx,
  accountId: AccountId,
  afterId: string,
  limit: number,
): Promise<ContactId[]> {
  return (await tx.run(NEXT, [accountId, afterId, limit])).map(({ id }) => id);
}

const SAVE = statement(
  'kpi_rebuild_save',
  `update kpi_rebuilds set after_id = $2, contacts = contacts + $3, changed = changed + $4
    where account_id = $1`,
);

export async function saveStep(
  tx: Tx,
  accountId: AccountId,
  step: { afterId: string; contacts: number; changed: number },
): Promise<void> {
  await tx.run(SAVE, [accountId, step.afterId, step.contacts, step.changed]);
}

const FINISH = statement(
  'kpi_rebuild_finish',
  'update kpi_rebuilds set rollups_changed = $2, finished_at = $3 where account_id = $1',
);

export async function finishRebuild(
  tx: Tx,
  accountId: AccountId,
  done: { rollupsChanged: number; now: number },
): Promise<void> {
  await tx.run(FINISH, [accountId, done.rollupsChanged, at(done.now)]);
}

function toRebuild(row: Row): Rebuild {
  return {
    accountId: row.account_id,
    actor: row.actor,
    askedAt: row.asked_at,
    contacts: row.contacts,
    changed: row.changed,
    rollupsChanged: row.rollups_changed,
    finishedAt: row.finished_at,
  };
}
