import { mkdir, open, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';

/** The disk as a recorder sees it; tests hand in one that is full, slow or broken. */
export type RecordingDisk = {
  /** Free on the disk that holds, or will hold, this path. */
  freeBytes(path: string): Promise<number>;
  /** Makes a new file and its folder; refuses one that is there. */
  create(path: string): Promise<RecordingFile>;
};

export type RecordingFile = {
  append(bytes: Uint8Array): Promise<void>;
  /** Everything appended is on the disk when it resolves. */
  close(): Promise<void>;
};

export const recordingDisk: RecordingDisk = {
  async freeBytes(path) {
    const folder = dirname(path);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  },
  async create(path) {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    // A key and a nonce may meet once only: an existing file must never be written again.
    const file = await open(path, 'wx', 0o600);
    return {
      async append(bytes) {
        await file.writeFile(bytes);
      },
      async close() {
        try {
          await file.datasync();
        } finally {
          await file.close();
        }
      },
    };
  },
};
