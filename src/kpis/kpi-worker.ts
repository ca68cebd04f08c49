import type { Database } from '../database/database.ts';
import type { Changes } from '../ledger/changes.ts';
import { repeat, type Clock } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import type { ContactId } from '../platform/ids.ts';
import type { Log } from '../platform/log.ts';
import { countAll } from './counting-commands.ts';
import { rebuildStep } from './rebuild-commands.ts';

/**
 * Keeps the figures: looks every second whose ledger grew, works out anew what those people
 * contribute, and changes rows and sums in one transaction with the mark up to where they were
 * counted. So each entry counts once, however often a process dies, and none is left out.
 */
export type KpiWorker = { close(): Promise<void> };

export type KpiPorts = { database: Database; clock: Clock; log: Log; changes: Changes };

const LOOK_EVERY_MS = 1_000;
/** What other nodes wrote, and a rebuild that was asked for, is found this late at most. */
const LOOK_UNASKED_MS = 15_000;
/** Of more than this many people it is cheaper to look for all who wait. */
const HINTED_MAX = 5_000;

/** `afterCount` is told which lines' figures changed. */
export function openKpiWorker(
  ports: KpiPorts,
  afterCount: (lines: ReadonlySet<string>) => Promise<void> = async () => undefined,
): KpiWorker {
  const { clock, log, changes } = ports;
  let closing = false;
  const hinted = new Set<ContactId>();
  // What an earlier process left is found by the first look.
  let lookedAt = -Infinity;
  const unsubscribe = changes.subscribe(({ contactId }) => {
    if (hinted.size <= HINTED_MAX) hinted.add(contactId);
  });
  const stop = repeat(clock, LOOK_EVERY_MS, async () => {
    const isLate = clock.monotonic() - lookedAt >= LOOK_UNASKED_MS;
    if (hinted.size === 0 && !isLate) return;
    const looksForAll = isLate || hinted.size > HINTED_MAX;
    const told = looksForAll ? null : [...hinted];
    hinted.clear();
    if (looksForAll) lookedAt = clock.monotonic();
    try {
      const lines = await countAll(ports, { hinted: told, isClosing: () => closing });
      await afterCount(lines);
      if (!closing) await rebuildStep(ports);
    } catch (error) {
      lookedAt = -Infinity;
      log.error({ error: errorText(error) }, 'figures could not be brought up to date');
    }
  });
  return {
    async close() {
      closing = true;
      unsubscribe();
      await stop();
    },
  };
}
