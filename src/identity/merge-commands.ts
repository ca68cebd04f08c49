import { callOffUnanswered } from '../calls/call-commands.ts';
import { applyCallEvents } from '../calls/call-events.ts';
import { hangUp } from '../calls/call-rules.ts';
import { unfinishedCalls } from '../calls/call-store.ts';
import { applyConsent } from '../consent/consent-commands.ts';
import { consentsOf } from '../consent/consent-store.ts';
import { isLive, type ConsentRules, type ConsentState } from '../consent/consent.ts';
import { endCalls, optOut } from '../consent/opt-out-commands.ts';
import { saveMarks } from '../contacts/contact-mark-store.ts';
import { lockContacts, saveIdentity } from '../contacts/contact-store.ts';
import type { Contact } from '../contacts/contact.ts';
import { doNotCallIds, type DoNotCallKey } from '../contacts/do-not-call-store.ts';
import { markOptOutPending } from '../contacts/pending-opt-out-store.ts';
import type { Tx } from '../database/database.ts';
import { PendingUnit, commitUnits, type UnitPorts } from '../ledger/contact-unit.ts';
import { invariant } from '../platform/invariant.ts';
import type { ContactId, LineId } from '../platform/ids.ts';
import { saveMerge } from './identity-store.ts';

export type PersonPorts = UnitPorts & {
  doNotCallKey: DoNotCallKey;
  rulesOfLine: (unit: PendingUnit, lineId: LineId) => Promise<ConsentRules>;
};

type Consent = { contactId: ContactId; lineId: LineId; state: ConsentState };

/**
 * Two contacts are one person. One goes on; the other stays as the record that it is, names the
 * first, and gets nothing new. Strictest wins: an opt-out, a block or a do-not-call entry of either
 * counts for both at once, also against a call that rings, and a live permission is left only where
 * neither says no on that line.
 */
export async function mergePeople(
  ports: PersonPorts,
  tx: Tx,
  contactIds: readonly [ContactId, ContactId],
  at: number,
): Promise<void> {
  const locked = await lockContacts(tx, contactIds);
  const units = locked.map((lock) => new PendingUnit(tx, lock, ports.clock.now(), ports.ids));
  const consents = await consentsOf(tx, contactIds);
  const [survivor, absorbed] = ranked(units, consents, contactIds);
  const [a, b] = [survivor.contact, absorbed.contact];
  // Asked while each still has names of their own.
  const listed = await doNotCallIds(tx, ports.doNotCallKey, [a, b]);
  const data = { absorbedContactId: b.id, optedOut: b.optedOutAt !== null };
  const announce = { type: 'contact.merged', callId: null, sequence: 0, data } as const;
  survivor.record({ type: 'ContactMerged', actor: 'meta', at, data, announce });
  absorbed.record({ type: 'ContactAbsorbed', actor: 'meta', at, data: { contactId: a.id } });
  await withdrawConsent(ports, absorbed, 'same_person', {
    isStopped: isStopped(a) || listed.has(a.id),
  });
  await saveMerge(tx, b, a.id);
  const names = {
    e164: a.e164 ?? b.e164,
    userId: a.userId ?? b.userId,
    name: a.name ?? b.name,
    country: a.country ?? b.country,
  };
  await saveIdentity(tx, a.id, names);
  await saveIdentity(tx, b.id, { e164: null, userId: null, name: null, country: b.country });
  await saveMarks(tx, a, {
    language: a.language ?? b.language,
    timeZone: a.timeZone ?? b.timeZone,
    sanctionedRegion: a.sanctionedRegion ?? b.sanctionedRegion,
  });
  await carryNo(ports, survivor, absorbed, consents);
  if (listed.has(b.id) && !listed.has(a.id)) await carryEntry(ports, survivor, consents);
  await commitUnits(tx, ports, [survivor, absorbed]);
}

