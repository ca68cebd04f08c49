import { statement, type Tx } from '../database/database.ts';
import type { AccountId, Ids } from '../platform/ids.ts';

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
