import { stopsAmong } from '../accounts/account-store.ts';
import { campaignsAmong, holdOf, type CampaignHold } from '../campaigns/campaign-hold.ts';
import { heldCampaigns } from '../campaigns/hold-store.ts';
import { lockFreeContacts } from '../contacts/contact-store.ts';
import type { Tx } from '../database/database.ts';
import { PendingUnit, commitUnits, type LedgerPorts } from '../ledger/contact-unit.ts';
import { readLines } from '../lines/line-store.ts';
import { errorText } from '../platform/failure.ts';
import type { Log } from '../platform/log.ts';
import { openRowTimer } from '../platform/row-timer.ts';
import { cancelsAmong, type JourneyCancel } from './journey-store.ts';
import { makeJourneyShelf } from './journey-shelf.ts';
import type { RunPorts } from './run-hands.ts';
import { stepRun, stopRun } from './run-steps.ts';
import {
  dueRuns,
  liveRunsOf,
  nextRunDueAt,
  putOffRuns,
  wakeCancelledRuns,
  type DueRun,
} from './run-store.ts';
import { WAKING } from './run-wake-store.ts';
import type { Run } from './run.ts';

/**
 * Takes runs on when they are due. The rows are the timers, and the contact's lock makes each run
 * one worker's at a time: whoever comes second finds it moved on. Many people share a transaction,
 * because its wait for the disk costs the same for one as for all of them.
 */
export type RunWorker = { close(): Promise<void> };

export type RunWorkerPorts = LedgerPorts & RunPorts & { log: Log };

const CLAIM = 128;
const BATCH = 32;
/** Also the safety net for rows that other processes wrote. */
const LOOK_AGAIN_MS = 1_000;
/** When somebody else holds the lock of every due contact; they hold it for milliseconds. */
const BUSY_MS = 20;
/** A stopped account's runs are looked at so often, and no step of them is lost. */
const STOPPED_MS = 60_000;
/** As long at most for one of a campaign that rests; a resume wakes it earlier. */
export const HELD_MS = 60_000;
/** A run that cannot be taken on by a fault of ours must not hold up the others. */
const FAULT_MS = 60_000;
const CANCELLED_MAX = 1_000;

export function openRunWorker(ports: RunWorkerPorts): RunWorker {
  const { clock, database, log } = ports;
  const take = runTaker(ports);
  const timer = openRowTimer({
    clock,
    atMostMs: LOOK_AGAIN_MS,
    sweep: async (isOpen) => {
      await wakeCancelledRuns(database, clock.now(), CANCELLED_MAX);
      while (isOpen()) {
        const due = await dueRuns(database, clock.now(), CLAIM);
        if (due.length === 0) break;
        if ((await take(due)) === 0) return clock.now() + BUSY_MS;
      }
      return (await nextRunDueAt(database)) ?? Infinity;
    },
    onError: (error) => log.error({ error: errorText(error) }, 'taking journeys on failed'),
  });
  const unsubscribe = ports.changes.subscribe(({ type }) => {
    if (type === 'RunStarted' || WAKING.has(type)) timer.wake();
  });
  return {
    async close() {
      unsubscribe();
      await timer.close();
    },
  };
}

/** Takes due runs on, and returns how many it had the locks for. */
function runTaker(ports: RunWorkerPorts): (due: readonly DueRun[]) => Promise<number> {
  const { clock, database, log } = ports;
  const shelf = makeJourneyShelf();
  const takeLocked = async (tx: Tx, due: readonly DueRun[]): Promise<number> => {
    const wanted = new Map(due.map((each) => [each.id, each]));
    const locked = await lockFreeContacts(tx, [...new Set(due.map((each) => each.contactId))]);
    if (locked.length === 0) return 0;
    const stops = await stopsAmong(tx, [...new Set(due.map((each) => each.accountId))]);
    // Read anew under the locks: they may have moved on, or ended.
    const live = await liveRunsOf(
      tx,
      locked.map(({ contact }) => contact.id),
    );
    const runs = live.filter(({ id }) => wanted.has(id));
    const stopped = runs.filter(({ accountId }) => stops.has(accountId)).map(({ id }) => id);
    if (stopped.length > 0) await putOffRuns(tx, stopped, clock.now() + STOPPED_MS);
    const campaigns = await heldCampaigns(tx, campaignsAmong(runs));
    const holds = new Map(runs.map((run) => [run.id, holdOf(campaigns, run, clock.now())]));
    const resting = runs.filter(({ id }) => rests(holds.get(id))).map(({ id }) => id);
    if (resting.length > 0) await putOffRuns(tx, resting, clock.now() + HELD_MS);
    const held = new Set([...stopped, ...resting]);
    const cancels = await cancelsAmong(tx, [...new Set(runs.map(({ journeyId }) => journeyId))]);
    const lines = await readLines(tx, [...new Set(runs.map(({ lineId }) => lineId))]);
    const now = clock.now();
    const units = locked.map((lock) => new PendingUnit(tx, lock, now, ports.ids));
    for (const run of runs) {
      const unit = units.find(({ contact }) => contact.id === run.contactId);
      const line = lines.find(({ id }) => id === run.lineId);
      if (unit === undefined || held.has(run.id)) continue;
      const journey = await shelf.journey(tx, run);
      const isStopped = holds.get(run.id)?.kind === 'stopped';
      const gone = overBecause(unit, run, cancels.get(run.journeyId));
      const over = gone ?? (isStopped ? 'campaign_stopped' : null);
      if (over !== null) await stopRun(unit, run, over, 'platform');
      else if (journey === null || line === undefined) {
        await stopRun(unit, run, 'journey_gone', 'platform');
      } else await stepRun(unit, ports, { journey, line, run });
    }
    await commitUnits(tx, ports, units);
    return runs.length === 0 ? locked.length : runs.length;
  };
  const takeAlone = async (each: DueRun): Promise<number> => {
    try {
      return await database.transaction((tx) => takeLocked(tx, [each]));
    } catch (error) {
      log.error({ error: errorText(error), runId: each.id }, 'a run could not be taken on');
      await putOffRuns(database, [each.id], clock.now() + FAULT_MS);
      return 1;
    }
  };
  return async (due) => {
    let taken = 0;
    for (const batch of batchesOf(due)) {
      try {
        taken += await database.transaction((tx) => takeLocked(tx, batch));
      } catch {
        // One that is broken must not hold up the others: each by itself, and each by its name.
        for (const each of batch) taken += await takeAlone(each);
      }
    }
    return taken;
  };
}

function rests(hold: CampaignHold | undefined): boolean {
  return hold?.kind === 'paused' || hold?.kind === 'closed';
}

/** Why a run must not go on, whatever its steps say; null when it may. */
function overBecause(
  { contact }: PendingUnit,
  run: Run,
  cancel: JourneyCancel | undefined,
): string | null {
  if (contact.erasedAt !== null) return 'erased';
  if (contact.optedOutAt !== null) return 'opted_out';
  if (contact.mergedInto !== null) return 'contact_merged';
  return cancel !== undefined && run.startedAt <= cancel.before ? cancel.reason : null;
}

function batchesOf(due: readonly DueRun[]): DueRun[][] {
  const batches: DueRun[][] = [];
  for (let from = 0; from < due.length; from += BATCH) batches.push(due.slice(from, from + BATCH));
  return batches;
}
