import { lockContacts } from '../contacts/contact-store.ts';
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
  return ports.database.transaction(async (tx) =>
    withPerson(ports, tx, await survivorOf(tx, contactId), work),
  );
}

/** Merges may overtake a look-up, but not for ever. */
const LOOKS_MAX = 5;

/**
 * Runs `work` on the contact that goes on for this one, with the locks of all that it goes on for:
 * what somebody says under one of their contacts is obeyed under every other. It costs nothing
 * more where nobody was merged. Where the contact may have been, ask `survivorOf` first: locks are
 * taken from the one who goes on to the others, so that two stops never wait for one another.
 */
export async function withPerson<T>(
  ports: UnitPorts,
  tx: Tx,
  contactId: ContactId,
  work: (unit: ContactUnit) => Promise<T>,
): Promise<T> {
  const unit = await lockSurvivor(ports, tx, contactId);
  const absorbed = await joinAbsorbed(tx, [unit]);
  const result = await work(unit);
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
