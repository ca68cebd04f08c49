import type { Database, Tx } from '../database/database.ts';
import { repeat, type Clock } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import type { AccountId } from '../platform/ids.ts';
import { invariant } from '../platform/invariant.ts';
import type { Log } from '../platform/log.ts';
import {
  accountsWithCheckpoints,
  checkpointOfSize,
  checkpointsAfter,
  claimCheckpoints,
  holdCheckpoints,
  latestCheckpoint,
  putBackPending,
  readPending,
  readTiles,
  saveCheckpoint,
  saveRuns,
  saveTiles,
  takePending,
  uncoveredEntries,
  type Holding,
  type PendingContact,
  type Run,
  type UncoveredEntry,
} from './checkpoint-store.ts';
import type { CheckpointFiles, CheckpointSigner } from './checkpoints.ts';
import { edgeTiles, growTree, leafHash } from './tree.ts';

/**
 * Brings what was written to the ledger under signed checkpoints, every minute or every thousand
 * changes, whichever comes first. It only reads the ledger, so no write waits for it. One round is
 * one transaction: entries get their leaves, the tree grows, and its root is signed, or nothing.
 */
export type CheckpointWorker = { close(): Promise<void> };

export type CheckpointPorts = {
  database: Database;
  clock: Clock;
  log: Log;
  owner: string;
  signer: CheckpointSigner;
  files: CheckpointFiles;
};

const LOOK_EVERY_MS = 1_000;
export const CHECKPOINT_EVERY_MS = 60_000;
export const CHECKPOINT_CHANGES = 1_000;
const LEASE_SECONDS = 30;
/** A contact may have very many entries at once; the rest comes in the next round. */
const ENTRIES_MAX = 20_000;
const FILE_BATCH = 500;

export function openCheckpointWorker(ports: CheckpointPorts): CheckpointWorker {
  const { clock, log, database } = ports;
  const state = { isFresh: true, held: new Set<AccountId>() };
  let closing = false;
  const stop = repeat(clock, LOOK_EVERY_MS, async () => {
    try {
      // What a crash kept from the files is written before anything new is signed.
      if (state.isFresh) await copyAll(ports, state.held);
      state.isFresh = false;
      const { pending, madeAt } = await readPending(database, CHECKPOINT_CHANGES, state.held);
      const isDue = pending > 0 && clock.now() - madeAt >= CHECKPOINT_EVERY_MS;
      if (!isDue && pending < CHECKPOINT_CHANGES) return;
      await makeCheckpoints(ports, state.held, () => closing);
    } catch (error) {
      log.error({ error: errorText(error) }, 'no checkpoint of the ledger could be made');
    }
  });
  return {
    async close() {
      closing = true;
      await stop();
    },
  };
}

/** Covers all that waits, round by round. Returns how many entries came under a checkpoint. */
export async function makeCheckpoints(
  ports: CheckpointPorts,
  held: Set<AccountId> = new Set(),
  isClosing: () => boolean = () => false,
): Promise<number> {
  const holding = await claimCheckpoints(ports.database, ports.owner, LEASE_SECONDS);
  let covered = 0;
  if (holding === null) return covered;
  while (!isClosing()) {
    const round = await ports.database.transaction((tx) => oneRound(tx, ports, holding, held));
    for (const accountId of round.accounts) await copyToFile(ports, accountId, held);
    covered += round.entries;
    if (!round.isMore) break;
  }
  return covered;
}

type Round = { entries: number; accounts: AccountId[]; isMore: boolean };

