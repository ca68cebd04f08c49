import { statement, type Tx } from '../database/database.ts';
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
