import {
  claimHandle,
  findByHandle,
  findByHandles,
  moveHandle,
} from '../contacts/contact-handle-store.ts';
import {
  findOrCreateContact,
  lockContacts,
  readContact,
  saveIdentity,
  type Identity,
} from '../contacts/contact-store.ts';
import { handlesOfContact, numberHandle, userHandle } from '../contacts/contact.ts';
import type { Contact, Handle } from '../contacts/contact.ts';
import { copyEntries } from '../contacts/do-not-call-store.ts';
import { parseNumber } from '../contacts/phone-number.ts';
import type { Tx } from '../database/database.ts';
import { PendingUnit, commitUnits, type UnitPorts } from '../ledger/contact-unit.ts';
import { invariant } from '../platform/invariant.ts';
import type { AccountId, ContactId } from '../platform/ids.ts';
import { isRefused } from '../platform/refusal.ts';
import {
  formerOwner,
  hasLeft,
  retireHandle,
  saveNumberSince,
  survivorOf,
} from './identity-store.ts';
import {
  planChange,
  planSighting,
  type Change,
  type Known,
  type Plan,
  type Step,
} from './identity.ts';
import { mergePeople, withdrawConsent, type PersonPorts } from './merge-commands.ts';

export type IdentityPorts = UnitPorts & PersonPorts;

/** Names are looked up, locked and looked up again; somebody else may have moved them between. */
const LOOKS_MAX = 5;

/**
 * The contact that a fact of that time belongs to, made if it is new. What the fact teaches about
 * who is who is carried out first, in the same transaction. `asked` is the contact whose message
 * from us was answered.
 */
export async function settleSighting(
  ports: IdentityPorts,
  tx: Tx,
  accountId: AccountId,
  sighting: Sighted,
): Promise<ContactId | null> {
  const { asked: _asked, at, ...named } = sighting;
  const { e164 = null, userId = null } = named;
  const known = await findAtOnce(tx, accountId, sighting);
  if (known !== null) return known;
  const plan = await lookLocked(tx, () => lookFor(tx, accountId, sighting));
  const owner = await carryOut(ports, tx, plan, at);
  if (e164 === null && userId === null) return owner;
  // A number that belongs to somebody else by now is given to nobody by an old fact.
  const isOld =
    plan.isOld === true ||
    (e164 !== null && owner !== null && (await isLeftBehind(tx, accountId, e164, owner)));
  const names = isOld ? { ...named, e164: undefined, country: undefined } : named;
  if (isOld && userId === null) return owner;
  const wanted = owner === null ? names : { ...names, contactId: owner };
  const id = await findOrCreateContact(tx, ports.ids, accountId, wanted, ports.clock.now());
  if (!isOld && e164 !== null && userId !== null) await notePair(tx, accountId, id, sighting);
  return id;
}

export type Sighted = Omit<Identity, 'contactId'> & { asked: ContactId | null; at: number };

/** The usual case, at the price of one lock: all leads to one contact, which is up to date. */
async function findAtOnce(
  tx: Tx,
  accountId: AccountId,
  { asked, at, e164, userId, name }: Sighted,
): Promise<ContactId | null> {
  const handles = handlesOfContact({ e164: e164 ?? null, userId: userId ?? null });
  const found = (await findByHandles(tx, accountId, handles)).values();
  const [id, ...others] = new Set([...found, ...(asked === null ? [] : [asked])]);
  if (id === undefined || others.length > 0) return null;
  const [locked] = await lockContacts(tx, [id]);
  if (locked === undefined || locked.contact.mergedInto !== null) return null;
  const { contact } = locked;
  const isSame =
    (e164 === undefined || contact.e164 === e164) &&
    (userId === undefined || contact.userId === userId) &&
    (name === undefined || contact.name === name);
  const isPaired = contact.numberSince !== null || e164 === undefined || userId === undefined;
  return isSame && isPaired && at >= (contact.numberSince ?? -Infinity) ? id : null;
}

