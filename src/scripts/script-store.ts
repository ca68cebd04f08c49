import { at, statement, type Queryable, type Tx } from '../database/database.ts';
import type { AccountId, Id } from '../platform/ids.ts';
import { soundsOf, type ScriptDocument } from './script.ts';

export type ScriptId = Id<'script'>;

/** One version of a script; the newest is the one that new calls take. */
export type StoredScript = {
  id: ScriptId;
  version: number;
  accountId: AccountId;
  document: ScriptDocument;
  /** Sealed; null where the script asks no web service. */
  secret: Buffer | null;
  createdAt: number;
};

type ScriptRow = {
  id: ScriptId;
  version: number;
  account_id: AccountId;
  document: ScriptDocument;
  secret: Buffer | null;
  created_at: number;
};

const COLUMNS = 'id, version, account_id, document, secret, created_at';

const ADD = statement(
  'script_add',
  `with older as (
     update scripts set is_latest = false where id = $1 and account_id = $3 and is_latest)
   insert into scripts (id, version, account_id, name, document, prompts, secret, is_latest,
                        created_at)
   values ($1, $2, $3, $4, $5, $6, $7, false, $8)`,
);
const MARK_LATEST = statement(
  'script_mark_latest',
  'update scripts set is_latest = true where id = $1 and version = $2',
);
const LATEST = statement<ScriptRow>(
  'script_latest',
  `select ${COLUMNS} from scripts where account_id = $1 and id = $2 and is_latest`,
);
const LATEST_LOCKED = statement<ScriptRow>(
  'script_latest_locked',
  `select ${COLUMNS} from scripts where account_id = $1 and id = $2 and is_latest for update`,
);
const VERSION = statement<ScriptRow>(
  'script_version',
  `select ${COLUMNS} from scripts where account_id = $1 and id = $2 and version = $3`,
);
const LIST = statement<ScriptRow>(
  'script_list',
  `select ${COLUMNS} from scripts
    where account_id = $1 and is_latest and ($2::text is null or id < $2)
    order by id desc limit $3`,
);

/** Writes a version and makes it the newest. Two at a time: lock the one before first. */
export async function addScriptVersion(tx: Tx, script: StoredScript): Promise<void> {
  const { id, version, accountId, document, secret, createdAt } = script;
  const prompts = document.steps
    .flatMap((step) => soundsOf(step))
    .flatMap(({ sound }) => sound.play ?? [])
    .filter((name) => !name.startsWith('builtin:'));
  await tx.run(ADD, [
    id,
    version,
    accountId,
    document.name,
    JSON.stringify(document),
    [...new Set(prompts)],
    secret,
    at(createdAt),
  ]);
  // Apart: in one statement both rows would be the latest for the index.
  await tx.run(MARK_LATEST, [id, version]);
}

/** The newest version, or the one that is asked for. */
export async function readScript(
  db: Queryable,
  accountId: AccountId,
  id: ScriptId,
  version?: number,
): Promise<StoredScript | null> {
  const row =
    version === undefined
      ? await db.first(LATEST, [accountId, id])
      : await db.first(VERSION, [accountId, id, version]);
  return row === undefined ? null : scriptIn(row);
}

const BY_NAME = statement<ScriptRow>(
  'script_by_name',
  `select ${COLUMNS} from scripts
    where account_id = $1 and name = $2 and is_latest order by id limit 1`,
);

/** The newest version of the script of that name; of several the oldest. */
export async function findScript(
  db: Queryable,
  accountId: AccountId,
  name: string,
): Promise<StoredScript | null> {
  const row = await db.first(BY_NAME, [accountId, name]);
  return row === undefined ? null : scriptIn(row);
}

const CONNECTING = statement<{ name: string }>(
  'script_connecting',
  `select name from scripts
    where account_id = $1 and is_latest
      and exists (select 1 from jsonb_array_elements(document -> 'steps') step
                   where step ->> 'endpoint' = any ($2::text[]))
    order by id limit 5`,
);

/** Names of scripts whose present version connects to that endpoint, by its id or name. */
export async function scriptsThatConnect(
  db: Queryable,
  accountId: AccountId,
  endpoint: { id: string; name: string },
): Promise<string[]> {
  const rows = await db.run(CONNECTING, [accountId, [endpoint.id, endpoint.name]]);
  return rows.map((row) => row.name);
}

/** The newest version, held until the end of the transaction. */
export async function lockScript(
  tx: Tx,
  accountId: AccountId,
  id: ScriptId,
): Promise<StoredScript | null> {
  const row = await tx.first(LATEST_LOCKED, [accountId, id]);
  return row === undefined ? null : scriptIn(row);
}

export async function listScripts(
  db: Queryable,
  accountId: AccountId,
  page: { after: string | null; limit: number },
): Promise<StoredScript[]> {
  return (await db.run(LIST, [accountId, page.after, page.limit])).map(scriptIn);
}

function scriptIn(row: ScriptRow): StoredScript {
  const { id, version, account_id: accountId, document, secret, created_at: createdAt } = row;
  return { id, version, accountId, document, secret, createdAt };
}
