import type { PriceTable } from '../costs/price-table.ts';
import type { Database } from '../database/database.ts';
import { repeat, type Clock } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import type { Log } from '../platform/log.ts';
import {
  addPiece,
  claimExport,
  finishExport,
  holdExport,
  releaseExport,
  type CdrExport,
  type CdrExportError,
} from './cdr-export-store.ts';
import { headerOf, linesOf, withAftermath } from './cdr-record-lookup.ts';
import { boundsOf, cdrsBetween, countCdrs } from './cdr-store.ts';

/**
 * Makes the files of exports, one export at a time, a piece per transaction: at most one piece is
 * in memory, however long the span. A worker that dies leaves a lease that runs out, and the next
 * one goes on behind the last piece.
 */
export type CdrExportWorker = { close(): Promise<void> };

export type CdrExportPorts = {
  database: Database;
  clock: Clock;
  log: Log;
  owner: string;
  prices: PriceTable | null;
};

const LOOK_EVERY_MS = 1_000;
const LEASE_SECONDS = 60;
const DAY_MS = 86_400_000;
/** About 1 MB as text. */
const PIECE_RECORDS = 500;

export function openCdrExportWorker(ports: CdrExportPorts): CdrExportWorker {
  let closing = false;
  const isClosing = (): boolean => closing;
  const stop = repeat(ports.clock, LOOK_EVERY_MS, async () => {
    try {
      let isMore = true;
      while (isMore && !isClosing()) isMore = await makeOne(ports, { isClosing });
    } catch (error) {
      ports.log.error({ error: errorText(error) }, 'looking for exports failed');
    }
  });
  return {
    async close() {
      closing = true;
      await stop();
    },
  };
}

/** Makes the oldest export that waits; false when there is none, or the process closes. */
export async function makeOne(
  ports: CdrExportPorts,
  { isClosing, pieceRecords = PIECE_RECORDS }: { isClosing: () => boolean; pieceRecords?: number },
): Promise<boolean> {
  const { database, clock, log, owner } = ports;
  const job = await claimExport(database, { owner, seconds: LEASE_SECONDS }, clock.now());
  if (job === null) return false;
  try {
    let made: Made = 'piece';
    while (made === 'piece') {
      if (isClosing()) {
        await releaseExport(database, job.id, owner);
        return false;
      }
      made = await makePiece(ports, job, pieceRecords);
    }
  } catch (cause) {
    log.error({ exportId: job.id, error: errorText(cause) }, 'an export broke off');
    const end = { owner, error: INTERRUPTED, now: clock.now(), expiresAt: null };
    await finishExport(database, job.id, end);
  }
  return true;
}

type Made = 'piece' | 'last' | 'lost';

function makePiece(ports: CdrExportPorts, { id }: CdrExport, limit: number): Promise<Made> {
  const { database, clock, owner, prices } = ports;
  return database.transaction(async (tx) => {
    const job = await holdExport(tx, id, owner);
    if (job === null) return 'lost';
    const { accountId, format } = job;
    const { after: first, end } = boundsOf(job);
    const total = job.total ?? (await countCdrs(tx, accountId, { after: first, end }));
    const after = job.afterCallId ?? first;
    const cdrs = await cdrsBetween(tx, accountId, { after, end, limit });
    const lines = linesOf(format, await withAftermath(tx, prices, cdrs));
    const text = job.pieces === 0 ? headerOf(format) + lines : lines;
    const last = cdrs.at(-1)?.callId ?? null;
    await addPiece(tx, job, { text, records: cdrs.length, last, total, seconds: LEASE_SECONDS });
    if (cdrs.length === limit) return 'piece';
    const now = clock.now();
    await finishExport(tx, id, { owner, error: null, now, expiresAt: now + DAY_MS });
    return 'last';
  });
}

const INTERRUPTED: CdrExportError = {
  code: 'export_interrupted',
  message: 'The export broke off.',
  fix: 'Order it again; the log of the server says why it broke off.',
};
