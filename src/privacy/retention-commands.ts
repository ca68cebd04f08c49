import { readContact } from '../contacts/contact-store.ts';
import { erasePerson, requestErasure, type ErasurePorts } from './erasure-commands.ts';
import { inactiveContacts } from './retention-store.ts';

/** A round's work; what is left over is done an hour later. */
const ROUND_MAX = 1_000;

/**
 * Erases contacts with whom nothing has happened for so long: the same erasure as on request, so
 * the ledger says when and by whom (`retention`), and do-not-call entries stay. Returns how many.
 */
export async function eraseInactive(ports: ErasurePorts, keptMs: number): Promise<number> {
  let erased = 0;
  const since = ports.clock.now() - keptMs;
  for await (const { id, accountId } of inactiveContacts(ports.database, since, ROUND_MAX)) {
    const contact = await readContact(ports.database, accountId, id);
    if (contact === null) continue;
    await requestErasure(ports, contact, 'retention');
    await erasePerson(ports, contact, 'retention');
    erased += 1;
  }
  return erased;
}
