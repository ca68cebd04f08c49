import { beginExportsAnew } from '../calls/cdr-export-store.ts';
import { applyCallEvents } from '../calls/call-events.ts';
import { hangUp } from '../calls/call-rules.ts';
import { unfinishedCalls } from '../calls/call-store.ts';
import { callIdsAtMeta } from '../calls/contact-calls-store.ts';
import { applyConsent } from '../consent/consent-commands.ts';
import type { ConsentRules } from '../consent/consent.ts';
import { consentsOf, stopWaking } from '../consent/consent-store.ts';
import { forgetDetails } from '../contacts/contact-detail-store.ts';
import { deleteHandles } from '../contacts/contact-handle-store.ts';
import { destroyKey } from '../contacts/contact-key-store.ts';
import { forgetIdentity, lockContacts } from '../contacts/contact-store.ts';
import { handlesOfContact, type Contact } from '../contacts/contact.ts';
import {
  OPT_OUT_LIST,
  addToDoNotCall,
  forgetReasons,
  type DoNotCallKey,
} from '../contacts/do-not-call-store.ts';
import type { Tx } from '../database/database.ts';
import { forgetExposures } from '../experiments/exposure-store.ts';
import { forgetFormerHandles } from '../identity/identity-store.ts';
import {
  PendingUnit,
  commitUnits,
  type ContactUnit,
  type LedgerPorts,
} from '../ledger/contact-unit.ts';
import { cancelPlanned } from '../consent/planned-request-commands.ts';
import { cancelRuns } from '../journeys/journey-commands.ts';
import { forgetExternalIds, forgetMessages, isSending } from '../messages/message-store.ts';
import { forgetWindows } from '../messages/window-store.ts';
import { forgetAnswers } from '../meta-answers/meta-answer-store.ts';
import type { ContactId, LineId } from '../platform/ids.ts';
import { forgetRecordings } from '../recording/recording-store.ts';
import { forgetSeen } from '../reception/seen-store.ts';
import { needlesOf } from './privacy.ts';
import { openErasure, saveErased } from './erasure-store.ts';

export type ErasurePorts = LedgerPorts & {
  doNotCallKey: DoNotCallKey;
  rulesOfLine: (unit: ContactUnit, lineId: LineId) => Promise<ConsentRules>;
};

/**
 * Begins an erasure: every permission is revoked, queued calls are cancelled, live ones are told
 * to hang up. All of it is told to the business as usual, while it can still be read.
 */
export function requestErasure(
  ports: ErasurePorts,
  contact: Contact,
  actor: string,
): Promise<void> {
  const { id: contactId, accountId } = contact;
  return ports.database.transaction(async (tx) => {
    await openErasure(tx, { contactId, accountId, actor, now: ports.clock.now() });
    const units = await lockPerson(tx, ports, contact);
    for (const unit of units) await withdraw(unit, ports, actor);
    await commitUnits(tx, ports, units);
  });
}

async function withdraw(unit: ContactUnit, ports: ErasurePorts, actor: string): Promise<void> {
  const { contact, now, tx } = unit;
  for (const { lineId, state } of await consentsOf(tx, [contact.id])) {
    const rules = await ports.rulesOfLine(unit, lineId);
    const revoke = { type: 'Revoke', by: 'operator', reason: 'erased', at: now } as const;
    // Refused only where nothing is open, and then there is nothing to take back.
    await applyConsent(unit, lineId, state, revoke, { rules, actor });
  }
  for (const call of await unfinishedCalls(tx, [contact.id])) {
    await applyCallEvents(unit, call, hangUp(call, 'business', 'erased', now), actor);
  }
  await cancelRuns(unit, 'erased', actor);
  await cancelPlanned(unit, 'erased', actor);
}

/**
 * Erases the person in one transaction, unless a call or a message of theirs is still under way;
 * tells whether it did. Contacts that were merged are one person and go together.
 */
export function erasePerson(
  ports: ErasurePorts,
  contact: Contact,
  actor: string,
): Promise<boolean> {
  return ports.database.transaction(async (tx) => {
    const units = await lockPerson(tx, ports, contact);
    const people = units.map((unit) => unit.contact);
    const ids = people.map(({ id }) => id);
    if ((await unfinishedCalls(tx, ids)).length > 0 || (await isSending(tx, ids))) return false;
    await saveErased(tx, contact.id, ports.clock.now(), needlesOf(people));
    for (const unit of units) await forget(unit, ports, actor);
    await commitUnits(tx, ports, units);
    return true;
  });
}

async function lockPerson(tx: Tx, ports: ErasurePorts, contact: Contact): Promise<PendingUnit[]> {
  const ids: ContactId[] = [contact.id, ...contact.absorbed];
  const now = ports.clock.now();
  return (await lockContacts(tx, ids)).map((lock) => new PendingUnit(tx, lock, now, ports.ids));
}

async function forget(unit: ContactUnit, ports: ErasurePorts, actor: string): Promise<void> {
  const { contact, now, tx } = unit;
  const { id, accountId } = contact;
  if (contact.erasedAt !== null) return;
  const key = ports.doNotCallKey;
  if (contact.optOutPending !== null) {
    // The question whether they meant stop will never be answered now; silence would mean stop.
    const entry = { list: OPT_OUT_LIST, reason: 'opted_out', source: 'erasure', now };
    await addToDoNotCall(tx, key, contact, entry);
  }
  await forgetReasons(tx, key, accountId, handlesOfContact(contact));
  const messageIds = await forgetMessages(tx, id);
  await forgetExternalIds(tx, [...messageIds, ...(await callIdsAtMeta(tx, contact))]);
  await forgetSeen(tx, id);
  await forgetAnswers(tx, id);
  await forgetWindows(tx, id);
  await forgetDetails(tx, id);
  await deleteHandles(tx, id);
  await forgetFormerHandles(tx, id);
  await stopWaking(tx, id);
  await forgetExposures(tx, id, now);
  await forgetRecordings(tx, id, now);
  await forgetIdentity(tx, id, now);
  await beginExportsAnew(tx, accountId);
  // Ledger, consents, calls, CDRs, notes and events are unreadable from here on.
  await destroyKey(tx, id);
  const announce = { type: 'contact.erased', callId: null, sequence: 0, data: { id } } as const;
  unit.record({ type: 'ContactErased', actor, at: now, data: {}, announce });
}
