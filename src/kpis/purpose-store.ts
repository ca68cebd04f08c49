import { statement, type Queryable, type Tx } from '../database/database.ts';
import type { AccountId } from '../platform/ids.ts';
import { PURPOSE_PEOPLE_MIN } from './purposes.ts';

export type PurposeKey = { accountId: AccountId; id: string };

const PEOPLE = statement<{ account_id: AccountId; id: string; people: number }>(
  'kpi_purpose_people',
  `select v.account_id, v.id, (
      select count(*) from (
        select distinct q.contact_id from kpi_contributions q
         where q.account_id = v.account_id and q.purpose = v.id and q.purpose <> ''
         limit ${PURPOSE_PEOPLE_MIN}) p) as people
     from unnest($1::text[], $2::text[]) v (account_id, id)`,
);

const REMOVE = statement(
  'kpi_purposes_remove',
  `delete from kpi_purposes
    where (account_id, id) in (select * from unnest($1::text[], $2::text[]))`,
);

const SAVE = statement(
  'kpi_purposes_save',
  `insert into kpi_purposes (account_id, id, sealed)
   select * from unnest($1::text[], $2::text[], $3::bytea[])
   on conflict (account_id, id) do nothing`,
);

/**
 * After contributions changed: keeps the words of purposes that many people share, and takes away
 * those that too few share now. `words` has them where they were read just now.
 */
export async function settlePurposes(
  tx: Tx,
  touched: readonly PurposeKey[],
  words: ReadonlyMap<string, string>,
): Promise<void> {
  if (touched.length === 0) return;
  const rows = await tx.run(PEOPLE, [
    touched.map(({ accountId }) => accountId),
    touched.map(({ id }) => id),
  ]);
  const few = rows.filter(({ people }) => people < PURPOSE_PEOPLE_MIN);
  const many = rows.flatMap(({ account_id: accountId, id, people }) => {
    const text = words.get(id);
    return people < PURPOSE_PEOPLE_MIN || text === undefined ? [] : [{ accountId, id, text }];
  });
  if (few.length > 0) {
    await tx.run(REMOVE, [few.map((row) => row.account_id), few.map(({ id }) => id)]);
  }
  if (many.length === 0) return;
  await tx.run(SAVE, [
    many.map(({ accountId }) => accountId),
    many.map(({ id }) => id),
    many.map(({ text }) => tx.vault.sealer.seal(text)),
  ]);
}

const READ = statement<{ id: string; sealed: Buffer }>(
  'kpi_purposes_read',
  'select id, sealed from kpi_purposes where account_id = $1 and id = any ($2)',
);

/** The words of purposes, as far as they are kept. */
export async function readPurposes(
  db: Queryable,
  accountId: AccountId,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await db.run(READ, [accountId, ids]);
  return new Map(rows.map(({ id, sealed }) => [id, db.vault.sealer.open(sealed)]));
}
