import type { Database } from '../database/database.ts';
import { repeat, type Clock } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import type { Log } from '../platform/log.ts';
import { readCsv } from './csv-reader.ts';
import {
  addFailures,
  advanceImport,
  chunksOf,
  claimImport,
  finishImport,
  releaseImport,
} from './import-store.ts';
import {
  ColumnUnknown,
  type ImportError,
  type ImportId,
  type ImportTaker,
  type ReadRow,
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
/** Small enough that the locks of its contacts are held for milliseconds. */
const BATCH = 500;

export function openImportWorker<Wish, Row>(
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
export async function workOffOne<Wish, Row>(
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
    log.error({ importId: job.id, error: errorText(cause) }, 'an import broke off');
    error = cause instanceof ColumnUnknown ? columnUnknown(cause) : INTERRUPTED;
  }
  await finishImport<Wish>(database, job.id, owner, {
    error,
    now: clock.now(),
    ended: (tx, ended) => taker.ended(tx, ended),
  });
  return true;
}

const INTERRUPTED: ImportError = {
  code: 'import_interrupted',
  message: 'The import broke off; what it had added stays.',
  fix: 'Send the same file again: what is there already is not added twice.',
};

function columnUnknown({ message, fix }: ColumnUnknown): ImportError {
  return { code: 'import_column_unknown', message, fix };
}

/** True when the whole file was read, false when the process closes before that. */
async function settleFile<Wish, Row>(
  ports: ImportPorts,
  taker: ImportTaker<Wish, Row>,
  job: StoredImport<Wish>,
  isClosing: () => boolean,
): Promise<boolean> {
  const file = counted(ports.database, job.id);
  let settled = job.rows;
  let kept = job.failed;
  let batch: Array<ReadRow<Row>> = [];
  let running: Promise<void> = Promise.resolve();
  // One batch is settled while the next one is read, so that neither waits for the other.
  const settle = async (): Promise<void> => {
    await running;
    if (batch.length === 0) return;
    const rows = batch;
    batch = [];
    running = settleBatch(ports, taker, job, { batch: rows, kept, file }).then((failed) => {
      kept = failed;
    });
    // Awaited before the next batch or at the end; a failure in between is not a stray one.
    running.catch(() => undefined);
  };
  for await (const row of taker.read(readCsv(file.chunks), job.wish)) {
    // Counted in the transaction that settled them, so nothing is done twice or left out.
    if (settled > 0) {
      settled -= 1;
      continue;
    }
    batch.push(row);
    if (batch.length < BATCH) continue;
    await settle();
    if (isClosing()) {
      await running;
      return false;
    }
  }
  await settle();
  await running;
  return true;
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

/** Settles one batch; how many failed rows the job has after it. */
async function settleBatch<Wish, Row>(
  ports: ImportPorts,
  taker: ImportTaker<Wish, Row>,
  job: StoredImport<Wish>,
  { batch, kept, file }: { batch: ReadonlyArray<ReadRow<Row>>; kept: number; file: CountedFile },
): Promise<number> {
  const failures = batch.flatMap((row) => ('failed' in row ? [row.failed] : []));
  const rows = batch.flatMap((row) => ('row' in row ? [row.row] : []));
  return ports.database.transaction(async (tx) => {
    const settled = await taker.settle(tx, job, rows);
    await addFailures(tx, job.id, failures, kept);
    const progress = { ...settled, failed: failures.length, readBytes: file.readBytes() };
    const lease = { owner: ports.owner, seconds: LEASE_SECONDS };
    const advanced = await advanceImport(tx, job.id, lease, progress);
    if (advanced === null) throw new LeaseLost();
    return advanced.failed;
  });
}
