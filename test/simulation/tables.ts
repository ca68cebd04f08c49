import { statement, type Database } from '../../src/database/database.ts';
import { invariant } from '../../src/platform/invariant.ts';

/**
 * The tables between two days. Emptying a table costs as much as a hundred statements, whether
 * anything was written to it or not, so only those are emptied that a day's statements name.
 */
export type Tables = {
  willWrite(text: string): void;
  /** Puts every table back that was written, as it stood when this was opened. */
  clear(): Promise<void>;
  /** Throws when a table is not as it was: something was written that nobody was told of. */
  verify(): Promise<void>;
};

const TABLES = statement<{ name: string; parents: string[]; columns: string }>(
  'stage_tables',
  `select c.relname as name, array(
      select confrelid::regclass::text from pg_constraint
       where conrelid = c.oid and contype = 'f') as parents,
     (select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
       where attrelid = c.oid and attnum > 0 and not attisdropped
         and attgenerated = '') as columns
     from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
      and c.relname <> 'schema_migrations'
    order by c.oid`,
);

/**
 * Most that a poll names stays as it was made. A table without a page was never written; one that
 * counts its rows may have counted one that was never written either.
 */
const TOUCHED = statement<{ name: string }>(
  'stage_touched_tables',
  `select c.relname as name from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
      and (pg_relation_size(c.oid) > 0 or exists (select 1 from pg_attribute
        where attrelid = c.oid and attidentity <> ''))`,
);

export async function openTables(database: Database): Promise<Tables> {
  const tables = await database.run(TABLES);
  const names = tables.map(({ name }) => name);
  // A kept table is made for the empty ones too: it also says that they were empty.
  await database.script(
    names.map((name) => `create table kept."${name}" as table public."${name}";`).join('\n'),
  );
  const written = new Set<string>();
  const known = new Map<string, readonly string[]>();
  return {
    willWrite(text) {
      let found = known.get(text);
      if (found === undefined) known.set(text, (found = writtenBy(text)));
      for (const name of found) written.add(name);
    },
    async clear() {
      if (written.size === 0) return;
      const touched = new Set((await database.run(TOUCHED)).map(({ name }) => name));
      for (const name of written) if (!touched.has(name)) written.delete(name);
      // Those come in the order they were made in: parents before their children.
      for (const { name, parents } of tables) {
        if (parents.some((parent) => written.has(parent.replaceAll('"', '')))) written.add(name);
      }
      const emptied = tables.filter(({ name }) => written.has(name));
      written.clear();
      if (emptied.length === 0) return;
      const list = emptied.map(({ name }) => `public."${name}"`).join(', ');
      // What the database makes of other columns, it makes again.
      const restore = emptied.map(
        ({ name, columns }) => `insert into public."${name}" (${columns})
          overriding system value select ${columns} from kept."${name}";`,
      );
      await database.script(`truncate ${list} restart identity;\n${restore.join('\n')}`);
    },
    async verify() {
      for (const name of names) {
        // As text, because not every type can be compared.
        const [now, then] = ['public', 'kept'].map((of) => `select t::text from ${of}."${name}" t`);
        const differs = await database.first({
          name: '',
          text: `(${now} except all ${then}) union all (${then} except all ${now}) limit 1`,
        });
        invariant(differs === undefined, `the table ${name} was written behind our back`);
      }
    },
  };
}

/** The tables that a statement may write; words that are no table do no harm. */
function writtenBy(text: string): string[] {
  const verbs = /\b(?:insert\s+into|update|delete\s+from)\s+(?:only\s+)?"?(\w+)"?/gi;
  return [...text.matchAll(verbs)].map((match) => match[1] ?? '');
}
