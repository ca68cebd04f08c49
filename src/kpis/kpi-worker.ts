import type { Database } from '../database/database.ts';
import { repeat, type Clock } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import type { Log } from '../platform/log.ts';
import { countAll } from './counting-commands.ts';
import { rebuildStep } from './rebuild-commands.ts';

/**
 * Keeps the figures: looks every second whose ledger grew, works out anew what those people
 * contribute, and changes rows and sums in one transaction with the mark up to where they were
 * counted. So each entry counts once, however often a process dies, and none is left out.
 */
export type KpiWorker = { close(): Promise<void> };

export type KpiPorts = { database: Database; clock: Clock; log: Log };

const LOOK_EVERY_MS = 1_000;
/** `afterCount` is told which lines' figures changed. */
export function openKpiWorker(
  ports: KpiPorts,
  afterCount: (lines: ReadonlySet<string>) => Promise<void> = async () => undefined,
): KpiWorker {
  let closing = false;
  const stop = repeat(ports.clock, LOOK_EVERY_MS, async () => {
    try {
      const lines = await countAll(ports, () => closing);
      await afterCount(lines);
      if (!closing) await rebuildStep(ports);
    } catch (error) {
      ports.log.error({ error: errorText(error) }, 'figures could not be brought up to date');
    }
  });
  return {
    async close() {
      closing = true;
      await stop();
    },
  };
}
