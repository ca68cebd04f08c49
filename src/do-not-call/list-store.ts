import { OWN_LIST } from '../contacts/do-not-call-store.ts';
import { at, statement, type Queryable, type Tx } from '../database/database.ts';
import type { AccountId } from '../platform/ids.ts';

/** The lists of an account: where they come from, of which day they are, and how long they are. */
export type DoNotCallList = {
  name: string;
  entries: number;
  source: string | null;
  datedOn: string | null;
  importedAt: number | null;
};

const LISTS = statement<{
  name: string;
  entries: number;
  source: string | null;
  dated_on: string | null;
  imported_at: number | null;
}>(
  'do_not_call_lists',
  `select coalesce(l.name, e.list) as name, coalesce(e.entries, 0) as entries, l.source,
          l.dated_on, l.imported_at
     from (select list, count(*) as entries from do_not_call where account_id = $1
            group by list) e
     full join (select * from do_not_call_lists where account_id = $1) l on l.name = e.list
    order by 1`,
);

/** Every list that holds an entry or was imported. */
export async function listsOf(db: Queryable, accountId: AccountId): Promise<DoNotCallList[]> {
  const rows = await db.run(LISTS, [accountId]);
  return rows.map(({ name, entries, source, dated_on, imported_at }) => ({
    name,
    entries,
    source,
    datedOn: dated_on,
    importedAt: imported_at,
  }));
}

const KNOWN = statement<{ name: string }>(
  'do_not_call_list_known',
  'select name from do_not_call_lists where account_id = $1 and name = $2',
);

/** True for a list that may be written to: the own one, or one that was imported. */
export async function isKnownList(
  db: Queryable,
  accountId: AccountId,
  name: string,
): Promise<boolean> {
  return name === OWN_LIST || (await db.first(KNOWN, [accountId, name])) !== undefined;
}

const COUNT = statement<{ lists: number }>(
  'do_not_call_list_count',
  'select count(*) as lists from do_not_call_lists where account_id = $1',
);

export async function countLists(db: Queryable, accountId: AccountId): Promise<number> {
  return (await db.first(COUNT, [accountId]))?.lists ?? 0;
}

const SAVE = statement(
  'do_not_call_list_save',
  `insert into do_not_call_lists (account_id, name, source, dated_on, imported_at)
   values ($1, $2, $3, $4, $5)
   on conflict (account_id, name) do update set source = excluded.source,
     dated_on = excluded.dated_on, imported_at = excluded.imported_at`,
);

export async function saveList(
  tx: Tx,
  accountId: AccountId,
  list: { name: string; source: string; datedOn: string | null; now: number },
): Promise<void> {
  const { name, source, datedOn, now } = list;
  await tx.run(SAVE, [accountId, name, source, datedOn, at(now)]);
}
