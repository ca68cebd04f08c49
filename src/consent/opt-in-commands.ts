import { handlesOfContact } from '../contacts/contact.ts';
import { OPT_OUT_LIST, removeHandles } from '../contacts/do-not-call-store.ts';
import { clearOptedOut } from '../contacts/pending-opt-out-store.ts';
import type { ContactUnit } from '../ledger/contact-unit.ts';
import type { LineId } from '../platform/ids.ts';
import { lastStopAt, mayWriteTo, sayTo, wordsFor, type OptOutPorts } from './opt-out-commands.ts';

/** The person's own acts; nothing that a business can do is among them. */
export type OptInWay = 'message' | 'whatsapp' | 'self_service';

export type OptIn = {
  lineId: LineId | null;
  way: OptInWay;
  at: number;
};

/**
 * Takes a stop back, by the person's own act and none other. Only the entry that their stop made
 * goes; lists of the business and of others stand. No permission comes back with it: it only
 * allows to be asked again. Returns whether there was a stop to take back.
 */
export async function optIn(
  unit: ContactUnit,
  ports: Pick<OptOutPorts, 'doNotCallKey'>,
  { lineId, way, at }: OptIn,
): Promise<boolean> {
  const { contact, tx, now } = unit;
  if (contact.optedOutAt === null) return false;
  // Webhooks come in any order, and Meta's times are whole seconds: what was said before the stop,
  // or in the same second, takes nothing back.
  const stoppedAt = (await lastStopAt(unit)) ?? contact.optedOutAt;
  if (at <= stoppedAt) return false;
  const handles = handlesOfContact(contact);
  await removeHandles(tx, ports.doNotCallKey, contact.accountId, handles, OPT_OUT_LIST);
  await clearOptedOut(tx, contact);
  const data = { lineId, way };
  unit.record({
    type: 'OptOutLifted',
    actor: 'customer',
    at,
    data,
    announce: { type: 'optout.lifted', callId: null, sequence: 0, data },
  });
  const removed = { list: OPT_OUT_LIST, reason: 'opted_in' };
  unit.record({
    type: 'DoNotCallRemoved',
    actor: 'platform',
    at: now,
    data: removed,
    announce: { type: 'dnc.removed', callId: null, sequence: 0, data: removed },
  });
  const answers = way === 'message' && lineId !== null && (await mayWriteTo(unit));
  if (answers) sayTo(unit, lineId, (await wordsFor(unit, lineId)).lifted);
  return true;
}
