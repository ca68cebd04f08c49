import { hangUp } from '../calls/call-rules.ts';
import { applyCallEvents } from '../calls/call-events.ts';
import { unfinishedCalls } from '../calls/call-store.ts';
import { markOptedOut } from '../contacts/contact-store.ts';
import { OPT_OUT_LIST, addToDoNotCall, type DoNotCallKey } from '../contacts/do-not-call-store.ts';
import type { ContactUnit } from '../ledger/contact-unit.ts';
import { messageRows } from '../messages/message-store.ts';
import type { LineId } from '../platform/ids.ts';
import { applyConsent } from './consent-commands.ts';
import type { ConsentRules } from './consent.ts';
import { consentsOf } from './consent-store.ts';

export type OptOut = {
  /** The line the person spoke to; the confirmation goes out there. */
  lineId: LineId;
  /** What was said or done, such as `message` or `api`. */
  way: string;
  at: number;
  /** `customer`, unless their silence was taken for the word. */
  actor?: string;
};

export const OPT_OUT_CONFIRMATION =
  'You have been removed from our call list. We will not call you again.';

/**
 * Stop means stop, in one transaction: permissions of every line revoked, do-not-call entry
 * added, queued calls cancelled, live calls told to hang up, one confirmation written without a
 * word of marketing. Doing it twice changes nothing.
 */
export async function optOut(
  unit: ContactUnit,
  ports: { doNotCallKey: DoNotCallKey; rulesOfLine: (lineId: LineId) => Promise<ConsentRules> },
  optedOut: OptOut,
): Promise<void> {
  const { contact, now, tx } = unit;
  if (contact.optedOutAt !== null) return;
  const { lineId, way, at, actor = 'customer' } = optedOut;
  await markOptedOut(tx, contact, now);
  const entry = { list: OPT_OUT_LIST, reason: 'opted_out', source: way };
  await addToDoNotCall(tx, ports.doNotCallKey, contact, { ...entry, now });
  unit.record({
    type: 'OptedOut',
    actor,
    at,
    data: { lineId, way },
    announce: { type: 'optout.received', callId: null, sequence: 0, data: { lineId, way } },
  });
  unit.record({
    type: 'DoNotCallAdded',
    actor: 'platform',
    at: now,
    data: entry,
    announce: { type: 'dnc.added', callId: null, sequence: 0, data: entry },
  });
  for (const { lineId: consentLine, state } of await consentsOf(tx, [contact.id])) {
    const rules = await ports.rulesOfLine(consentLine);
    const revoke = { type: 'Revoke', by: 'opt_out', reason: way, at } as const;
    await applyConsent(unit, consentLine, state, revoke, { rules, actor });
  }
  for (const call of await unfinishedCalls(tx, [contact.id])) {
    await applyCallEvents(unit, call, hangUp(call, 'platform', 'opted_out', now), 'platform');
  }
  sayTo(unit, lineId, OPT_OUT_CONFIRMATION);
}

/** Has a plain text sent to the contact from that line. */
export function sayTo(unit: ContactUnit, lineId: LineId, text: string): void {
  const { contact, now } = unit;
  const id = unit.ids.next('message', contact.bucket);
  unit.save(messageRows, id, {
    id,
    accountId: contact.accountId,
    contactId: contact.id,
    lineId,
    requestId: null,
    content: { kind: 'text', text },
    status: 'queued',
    wamid: null,
    dueAt: now,
    attempts: 0,
    lastError: null,
    createdAt: now,
  });
}
