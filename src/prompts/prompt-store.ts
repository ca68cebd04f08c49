import { at, statement, type Queryable, type Tx } from '../database/database.ts';
import type { AccountId, Id } from '../platform/ids.ts';

/** Uploaded prompts; the sound itself is read only where it is played or downloaded. */
export type PromptId = Id<'prompt'>;
export type Prompt = {
  id: PromptId;
  accountId: AccountId;
  name: string;
  durationMs: number;
  createdAt: number;
};

type PromptRow = {
  id: PromptId;
  account_id: AccountId;
  name: string;
  duration_ms: number;
  created_at: number;
};

const COLUMNS = 'id, account_id, name, duration_ms, created_at';

const SAVE = statement<PromptRow>(
  'prompt_save',
  `insert into prompts (id, account_id, name, duration_ms, sound, created_at)
   values ($1, $2, $3, $4, $5, $6)
   on conflict (account_id, name) do update
     set id = excluded.id, duration_ms = excluded.duration_ms, sound = excluded.sound,
         created_at = excluded.created_at
   returning ${COLUMNS}`,
);
const LIST = statement<PromptRow>(
  'prompt_list',
  `select ${COLUMNS} from prompts where account_id = $1 order by name`,
);
const BY_NAME = statement<PromptRow>(
  'prompt_by_name',
  `select ${COLUMNS} from prompts where account_id = $1 and name = $2`,
);
const BY_ID = statement<PromptRow>(
  'prompt_by_id',
  `select ${COLUMNS} from prompts where account_id = $1 and id = $2`,
);
const SOUND = statement<{ sound: Buffer }>(
  'prompt_sound',
  'select sound from prompts where id = $1',
);
const DELETE = statement<{ id: string }>(
  'prompt_delete',
  'delete from prompts where account_id = $1 and id = $2 returning id',
);
const USERS = statement<{ name: string }>(
  'prompt_users',
  `select name from scripts where account_id = $1 and is_latest and $2 = any (prompts)
    order by id limit 5`,
);

/** Adds a prompt, or puts a new sound under its name. */
export async function savePrompt(tx: Tx, prompt: Prompt & { sound: Buffer }): Promise<Prompt> {
  const { id, accountId, name, durationMs, sound, createdAt } = prompt;
  const row = await tx.first(SAVE, [id, accountId, name, durationMs, sound, at(createdAt)]);
  return row === undefined ? prompt : promptIn(row);
}

export async function listPrompts(db: Queryable, accountId: AccountId): Promise<Prompt[]> {
  return (await db.run(LIST, [accountId])).map(promptIn);
}

export async function readPrompt(
  db: Queryable,
  accountId: AccountId,
  wanted: { name: string } | { id: PromptId },
): Promise<Prompt | null> {
  const row =
    'name' in wanted
      ? await db.first(BY_NAME, [accountId, wanted.name])
      : await db.first(BY_ID, [accountId, wanted.id]);
  return row === undefined ? null : promptIn(row);
}

/** The sound as it is played: a file of `src/media/sound-file.ts`. */
export async function readPromptSound(db: Queryable, id: PromptId): Promise<Buffer | null> {
  return (await db.first(SOUND, [id]))?.sound ?? null;
}

/** Names of scripts whose present version plays it. */
export async function scriptsThatPlay(
  db: Queryable,
  accountId: AccountId,
  name: string,
): Promise<string[]> {
  return (await db.run(USERS, [accountId, name])).map((row) => row.name);
}

export async function deletePrompt(
  db: Queryable,
  accountId: AccountId,
  id: PromptId,
): Promise<boolean> {
  return (await db.first(DELETE, [accountId, id])) !== undefined;
}

function promptIn(row: PromptRow): Prompt {
  const { id, account_id: accountId, name, duration_ms: durationMs, created_at: createdAt } = row;
  return { id, accountId, name, durationMs, createdAt };
}
