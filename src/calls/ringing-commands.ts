import { lockContacts } from '../contacts/contact-store.ts';
import { PendingUnit, commitUnits, type LedgerPorts } from '../ledger/contact-unit.ts';
import { readLines } from '../lines/line-store.ts';
import type { ContactId } from '../platform/ids.ts';
import { applyCallEvents } from './call-events.ts';
import { hangUp } from './call-rules.ts';
import { unfinishedCalls } from './call-store.ts';

/** Small enough that a person's lock is held for milliseconds. */
const BATCH = 64;

/**
 * Ends the calls of these people that nobody has picked up yet, and tells how many; the sessions
 * that have them see it in the rows.
 */
export async function endRinging(
  ports: LedgerPorts,
  contactIds: readonly ContactId[],
  reason: string,
): Promise<number> {
  let ended = 0;
  for (let from = 0; from < contactIds.length; from += BATCH) {
    ended += await endBatch(ports, contactIds.slice(from, from + BATCH), reason);
  }
  return ended;
}

async function endBatch(
  ports: LedgerPorts,
  contactIds: readonly ContactId[],
  reason: string,
): Promise<number> {
  return ports.database.transaction(async (tx) => {
    let ended = 0;
    const now = ports.clock.now();
    const locked = await lockContacts(tx, contactIds);
    const units = new Map(
      locked.map((lock) => [lock.contact.id, new PendingUnit(tx, lock, now, ports.ids)]),
    );
    const calls = await unfinishedCalls(tx, [...units.keys()]);
    const lines = await readLines(tx, [...new Set(calls.map(({ plan }) => plan.lineId))]);
    for (const call of calls) {
      const unit = units.get(call.plan.contactId);
      if (unit === undefined || call.status === 'queued' || call.facts.answeredAt !== null)
        continue;
      const line = lines.find(({ id }) => id === call.plan.lineId);
      const events = hangUp(call, 'platform', reason, now);
      if (events.length > 0) ended += 1;
      await applyCallEvents(unit, call, events, 'platform', line === undefined ? {} : { line });
    }
    await commitUnits(tx, ports, [...units.values()]);
    return ended;
  });
}
