import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';

/**
 * Where something that should be gone might still be: every row of every table as text, and every
 * file of a folder. Bytes are shown by PostgreSQL in hex, so a search looks for that form too.
 */
export type Places = Map<string, string>;

/** Every table of the database, each as one text. */
export async function allTables(connectionString: string): Promise<Places> {
  const client = new Client({ connectionString });
  await client.connect();
  const places: Places = new Map();
  try {
    const tables = await client.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables
        where schemaname not in ('pg_catalog', 'information_schema')`,
    );
    for (const { name } of tables.rows) {
      const rows = await client.query<{ row: string }>(`select t::text as row from ${name} t`);
      places.set(name, rows.rows.map(({ row }) => row).join('\n'));
    }
  } finally {
    await client.end();
  }
  return places;
}

export async function allFiles(folder: string): Promise<Places> {
  const places: Places = new Map();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    places.set(path, (await readFile(path)).toString('latin1'));
  }
  return places;
}

/** Every form in which a text may be written down: as it is, in hex, in base64, in a URL. */
export function formsOf(text: string): string[] {
  const bytes = Buffer.from(text);
  const base64 = [0, 1, 2].map((shift) => {
    const shifted = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    // What stands beside it changes the first and the last characters.
    return shifted.slice(shift === 0 ? 0 : 4, -4);
  });
  const url = base64.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'));
  const forms = [text, bytes.toString('hex'), encodeURIComponent(text), ...base64, ...url];
  return [...new Set(forms)].filter((form) => form.length >= START);
}

/** Each trace as "place: text", where the text is found in any of its forms. */
export function tracesIn(places: Places, texts: readonly string[]): string[] {
  const forms = texts.flatMap((text) => formsOf(text).map((form) => ({ text, form })));
  const byStart = Map.groupBy(forms, ({ form }) => form.slice(0, START));
  const starts = hashesOf([...byStart.keys()]);
  const found: string[] = [];
  for (const [place, content] of places) {
    const here = new Map<string, string>();
    for (const at of likelyPlaces(content, starts)) {
      for (const { text, form } of byStart.get(content.slice(at, at + START)) ?? []) {
        if (content.startsWith(form, at)) here.set(text, form);
      }
    }
    for (const [text, form] of here) found.push(`${place}: ${text} as ${form}`);
  }
  return found;
}

/** No form is shorter. */
const START = 7;
const BASE = 31;
/** What a character is worth that leaves a window of that length. */
const LEAVING = BASE ** START;
const SLOTS = 1 << 20;

/** A mark for the hash of each start: thousands of forms are looked for in one pass. */
function hashesOf(starts: readonly string[]): Uint8Array {
  const marked = new Uint8Array(SLOTS);
  for (const start of starts) {
    let hash = 0;
    for (let at = 0; at < START; at += 1) hash = roll(hash, start.charCodeAt(at), 0);
    marked[slotOf(hash)] = 1;
  }
  return marked;
}

/** Where a form may begin: always where one does, and now and then where none does. */
function* likelyPlaces(content: string, marked: Uint8Array): Generator<number> {
  let hash = 0;
  for (let end = 0; end < content.length; end += 1) {
    const left = end < START ? 0 : content.charCodeAt(end - START);
    hash = roll(hash, content.charCodeAt(end), left);
    if (end + 1 >= START && marked[slotOf(hash)] === 1) yield end + 1 - START;
  }
}

function roll(hash: number, entering: number, leaving: number): number {
  return (Math.imul(hash, BASE) + entering - Math.imul(leaving, LEAVING)) | 0;
}

function slotOf(hash: number): number {
  return (hash ^ (hash >>> 15)) & (SLOTS - 1);
}
