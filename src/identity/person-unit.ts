import { lockContacts, lockUnmerged } from '../contacts/contact-store.ts';
import type { Tx } from '../database/database.ts';
import {
  PendingUnit,
  commitUnits,
  type ContactUnit,
  type LedgerPorts,
  type UnitPorts,
} from '../ledger/contact-unit.ts';
import { invariant } from '../platform/invariant.ts';
import type { ContactId } from '../platform/ids.ts';
import { survivorOf } from './identity-store.ts';

/** As `withPerson`, in a transaction of its own. */
export function onPerson<T>(
  ports: LedgerPorts,
  contactId: ContactId,
  work: (unit: ContactUnit) => Promise<T>,
): Promise<T> {
  return onPersonRead(ports, contactId, nothing, work);
}

/**
 * As `onPerson`, with facts that are read of the person under the lock: of the contact that goes
 * on, named first, and of those it goes on for. The questions go out behind the lock without
 * waiting for it, in one trip; a connection answers in order, so they see what the lock waited for.
 */
export function onPersonRead<Facts, T>(
  ports: LedgerPorts,
  contactId: ContactId,
  read: FactsReader<Facts>,
  work: (unit: ContactUnit, facts: Facts) => Promise<T>,
): Promise<T> {
  return ports.database.transaction((tx) => withPersonRead(ports, tx, contactId, read, work));
}

export type FactsReader<Facts> = (tx: Tx, contactIds: readonly ContactId[]) => Promise<Facts>;

const nothing = async (): Promise<void> => {};

/** Merges may overtake a look-up, but not for ever. */
const LOOKS_MAX = 5;

/**
 * Runs `work` on the contact that goes on for this one, with the locks of all that it goes on for:
 * what somebody says under one of their contacts is obeyed under every other. It costs nothing
 * more where nobody was merged. Locks are taken from the one who goes on to the others, so that
 * two stops never wait for one another.
 */
export function withPerson<T>(
  ports: UnitPorts,
  tx: Tx,
  contactId: ContactId,
  work: (unit: ContactUnit) => Promise<T>,
): Promise<T> {
  return withPersonRead(ports, tx, contactId, nothing, work);
}

/** As `onPersonRead`, inside a transaction that is already open. */
export async function withPersonRead<Facts, T>(
  ports: UnitPorts,
  tx: Tx,
  contactId: ContactId,
  read: FactsReader<Facts>,
  work: (unit: ContactUnit, facts: Facts) => Promise<T>,
): Promise<T> {
  const [locked, early] = await Promise.all([lockUnmerged(tx, contactId), read(tx, [contactId])]);
  const unit =
    locked === null
      ? await lockSurvivor(ports, tx, await survivorOf(tx, contactId))
      : new PendingUnit(tx, locked, ports.clock.now(), ports.ids);
  const absorbed = await joinAbsorbed(tx, [unit]);
  const wasAsked = locked !== null && absorbed.length === 0;
  const everyId = [unit, ...absorbed].map(({ contact }) => contact.id);
  const facts = wasAsked ? early : await read(tx, everyId);
  const result = await work(unit, facts);
  await commitUnits(tx, ports, [unit, ...absorbed]);
  return result;
}

async function lockSurvivor(ports: UnitPorts, tx: Tx, contactId: ContactId): Promise<PendingUnit> {
  let id = contactId;
  for (let looks = 1; ; looks += 1) {
    const [locked] = await lockContacts(tx, [id]);
    invariant(locked !== undefined, `contact ${id} does not exist`);
    if (locked.contact.mergedInto === null) {
      return new PendingUnit(tx, locked, ports.clock.now(), ports.ids);
    }
    invariant(looks < LOOKS_MAX, `contact ${contactId} is merged without end`);
    id = await survivorOf(tx, id);
  }
}

/** Locks whom the contacts of these units go on for; the units returned must be committed too. */
export async function joinAbsorbed(tx: Tx, units: readonly PendingUnit[]): Promise<PendingUnit[]> {
  const owners = new Map(
    units.flatMap((unit) => unit.contact.absorbed.map((id) => [id, unit] as const)),
  );
  if (owners.size === 0) return [];
  const locked = await lockContacts(tx, [...owners.keys()]);
  return locked.map((lock) => {
    const owner = owners.get(lock.contact.id);
    invariant(owner !== undefined, 'only absorbed contacts were asked for');
    const unit = new PendingUnit(tx, lock, owner.now, owner.ids);
    owner.absorbed.push(unit);
    return unit;
  });
}
