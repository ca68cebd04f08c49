import type { GatePorts } from '../calls/call-gate.ts';
import { onContact, type LedgerPorts } from '../ledger/contact-unit.ts';
import type { TimerHandle } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import type { Log } from '../platform/log.ts';
import { askPlanned } from './planned-request-commands.ts';
import { duePlanned, nextPlannedAt, putOffPlanned } from './planned-request-store.ts';

/**
 * Asks what was planned when its time has come. The rows are the timers, and the contact's lock
 * lets one worker at a time at a person: whoever comes second finds nothing planned any more.
 */
export type PlannedRequestWorker = { close(): Promise<void> };

export type PlannedRequestPorts = LedgerPorts & GatePorts & { log: Log };

/** Also the safety net for rows that other processes wrote. */
const LOOK_AGAIN_MS = 30_000;
/** One that cannot be asked by a fault of ours must not hold up the others. */
const FAULT_MS = 60_000;
const BATCH = 100;

export function openPlannedRequestWorker(ports: PlannedRequestPorts): PlannedRequestWorker {
  const { clock, database, log } = ports;
  let timer: TimerHandle | null = null;
  let running: Promise<void> | null = null;
  let woken = false;
  let closed = false;
  const isOpen = (): boolean => !closed;

  /** Asks what is due, and returns after how long to look again. */
  const sweep = async (): Promise<number> => {
    for (;;) {
      const due = await duePlanned(database, clock.now(), BATCH);
      for (const { id, contactId } of due) {
        if (!isOpen()) return 0;
        try {
          await onContact(ports, contactId, (unit) => askPlanned(unit, ports, id));
        } catch (error) {
          await putOffPlanned(database, id, clock.now() + FAULT_MS);
          log.error({ error: errorText(error), requestId: id }, 'asking what was planned failed');
        }
      }
      if (due.length < BATCH) break;
    }
    const next = (await nextPlannedAt(database)) ?? Infinity;
    return Math.min(LOOK_AGAIN_MS, Math.max(0, next - clock.now()));
  };
  const look = async (): Promise<void> => {
    let waitMs = 0;
    do {
      woken = false;
      try {
        waitMs = await sweep();
      } catch (error) {
        log.error({ error: errorText(error) }, 'looking for planned requests failed');
        waitMs = LOOK_AGAIN_MS;
      }
    } while (woken && isOpen());
    running = null;
    timer?.cancel();
    if (!closed) timer = clock.after(waitMs, run);
  };
  const run = (): void => {
    woken = true;
    running ??= look();
  };

  // A new plan may be due before the time the timer is set to.
  const unsubscribe = ports.changes.subscribe(({ type }) => {
    if (type === 'PermissionRequestPlanned') run();
  });
  run();
  return {
    async close() {
      closed = true;
      unsubscribe();
      timer?.cancel();
      await running;
      timer?.cancel();
    },
  };
}
