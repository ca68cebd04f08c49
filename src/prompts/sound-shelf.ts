import { createHash } from 'node:crypto';
import { access, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Queryable } from '../database/database.ts';
import type { Sound } from '../media/media.ts';
import { writeSoundFile } from '../media/sound-file.ts';
import type { AccountId, CallId } from '../platform/ids.ts';
import { readPrompt, readPromptSound } from './prompt-store.ts';
import { framesOf } from './sound-maker.ts';
import type { Speaker } from './speaker.ts';

/**
 * The sounds of this node as files that a media worker can open: copies of prompts, and texts that
 * were spoken once. What is said to one person only (it holds a name or a date) lies in a folder
 * of its call and goes with the call, so no voice speaks of a person who was erased.
 */
export type SoundShelf = {
  /** Null where the account has no prompt of that name. */
  prompt(accountId: AccountId, name: string): Promise<Sound | null>;
  /** `callId` for a text of one call alone; null for one that all calls share. */
  spoken(text: string, language: string, callId: CallId | null): Promise<Sound>;
  /** Deletes what was spoken in a call. */
  forget(callId: CallId): Promise<void>;
  readonly speaks: boolean;
};

/** Texts that all calls share: more than this, and the shelf is cleared. */
const SHARED_MAX = 2_000;

export function openSoundShelf(ports: {
  database: Queryable;
  speaker: Speaker;
  folder: string;
}): SoundShelf {
  const { database, speaker, folder } = ports;
  const under = (...parts: string[]): string => join(folder, ...parts);
  /** Two calls that need the same text wait for one making of it. */
  const making = new Map<string, Promise<Sound>>();

  const once = (path: string, make: () => Promise<void>): Promise<Sound> => {
    const known = making.get(path);
    if (known !== undefined) return known;
    const made = (async (): Promise<Sound> => {
      if (!(await exists(path))) await make();
      return { kind: 'opus', path };
    })();
    making.set(path, made);
    return made.finally(() => making.delete(path));
  };

  // What a killed process left behind of its calls.
  const cleared = rm(under('calls'), { recursive: true, force: true }).catch(() => {});

  return {
    speaks: speaker.available,
    async prompt(accountId, name) {
      const prompt = await readPrompt(database, accountId, { name });
      if (prompt === null) return null;
      return once(under('prompts', prompt.id), async () => {
        const bytes = await readPromptSound(database, prompt.id);
        await mkdir(under('prompts'), { recursive: true });
        const part = `${under('prompts', prompt.id)}.part`;
        await writeFile(part, bytes ?? Buffer.alloc(0));
        await rename(part, under('prompts', prompt.id));
      });
    },
    async spoken(text, language, callId) {
      await cleared;
      const digest = createHash('sha256').update(`${language}\n${text}`).digest('hex');
      const home = callId === null ? under('spoken') : under('calls', callId);
      return once(join(home, digest), async () => {
        const frames = await framesOf(await speaker.speak(text, language));
        await mkdir(home, { recursive: true });
        if (callId === null && (await readdir(home)).length >= SHARED_MAX) {
          await rm(home, { recursive: true, force: true });
          await mkdir(home, { recursive: true });
        }
        await writeSoundFile(join(home, digest), frames);
      });
    },
    async forget(callId) {
      await rm(under('calls', callId), { recursive: true, force: true });
    },
  };
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
