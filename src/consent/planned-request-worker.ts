import type { GatePorts } from '../calls/call-gate.ts';
import { onContact, type LedgerPorts } from '../ledger/contact-unit.ts';
import { errorText } from '../platform/failure.ts';
import type { Log } from '../platform/log.ts';
import { openRowTimer } from '../platform/row-timer.ts';
import { askPlanned } from './planned-request-commands.ts';
import {
  duePlanned,
  nextPlannedAt,
  putOffPlanned,
  type DuePlanned,
} from './planned-request-store.ts';

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
  const ask = async ({ id, contactId }: DuePlanned): Promise<void> => {
    try {
      await onContact(ports, contactId, (unit) => askPlanned(unit, ports, id));
    } catch (error) {
      await putOffPlanned(database, id, clock.now() + FAULT_MS);
      log.error({ error: errorText(error), requestId: id }, 'asking what was planned failed');
    }
  };
  const timer = openRowTimer({
    clock,
    atMostMs: LOOK_AGAIN_MS,
    sweep: async (isOpen) => {
      for (;;) {
        const due = await duePlanned(database, clock.now(), BATCH);
        for (const each of due) if (isOpen()) await ask(each);
        if (due.length < BATCH || !isOpen()) break;
      }
      return (await nextPlannedAt(database)) ?? Infinity;
    },
    onError: (error) =>
      log.error({ error: errorText(error) }, 'looking for planned requests failed'),
  });
  // A new plan may be due before the time the timer is set to.
  const unsubscribe = ports.changes.subscribe(({ type }) => {
    if (type === 'PermissionRequestPlanned') timer.wake();
  });
  return {
    async close() {
      unsubscribe();
      await timer.close();
    },
  };
}
