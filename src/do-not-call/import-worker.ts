import { findByHandles } from '../contacts/contact-handle-store.ts';
import { lockContacts } from '../contacts/contact-store.ts';
import { handlesOfContact, type Handle } from '../contacts/contact.ts';
import { addHandles, entriesOfHandles } from '../contacts/do-not-call-store.ts';
import type { Database, Tx } from '../database/database.ts';
import { joinAbsorbed } from '../identity/person-unit.ts';
import { PendingUnit, commitUnits } from '../ledger/contact-unit.ts';
import { repeat } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import type { Log } from '../platform/log.ts';
import { readCsv } from './csv-reader.ts';
import { stopCalling, type DoNotCallPorts } from './do-not-call-commands.ts';
import type { ImportView } from './do-not-call.ts';
import { recordInRegister } from './register-commands.ts';
import { ColumnUnknown, readRows, type ImportedRow } from './import-rows.ts';
import {
  addFailures,
  advanceImport,
  chunksOf,
  claimImport,
  finishImport,
  readImport,
  releaseImport,
  type FailedRow,
  type StoredImport,
} from './import-store.ts';

/**
 * Works off imports, one at a time, a batch of rows per transaction: entries, what they do to
 * contacts that we know, the failed rows and the counts commit together. A worker that dies
 * leaves a lease that runs out, and the next one begins behind the last batch.
 */
export type ImportWorker = { close(): Promise<void> };

export type ImportWorkerPorts = DoNotCallPorts & { database: Database; log: Log; owner: string };

const LOOK_EVERY_MS = 1_000;
const LEASE_SECONDS = 60;
/** Small enough that the locks of its contacts are held for milliseconds. */
const BATCH = 500;