async function lookFor(tx: Tx, accountId: AccountId, sighting: Sighted): Promise<Look> {
  const { asked: askedId, e164 = null, userId = null, at } = sighting;
  const asked = askedId === null ? null : await survivorOf(tx, askedId);
  const byNumber = e164 === null ? null : await findByHandle(tx, accountId, numberHandle(e164));
  const byUser = userId === null ? null : await findByHandle(tx, accountId, userHandle(userId));
  const former = e164 === null ? null : await formerOwner(tx, accountId, numberHandle(e164), at);
  return {
    ids: [asked, byNumber, byUser, former],
    plan: async () => {
      const known = await knownOf(tx, accountId, [asked, byNumber, byUser]);
      const record = { asked: known(asked), byNumber: known(byNumber), byUser: known(byUser) };
      return planSighting({ e164, userId, at }, { ...record, former });
    },
  };
}

/** From when on the number and the user id are known to belong together. */
async function notePair(
  tx: Tx,
  accountId: AccountId,
  id: ContactId,
  { e164, userId, at }: Sighted,
): Promise<void> {
  const contact = await readContact(tx, accountId, id);
  if (contact?.e164 !== e164 || contact?.userId !== userId || contact === null) return;
  if (contact.numberSince === null) await saveNumberSince(tx, id, at);
}

/** Meta says that a person's names have changed. Returns the contact. */
export async function settleChange(
  ports: IdentityPorts,
  tx: Tx,
  accountId: AccountId,
  change: Change,
): Promise<ContactId | null> {
  const { from, to, at } = change;
  const plan = await lookLocked(tx, () => lookForChange(tx, accountId, change));
  if (plan.owner !== null) return carryOut(ports, tx, plan, at);
  // A stranger's news may come before everything else of theirs: the old names lead there too.
  const named = { e164: to.e164 ?? undefined, userId: to.userId ?? undefined };
  const read = to.e164 === null ? null : parseNumber(to.e164);
  const country = read === null || isRefused(read) ? undefined : read.country;
  const names = { ...named, country, asked: null, at };
  const contactId = await settleSighting(ports, tx, accountId, names);
  if (contactId === null) return null;
  if (from.userId !== null) await claimHandle(tx, accountId, userHandle(from.userId), contactId);
  if (from.e164 !== null) {
    await retireHandle(tx, accountId, numberHandle(from.e164), { contactId, leftAt: at });
  }
  return contactId;
}

async function lookForChange(tx: Tx, accountId: AccountId, change: Change): Promise<Look> {
  const { from, to, at } = change;
  const ownerOf = async (handle: Handle | null): Promise<ContactId | null> =>
    handle === null ? null : findByHandle(tx, accountId, handle);
  const byOldId = await ownerOf(from.userId === null ? null : userHandle(from.userId));
  const before = byOldId ?? (await ownerOfOld(tx, accountId, from.e164, at));
  const byNewNumber = await ownerOf(to.e164 === null ? null : numberHandle(to.e164));
  const byNewUser = await ownerOf(to.userId === null ? null : userHandle(to.userId));
  const ids = [before, byNewNumber, byNewUser];
  return {
    ids,
    plan: async () => {
      const known = await knownOf(tx, accountId, ids);
      return planChange(change, {
        before: known(before),
        isByOldId: byOldId !== null,
        byNewNumber: known(byNewNumber),
        byNewUser: known(byNewUser),
      });
    },
  };
}

async function ownerOfOld(
  tx: Tx,
  accountId: AccountId,
  e164: string | null,
  at: number,
): Promise<ContactId | null> {
  if (e164 === null) return null;
  const handle = numberHandle(e164);
  return (await formerOwner(tx, accountId, handle, at)) ?? findByHandle(tx, accountId, handle);
}

type Look = { ids: ReadonlyArray<ContactId | null>; plan: () => Promise<Plan> };

async function lookLocked(tx: Tx, look: () => Promise<Look>): Promise<Plan> {
  let found = await look();
  for (let tries = 1; ; tries += 1) {
    const ids = presentOf(found.ids);
    if (ids.length > 0) await lockContacts(tx, ids);
    const again = await look();
    const isSame = again.ids.every((id, index) => id === found.ids[index]);
    found = again;
    if (isSame) return found.plan();
    invariant(tries < LOOKS_MAX, 'names of a person keep moving');
  }
}

function presentOf(ids: ReadonlyArray<ContactId | null>): ContactId[] {
  return [...new Set(ids.flatMap((id) => id ?? []))];
}

async function knownOf(
  tx: Tx,
  accountId: AccountId,
  ids: ReadonlyArray<ContactId | null>,
): Promise<(id: ContactId | null) => Known | null> {
  const contacts = new Map<ContactId, Contact>();
  for (const id of presentOf(ids)) {
    const contact = await readContact(tx, accountId, id);
    if (contact !== null) contacts.set(id, contact);
  }
  return (id) => (id === null ? null : (contacts.get(id) ?? null));
}

