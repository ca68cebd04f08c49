import type { LedgerPorts } from '../ledger/contact-unit.ts';
import { repeat } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import type { Log } from '../platform/log.ts';
import { lookAtLine } from './brake-commands.ts';
import { linesToLookAt } from './brake-store.ts';

/** Looks at the rates of lines whose figures changed, and brakes those that need it. */
export type BrakeWorker = {
  /** The figures of these lines have changed. */
  note(lines: Iterable<string>): void;
  close(): Promise<void>;
};

/** Seldom enough that looking is cheap, often enough to be long before Meta. */
const LOOK_EVERY_MS = 10_000;
/** So often all lines are looked at, for whoever counted may have died before the look. */
const LOOK_AT_ALL_MS = 1_800_000;

export function openBrakeWorker(ports: LedgerPorts & { log: Log }): BrakeWorker {
  const { clock } = ports;
  let noted = new Set<string>();
  let lookedAtAllAt = -Infinity;
  const stop = repeat(clock, LOOK_EVERY_MS, async () => {
    const isAll = clock.monotonic() - lookedAtAllAt >= LOOK_AT_ALL_MS;
    if (isAll) lookedAtAllAt = clock.monotonic();
    const lines = noted;
    noted = new Set();
    if (isAll || lines.size > 0) await lookAtLines(ports, isAll ? null : [...lines]);
  });
  return {
    note(lines) {
      for (const line of lines) noted.add(line);
    },
    close: stop,
  };
}

/** One round over these lines, or all; one that cannot be looked at keeps no other waiting. */
export async function lookAtLines(
  ports: LedgerPorts & { log: Log },
  ids: readonly string[] | null,
): Promise<void> {
  const { database, log } = ports;
  try {
    for (const { accountId, lineId } of await linesToLookAt(database, ids)) {
      await lookAtLine(ports, accountId, lineId).catch((error: unknown) => {
        log.error({ line: lineId, error: errorText(error) }, 'a line has no look at its brakes');
      });
    }
  } catch (error) {
    log.error({ error: errorText(error) }, 'lines were not looked at');
  }
}