/** What the one who is absorbed has against calls is against the calls of the one who goes on. */
async function carryNo(
  ports: PersonPorts,
  survivor: PendingUnit,
  absorbed: PendingUnit,
  consents: readonly Consent[],
): Promise<void> {
  const { tx, contact } = survivor;
  const { optedOutAt, optOutPending } = absorbed.contact;
  if (optedOutAt !== null && contact.optedOutAt === null) {
    const rulesOfLine = (lineId: LineId) => ports.rulesOfLine(survivor, lineId);
    const opted = { lineId: null, way: 'same_person', at: optedOutAt } as const;
    await optOut(survivor, { doNotCallKey: ports.doNotCallKey, rulesOfLine }, opted);
    return;
  }
  if (optOutPending !== null && contact.optOutPending === null && contact.optedOutAt === null) {
    await markOptOutPending(tx, contact, optOutPending);
    await endCalls(survivor, 'opt_out_pending');
  }
  const refused = consents.filter(
    ({ contactId, state }) => contactId === absorbed.contact.id && saysNo(state),
  );
  for (const { lineId } of refused) {
    const own = consents.find((it) => it.contactId === contact.id && it.lineId === lineId);
    if (own === undefined) continue;
    await revoke(ports, survivor, own, 'same_person');
    await callOffUnanswered(survivor, lineId);
  }
}

/** An entry that only the absorbed one's names were under is the person's all the same. */
async function carryEntry(
  ports: PersonPorts,
  survivor: PendingUnit,
  consents: readonly Consent[],
): Promise<void> {
  for (const own of consents.filter(({ contactId }) => contactId === survivor.contact.id)) {
    await revoke(ports, survivor, own, 'same_person');
  }
  await endCalls(survivor, 'do_not_call');
}

/** Whether the person takes no call at all, and so none that goes on. */
function isStopped({ optedOutAt, optOutPending }: Contact): boolean {
  return optedOutAt !== null || optOutPending !== null;
}

/** A no that was never followed by a yes; what merely ended by itself says nothing. */
function saysNo({ status }: ConsentState): boolean {
  return status === 'revoked' || status === 'declined';
}

/**
 * Takes back what is open on every line, and calls off whatever nobody has answered yet; where the
 * person said stop, what was answered too.
 */
export async function withdrawConsent(
  ports: PersonPorts,
  unit: PendingUnit,
  reason: 'number_recycled' | 'same_person',
  { isStopped: endsAnswered = false } = {},
): Promise<void> {
  const { tx, contact, now } = unit;
  for (const consent of await consentsOf(tx, [contact.id])) {
    await revoke(ports, unit, consent, reason);
  }
  for (const call of await unfinishedCalls(tx, [contact.id])) {
    if (call.facts.answeredAt !== null && !endsAnswered) continue;
    const events = hangUp(call, 'platform', 'permission_revoked', now);
    await applyCallEvents(unit, call, events, 'platform');
  }
}

async function revoke(
  ports: PersonPorts,
  unit: PendingUnit,
  { lineId, state }: Consent,
  reason: 'number_recycled' | 'same_person',
): Promise<void> {
  if (!['requested', 'granted', 'used'].includes(state.status)) return;
  const rules = await ports.rulesOfLine(unit, lineId);
  const command = { type: 'Revoke', by: 'meta', reason, at: unit.now } as const;
  await applyConsent(unit, lineId, state, command, { rules, actor: 'meta' });
}

/**
 * Who goes on: the one that holds a live permission, else an open request, else the one with the
 * number, which every rule about places needs.
 */
function ranked(
  units: readonly PendingUnit[],
  consents: readonly Consent[],
  order: readonly ContactId[],
): [survivor: PendingUnit, absorbed: PendingUnit] {
  const rank = ({ contact, now }: PendingUnit): number => {
    const states = consents.flatMap((it) => (it.contactId === contact.id ? [it.state] : []));
    if (states.some((state) => isLive(state, now))) return 0;
    if (states.some(({ status }) => status === 'requested')) return 1;
    return contact.e164 === null ? 3 : 2;
  };
  const [survivor, absorbed] = units.toSorted(
    (one, other) =>
      rank(one) - rank(other) || order.indexOf(one.contact.id) - order.indexOf(other.contact.id),
  );
  invariant(survivor !== undefined && absorbed !== undefined, 'a merge takes two contacts');
  return [survivor, absorbed];
}