/** The steps in their order; returns whom the fact belongs to after them. */
async function carryOut(
  ports: IdentityPorts,
  tx: Tx,
  { owner, steps }: Plan,
  at: number,
): Promise<ContactId | null> {
  for (const step of steps) await carryOutStep(ports, tx, step, at);
  return owner === null ? null : survivorOf(tx, owner);
}

async function carryOutStep(ports: IdentityPorts, tx: Tx, step: Step, at: number): Promise<void> {
  if (step.kind === 'merge') return mergePeople(ports, tx, step.contactIds, at);
  const contactId = await survivorOf(tx, step.contactId);
  const [locked] = await lockContacts(tx, [contactId]);
  invariant(locked !== undefined, `contact ${contactId} does not exist`);
  const unit = new PendingUnit(tx, locked, ports.clock.now(), ports.ids);
  switch (step.kind) {
    case 'loseNumber':
      await loseNumber(ports, unit, step.number, at);
      break;
    case 'changeNumber':
      await changeNumber(ports, unit, step, at);
      break;
    case 'changeUserId':
      await changeUserId(ports, unit, step, at);
      break;
  }
  await commitUnits(tx, ports, [unit]);
}

/** Consent dies with the number: whoever has it now never gave it. */
async function loseNumber(
  ports: IdentityPorts,
  unit: PendingUnit,
  number: string,
  at: number,
): Promise<void> {
  const { contact, tx } = unit;
  const { accountId, id: contactId } = contact;
  const handle = numberHandle(number);
  await retireHandle(tx, accountId, handle, { contactId, leftAt: at });
  if (contact.userId !== null) {
    const theirs = userHandle(contact.userId);
    await copyEntries(tx, ports.doNotCallKey, accountId, handle, theirs);
  }
  await saveIdentity(tx, contactId, { ...contact, e164: null });
  const announce = { type: 'contact.number_lost', callId: null, sequence: 0, data: {} } as const;
  unit.record({ type: 'NumberLost', actor: 'meta', at, data: {}, personal: { number }, announce });
  await withdrawConsent(ports, unit, 'number_recycled');
}

/** The person takes consent and do-not-call along; the old number keeps its do-not-call too. */
async function changeNumber(
  ports: IdentityPorts,
  unit: PendingUnit,
  { from, to }: Extract<Step, { kind: 'changeNumber' }>,
  at: number,
): Promise<void> {
  const { contact, tx } = unit;
  const { accountId, id: contactId } = contact;
  const [before, after] = [numberHandle(from), numberHandle(to)];
  await retireHandle(tx, accountId, before, { contactId, leftAt: at });
  await moveHandle(tx, accountId, after, contactId);
  await copyEntries(tx, ports.doNotCallKey, accountId, before, after);
  const read = parseNumber(to);
  const country = isRefused(read) ? null : read.country;
  await saveIdentity(tx, contactId, { ...contact, e164: to, country });
  await saveNumberSince(tx, contactId, at);
  unit.record({ type: 'NumberChanged', actor: 'meta', at, data: {}, personal: { from, to } });
}

/** The old user id goes on leading to the person: Meta gives it to nobody else. */
async function changeUserId(
  ports: IdentityPorts,
  unit: PendingUnit,
  { from, to }: Extract<Step, { kind: 'changeUserId' }>,
  at: number,
): Promise<void> {
  const { contact, tx } = unit;
  const { accountId, id: contactId } = contact;
  await moveHandle(tx, accountId, userHandle(to), contactId);
  await copyEntries(tx, ports.doNotCallKey, accountId, userHandle(from), userHandle(to));
  await saveIdentity(tx, contactId, { ...contact, userId: to });
  unit.record({ type: 'UserIdChanged', actor: 'meta', at, data: {}, personal: { from, to } });
}

/** True for a number that the contact had once and has not any more. */
async function isLeftBehind(
  tx: Tx,
  accountId: AccountId,
  e164: string,
  contactId: ContactId,
): Promise<boolean> {
  const contact = await readContact(tx, accountId, contactId);
  if (contact === null || contact.e164 === e164) return false;
  return hasLeft(tx, accountId, numberHandle(e164), contactId);
}