export function openImportWorker(ports: ImportWorkerPorts): ImportWorker {
  let closing = false;
  const isClosing = (): boolean => closing;
  const stop = repeat(ports.clock, LOOK_EVERY_MS, async () => {
    try {
      let isMore = true;
      while (isMore && !isClosing()) isMore = await workOffOne(ports, isClosing);
    } catch (error) {
      ports.log.error({ error: errorText(error) }, 'looking for do-not-call imports failed');
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
export async function workOffOne(
  ports: ImportWorkerPorts,
  isClosing: () => boolean = () => false,
): Promise<boolean> {
  const { database, clock, log, owner } = ports;
  const job = await claimImport(database, owner, LEASE_SECONDS, clock.now());
  if (job === null) return false;
  let error: ImportView['error'] = null;
  try {
    const isWhole = await importRows(ports, job, isClosing);
    if (!isWhole) {
      await releaseImport(database, job.id, owner);
      return false;
    }
  } catch (cause) {
    if (cause instanceof LeaseLost) return true;
    log.error({ importId: job.id, error: errorText(cause) }, 'a do-not-call import broke off');
    error = cause instanceof ColumnUnknown ? columnUnknown(cause.message) : INTERRUPTED;
  }
  const record = (tx: Tx): Promise<void> => recordImport(tx, ports, job, error);
  await finishImport(database, job.id, owner, { error, now: clock.now(), record });
  return true;
}

/** A file changes more than contacts that we know, so the account's own chain tells of it. */
async function recordImport(
  tx: Tx,
  ports: ImportWorkerPorts,
  { id, account_id: accountId, list, dry_run: dryRun }: StoredImport,
  error: ImportView['error'],
): Promise<void> {
  const done = await readImport(tx, accountId, id);
  if (dryRun || done === null) return;
  const { rows, added, already, failed } = done;
  const data = { importId: id, list, rows, added, already, failed, error: error?.code ?? null };
  const actor = `import:${id}`;
  await recordInRegister(tx, ports, accountId, { type: 'DoNotCallImported', actor, data });
}

const INTERRUPTED = {
  code: 'import_interrupted',
  message: 'The import broke off; what it had added stays.',
  fix: 'Send the same file again: what is listed already is not added twice.',
};

function columnUnknown(message: string): NonNullable<ImportView['error']> {
  const fix =
    'Name the column with ?column=, as in the first line of the file, or count it from 1.';
  return { code: 'import_column_unknown', message, fix };
}

/** True when the whole file was read, false when the process closes before that. */
async function importRows(
  ports: ImportWorkerPorts,
  job: StoredImport,
  isClosing: () => boolean,
): Promise<boolean> {
  const rows = readRows(readCsv(chunksOf(ports.database, job.id)), {
    column: job.wanted_column,
    country: job.country,
  });
  let settled = job.rows;
  let kept = job.failed;
  let batch: ImportedRow[] = [];
  const settle = async (): Promise<void> => {
    if (batch.length > 0) kept = await settleBatch(ports, job, batch, kept);
    batch = [];
  };
  for await (const row of rows) {
    // Counted in the transaction that settled them, so nothing is done twice or left out.
    if (settled > 0) {
      settled -= 1;
      continue;
    }
    batch.push(row);
    if (batch.length < BATCH) continue;
    await settle();
    if (isClosing()) return false;
  }
  await settle();
  return true;
}

/** Another worker has taken the job; what this one was about to write is rolled back. */
class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

async function settleBatch(
  ports: ImportWorkerPorts,
  job: StoredImport,
  batch: readonly ImportedRow[],
  failedBefore: number,
): Promise<number> {
  const failures = batch.flatMap((row) =>
    'failed' in row ? [row.failed satisfies FailedRow] : [],
  );
  const named = batch.flatMap((row) => ('handle' in row ? [row.handle] : []));
  const handles = [...new Set(named)];
  return ports.database.transaction(async (tx) => {
    const added = job.dry_run
      ? await countNew(tx, ports, job, handles)
      : await listAll(tx, ports, job, handles);
    await addFailures(tx, job.id, failures, failedBefore);
    const already = named.length - added;
    const progress = { added, already, failed: failures.length };
    const lease = { owner: ports.owner, seconds: LEASE_SECONDS };
    const counted = await advanceImport(tx, job.id, lease, progress);
    if (counted === null) throw new LeaseLost();
    return counted.failed;
  });
}

async function countNew(
  tx: Tx,
  ports: ImportWorkerPorts,
  job: StoredImport,
  handles: readonly Handle[],
): Promise<number> {
  const entries = await entriesOfHandles(tx, ports.doNotCallKey, job.account_id, handles);
  const listed = new Set(entries.filter(({ list }) => list === job.list).map((it) => it.handle));
  return handles.length - listed.size;
}

/** Lists everybody of one batch; contacts that we know are locked first, and stopped with it. */
async function listAll(
  tx: Tx,
  ports: ImportWorkerPorts,
  job: StoredImport,
  handles: readonly Handle[],
): Promise<number> {
  const { account_id: accountId, list } = job;
  const now = ports.clock.now();
  const known = await findByHandles(tx, accountId, handles);
  const locked = await lockContacts(tx, [...new Set(known.values())]);
  const units = locked.map((lock) => new PendingUnit(tx, lock, now, ports.ids));
  const absorbed = await joinAbsorbed(tx, units);
  const theirs = units.flatMap(({ contact }) => handlesOfContact(contact));
  const all = [...new Set([...handles, ...theirs])];
  const entry = { list, reason: 'imported', source: 'import' };
  const key = ports.doNotCallKey;
  const added = await addHandles(tx, key, accountId, all, { ...entry, now });
  const newly = units.filter(({ contact }) =>
    handlesOfContact(contact).some((it) => added.has(it)),
  );
  if (newly.length > 0) {
    const listing = { ...entry, by: 'operator', actor: `import:${job.id}` } as const;
    await stopCalling(tx, ports, newly, listing);
    await commitUnits(tx, ports, [...newly, ...absorbed]);
  }
  return handles.filter((handle) => added.has(handle)).length;
}
