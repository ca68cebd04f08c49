import type { Database } from '../database/database.ts';
import { repeat, type Clock } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import type { Log } from '../platform/log.ts';
import { batchesOf, Lanes, type Batch } from './batches.ts';
import { readCsv } from './csv-reader.ts';
import {
  addFailures,
  advanceImport,
  batchesSettled,
  chunksOf,
  claimImport,
  finishImport,
  releaseImport,
} from './import-store.ts';
import {
  ColumnUnknown,
  type FileWish,
  type ImportError,
  type ImportId,
  type ImportTaker,
  type StoredImport,
} from './imports.ts';

/**
 * Works off the imports of one kind, one at a time, a batch of rows per transaction: what the rows
 * do, the failed rows and the counts commit together. A worker that dies leaves a lease that runs
 * out, and the next one begins behind the last batch.
 */
export type ImportWorker = { close(): Promise<void> };

export type ImportPorts = { database: Database; clock: Clock; log: Log; owner: string };

const LOOK_EVERY_MS = 1_000;
const LEASE_SECONDS = 60;
/** Small enough that the locks of its contacts are held for milliseconds, and their memory too. */
const BATCH = 200;
/** One batch is written by the database while the next one is sealed. */
const LANES = 2;

export function openImportWorker<Wish extends FileWish, Row>(
  ports: ImportPorts,
  taker: ImportTaker<Wish, Row>,
): ImportWorker {
  let closing = false;
  const isClosing = (): boolean => closing;
  const stop = repeat(ports.clock, LOOK_EVERY_MS, async () => {
    try {
      let isMore = true;
      while (isMore && !isClosing()) isMore = await workOffOne(ports, taker, isClosing);
    } catch (error) {
      ports.log.error({ kind: taker.kind, error: errorText(error) }, 'looking for imports failed');
    }
  });
  return {
    async close() {
      closing = true;
      await stop();
    },
  };
}

/** Works off the oldest import that waits; false when none does. */
export async function workOffOne<Wish extends FileWish, Row>(
  ports: ImportPorts,
  taker: ImportTaker<Wish, Row>,
  isClosing: () => boolean = () => false,
): Promise<boolean> {
  const { database, clock, log, owner } = ports;
  const lease = { owner, seconds: LEASE_SECONDS };
  const job = await claimImport<Wish>(database, taker.kind, lease, clock.now());
  if (job === null) return false;
  let error: ImportError | null = null;
  try {
    const isWhole = await settleFile(ports, taker, job, isClosing);
    if (!isWhole) {
      await releaseImport(database, job.id, owner);
      return false;
    }
  } catch (cause) {
    if (cause instanceof LeaseLost) return true;
    error = errorOf(cause);
    log.error({ importId: job.id, error: errorText(cause) }, 'an import broke off');
  }
  await finishImport<Wish>(database, job.id, owner, {
    error,
    now: clock.now(),
    ended: (tx, ended) => taker.ended(tx, ended),
  });
  return true;
}

function errorOf(cause: unknown): ImportError {
  if (cause instanceof FileEmpty) return EMPTY;
  if (!(cause instanceof ColumnUnknown)) return INTERRUPTED;
  return { code: 'import_column_unknown', message: cause.message, fix: cause.fix };
}

const INTERRUPTED: ImportError = {
  code: 'import_interrupted',
  message: 'The import broke off; what it had added stays.',
  fix: 'Send the same file again: what is there already is not added twice.',
};

/** The file came whole and says nothing of anybody. */
class FileEmpty extends Error {
  override readonly name = 'FileEmpty';
}

const EMPTY: ImportError = {
  code: 'import_empty',
  message: 'The file has no row that names anybody.',
  fix: 'Put each person on a line of their own, below the line with the names of the columns.',
};

/** True when the whole file was read, false when the process closes before that. */
async function settleFile<Wish extends FileWish, Row>(
  ports: ImportPorts,
  taker: ImportTaker<Wish, Row>,
  job: StoredImport<Wish>,
  isClosing: () => boolean,
): Promise<boolean> {
  const file = counted(ports.database, job.id);
  const settled = await batchesSettled(ports.database, job.id);
  const lanes = new Lanes(LANES);
  let isEmpty = true;
  try {
    const rows = taker.read(readCsv(file.chunks, job.wish.encoding), job.wish);
    for await (const batch of batchesOf(rows, settled, BATCH)) {
      isEmpty = false;
      const people = new Set(
        batch.rows.flatMap((row) => ('row' in row ? [taker.personOf(row.row)] : [])),
      );
      await lanes.room(people);
      if (isClosing()) return false;
      lanes.run(people, settleBatch(ports, taker, job, batch, file.readBytes()));
    }
    await lanes.all();
    if (isEmpty && settled.size === 0) throw new FileEmpty();
    return true;
  } finally {
    await lanes.idle();
  }
}

type CountedFile = { chunks: AsyncIterable<Uint8Array>; readBytes: () => number };

function counted(database: Database, id: ImportId): CountedFile {
  let readBytes = 0;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for await (const bytes of chunksOf(database, id)) {
      readBytes += bytes.length;
      yield bytes;
    }
  }
  return { chunks: chunks(), readBytes: () => readBytes };
}

/** Another worker has taken the job; what this one was about to write is rolled back. */
class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/** Settles one batch: what its rows do, its failed rows and its counts, or none of it. */
async function settleBatch<Wish, Row>(
  ports: ImportPorts,
  taker: ImportTaker<Wish, Row>,
  job: StoredImport<Wish>,
  { first, rows: read }: Batch<Row>,
  readBytes: number,
): Promise<void> {
  const failures = read.flatMap((row) => ('failed' in row ? [row.failed] : []));
  const rows = read.flatMap((row) => ('row' in row ? [row.row] : []));
  await ports.database.transaction(async (tx) => {
    const settled = await taker.settle(tx, job, rows);
    const progress = { ...settled, failed: failures.length, readBytes };
    const lease = { owner: ports.owner, seconds: LEASE_SECONDS };
    const place = { first, rows: read.length };
    // The row of the job is locked last, for the batch beside this one waits for it.
    const advanced = await advanceImport(tx, job.id, lease, place, progress);
    if (advanced === null) throw new LeaseLost();
    await addFailures(tx, job.id, failures, advanced.failed - failures.length);
  });
}