async function oneRound(
  tx: Tx,
  ports: CheckpointPorts,
  holding: Holding,
  held: ReadonlySet<AccountId>,
): Promise<Round> {
  const now = ports.clock.now();
  const nothing = { entries: 0, accounts: [], isMore: false };
  if (!(await holdCheckpoints(tx, holding, now, LEASE_SECONDS))) return nothing;
  const { contacts, isFull } = await takePending(tx, CHECKPOINT_CHANGES, held);
  const rows = await uncoveredEntries(tx, contacts, ENTRIES_MAX);
  const isCut = rows.length === ENTRIES_MAX;
  if (isCut) await putBackPending(tx, contacts);
  const accounts = [...entriesByAccount(contacts, rows)];
  for (const [accountId, entries] of accounts) await cover(tx, ports, accountId, entries, now);
  // What comes in meanwhile waits for its minute: else busy hours would be one long round.
  const isMore = isFull || isCut;
  return { entries: rows.length, accounts: accounts.map(([id]) => id), isMore };
}

function entriesByAccount(
  contacts: readonly PendingContact[],
  rows: readonly UncoveredEntry[],
): Map<AccountId, UncoveredEntry[]> {
  const accounts = new Map(contacts.map(({ contactId, accountId }) => [contactId, accountId]));
  return Map.groupBy(rows, ({ contact_id: contactId }) => {
    const accountId = accounts.get(contactId);
    invariant(accountId !== undefined, `${contactId} was not asked for`);
    return accountId;
  });
}

/** Puts entries under the next checkpoint of their account. */
async function cover(
  tx: Tx,
  { signer }: CheckpointPorts,
  accountId: AccountId,
  entries: readonly UncoveredEntry[],
  now: number,
): Promise<void> {
  const last = await latestCheckpoint(tx, accountId);
  const size = last?.size ?? 0;
  const edge = await readTiles(tx, accountId, edgeTiles(size));
  const leaves = entries.map(({ hash }) => leafHash(hash));
  const grown = growTree(size, edge, leaves);
  // A clock that was set back must not make a checkpoint look older than the one before it.
  const tree = { accountId, size: grown.size, root: grown.root, at: Math.max(now, last?.at ?? 0) };
  await saveRuns(tx, runsOf(entries, size));
  await saveTiles(tx, accountId, grown.changed);
  await saveCheckpoint(tx, { ...tree, note: signer.sign(tree) });
}

function runsOf(entries: readonly UncoveredEntry[], firstLeaf: number): Run[] {
  const runs: Run[] = [];
  for (const [index, { contact_id: contactId, sequence }] of entries.entries()) {
    const last = runs.at(-1);
    if (last === undefined || last.contactId !== contactId) {
      runs.push({
        contactId,
        firstSequence: sequence,
        entries: 1,
        firstLeaf: firstLeaf + index,
      });
      continue;
    }
    invariant(sequence === last.firstSequence + last.entries, `${contactId} has a gap`);
    last.entries += 1;
  }
  return runs;
}

async function copyAll(ports: CheckpointPorts, held: Set<AccountId>): Promise<void> {
  for (const accountId of await accountsWithCheckpoints(ports.database)) {
    await copyToFile(ports, accountId, held);
  }
}

/**
 * Adds to an account's file what it lacks. A file that knows more than the database, or something
 * else, means that the database was changed or went back in time: nothing is signed for that
 * account until somebody has looked, because two signed histories would contradict each other.
 */
async function copyToFile(
  { database, files, log }: CheckpointPorts,
  accountId: AccountId,
  held: Set<AccountId>,
): Promise<void> {
  const known = await files.last(accountId);
  if (known !== null) {
    const same = await checkpointOfSize(database, accountId, known.size);
    if (same === null || !Buffer.from(same.root).equals(known.root)) {
      held.add(accountId);
      log.error(
        { accountId, size: known.size },
        'the file of checkpoints contradicts the database: no further ones are signed',
      );
      return;
    }
  }
  for (let size = known?.size ?? 0; ;) {
    const batch = await checkpointsAfter(database, accountId, size, FILE_BATCH);
    if (batch.length > 0) await files.append(accountId, batch);
    size = batch.at(-1)?.size ?? size;
    if (batch.length < FILE_BATCH) return;
  }
}
