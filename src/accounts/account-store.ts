import { at, statement, type Queryable, type Tx } from '../database/database.ts';
import type { AccountId, Ids } from '../platform/ids.ts';
import type { AccountPolicy } from '../policy/layers.ts';

const BY_NAME = statement<{ id: AccountId }>(
  'account_by_name',
  'select id from accounts where name = $1 order by id limit 1',
);

const INSERT = statement('account_insert', 'insert into accounts (id, name) values ($1, $2)');

/** The account of that name, made if there is none. */
export async function ensureAccount(tx: Tx, ids: Ids, name: string): Promise<AccountId> {
  const known = await tx.first(BY_NAME, [name]);
  if (known !== undefined) return known.id;
  const id = ids.next('account');
  await tx.run(INSERT, [id, name]);
  return id;
}

const SET_POLICY = statement(
  'account_set_policy',
  `update accounts set settings = jsonb_set(settings, '{policy}', $2::jsonb) where id = $1`,
);

/** Replaces the policy settings of an account; they hold from the next decision on. */
export async function saveAccountPolicy(
  tx: Tx,
  id: AccountId,
  policy: AccountPolicy,
): Promise<void> {
  await tx.run(SET_POLICY, [id, JSON.stringify(policy)]);
}

/** What an account sets beside its policy; each part has a schema of its own. */
export type AccountSetting = 'surveys' | 'outcomes' | 'brakes' | 'practices';

const READ_SETTING = statement<{ setting: unknown }>(
  'account_read_setting',
  'select settings -> $2 as setting from accounts where id = $1',
);

/** Null where the account has set nothing. */
export async function readAccountSetting(
  db: Queryable,
  id: AccountId,
  name: AccountSetting,
): Promise<unknown> {
  return (await db.first(READ_SETTING, [id, name]))?.setting ?? null;
}

const SET_SETTING = statement(
  'account_set_setting',
  'update accounts set settings = jsonb_set(settings, array[$2::text], $3::jsonb) where id = $1',
);

export async function saveAccountSetting(
  tx: Tx,
  id: AccountId,
  name: AccountSetting,
  value: unknown,
): Promise<void> {
  await tx.run(SET_SETTING, [id, name, JSON.stringify(value)]);
}

/** Since when an account is stopped, by whom and why. */
export type AccountStop = { stoppedAt: number; stoppedBy: string; reason: string };

type StopRow = { stopped_at: number | null; stopped_by: string; stop_reason: string };

const READ_STOP = statement<StopRow>(
  'account_read_stop',
  'select stopped_at, stopped_by, stop_reason from accounts where id = $1',
);

/** Null where the account runs. */
export async function readStop(db: Queryable, id: AccountId): Promise<AccountStop | null> {
  return toStop(await db.first(READ_STOP, [id]));
}

const LOCK_STOP = statement<StopRow>(
  'account_lock_stop',
  'select stopped_at, stopped_by, stop_reason from accounts where id = $1 for update',
);

/** As `readStop`, once every dial that has begun is committed; no other begins before our end. */
export async function lockStop(tx: Tx, id: AccountId): Promise<AccountStop | null> {
  return toStop(await tx.first(LOCK_STOP, [id]));
}

function toStop(row: StopRow | undefined): AccountStop | null {
  if (row === undefined || row.stopped_at === null) return null;
  const { stopped_at: stoppedAt, stopped_by: stoppedBy, stop_reason: reason } = row;
  return { stoppedAt, stoppedBy, reason };
}

const SAVE_STOP = statement(
  'account_save_stop',
  'update accounts set stopped_at = $2, stopped_by = $3, stop_reason = $4 where id = $1',
);

/** Null lets the account run again. */
export async function saveStop(tx: Tx, id: AccountId, stop: AccountStop | null): Promise<void> {
  const { stoppedAt = null, stoppedBy = null, reason = null } = stop ?? {};
  await tx.run(SAVE_STOP, [id, at(stoppedAt), stoppedBy, reason]);
}

const SHARE = statement<{ id: AccountId; stopped_at: number | null }>(
  'account_share_stops',
  'select id, stopped_at from accounts where id = any ($1::text[]) order by id for share',
);

/**
 * Which of the accounts are stopped, and since when. A stop waits for whoever has asked here, so
 * what this transaction decides is never overtaken by one.
 */
export async function stopsAmong(
  tx: Tx,
  ids: readonly AccountId[],
): Promise<ReadonlyMap<AccountId, number>> {
  const rows = await tx.run(SHARE, [ids]);
  return new Map(
    rows.flatMap(({ id, stopped_at: stoppedAt }) => (stoppedAt === null ? [] : [[id, stoppedAt]])),
  );
}
