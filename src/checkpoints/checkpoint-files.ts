import { mkdir, open, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { AccountId } from '../platform/ids.ts';
import { readNote, type Checkpoint, type CheckpointFiles } from './checkpoints.ts';

// Kept outside the database; `CheckpointFiles` tells why.

/** Notes are set apart by an empty line. */
const NOTE_END = '\n\n';
/** Room for the last notes; one has some 300 bytes. */
const TAIL_BYTES = 4_096;

export function openCheckpointFiles(folder: string): CheckpointFiles {
  const known = new Map<AccountId, Checkpoint | null>();
  const pathOf = (accountId: AccountId): string => join(folder, `${accountId}.txt`);
  const last = async (accountId: AccountId): Promise<Checkpoint | null> => {
    const found = known.get(accountId);
    if (found !== undefined) return found;
    const read = await readLast(pathOf(accountId));
    known.set(accountId, read);
    return read;
  };
  return {
    last,
    async append(accountId, checkpoints) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const file = await open(pathOf(accountId), 'a', 0o600);
      try {
        await file.writeFile(checkpoints.map(({ note }) => `${note}\n`).join(''));
        await file.sync();
      } finally {
        await file.close();
      }
      known.set(accountId, checkpoints.at(-1) ?? (await last(accountId)));
    },
  };
}

/** The last whole note; what stands behind it is cut off. */
async function readLast(path: string): Promise<Checkpoint | null> {
  const tail = await readTail(path);
  if (tail === null) return null;
  const notes = tail.text.split(/(?<=\n\n)(?=askfirst\/)/);
  const end = notes.at(-1) ?? '';
  const isWhole = end.endsWith(NOTE_END) && readNote(end.slice(0, -1)) !== null;
  // A power cut may leave half a note behind: it never was a checkpoint, and is written again.
  if (!isWhole) await truncate(path, tail.size - Buffer.byteLength(end));
  return readNote((isWhole ? end : notes.at(-2))?.slice(0, -1) ?? '');
}

async function readTail(path: string): Promise<{ text: string; size: number } | null> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (file === null) return null;
  try {
    const { size } = await file.stat();
    const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES));
    await file.read(bytes, 0, bytes.length, size - bytes.length);
    return { text: bytes.toString('utf8'), size };
  } finally {
    await file.close();
  }
}
