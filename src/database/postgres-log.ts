import { closeSync, openSync, renameSync, statSync, writeSync } from 'node:fs';

/**
 * What the database server prints, in one file of bounded size beside the data folder. The last
 * bytes are kept in memory too: they explain a failed start.
 */
export type ServerLog = {
  write(chunk: Buffer): void;
  /** The last lines since `forgetTail`. */
  tail(): string;
  forgetTail(): void;
  close(): void;
};

const FILE_BYTES_MAX = 4_000_000;
const TAIL_CHARS_MAX = 4_000;

/** Opens `path`; at 4 MB it becomes `path.1`, and the `path.1` before that is gone. */
export function openServerLog(path: string): ServerLog {
  let file: number | undefined;
  let size = 0;
  let tail = '';
  const open = (): void => {
    try {
      file = openSync(path, 'a', 0o600);
      size = statSync(path).size;
    } catch {
      // A server without a log file is better than no server; a full disk shows elsewhere.
      file = undefined;
    }
  };
  const close = (): void => {
    if (file !== undefined) closeSync(file);
    file = undefined;
  };
  open();
  return {
    write(chunk) {
      tail = (tail + chunk.toString('utf8')).slice(-TAIL_CHARS_MAX);
      if (file === undefined) return;
      try {
        if (size + chunk.length > FILE_BYTES_MAX) {
          close();
          renameSync(path, `${path}.1`);
          open();
        }
        if (file !== undefined) size += writeSync(file, chunk);
      } catch {
        // The disk is full: what does not fit is dropped, the server goes on.
      }
    },
    tail: () => tail,
    forgetTail() {
      tail = '';
    },
    close,
  };
}
