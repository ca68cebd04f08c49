import { contactsOfHandles } from '../contacts/contact-handle-store.ts';
import { findOrCreateContact } from '../contacts/contact-store.ts';
import { handlesOfContact } from '../contacts/contact.ts';
import { findLine } from '../lines/line-store.ts';
import { noteInbound } from '../messages/window-store.ts';
import type { WhatsAppFact } from '../whatsapp/whatsapp.ts';
import { identityOf, type PersonFactPorts } from './person-facts.ts';

/**
 * Some things open the messaging window and say nothing of calls: a picture, a voice message, a
 * call of the customer, a call of ours that was picked up (Meta's pricing page).
 */
export async function noteWindow(ports: PersonFactPorts, fact: WhatsAppFact): Promise<void> {
  if (!opensWindow(fact)) return;
  const { database, ids, clock } = ports;
  const line = await findLine(database, fact.phoneNumberId);
  const identity = identityOf(fact);
  const { e164 = null, userId = null } = identity;
  const handles = handlesOfContact({ e164, userId });
  if (line === null || handles.length === 0) return;
  const known = await contactsOfHandles(database, line.accountId, handles);
  if (known.length === 0) {
    await database.transaction(async (tx) => {
      const { accountId } = line;
      const made = await findOrCreateContact(tx, ids, accountId, identity, clock.now());
      await noteInbound(tx, { contactId: made, lineId: line.id }, fact.at);
    });
  }
  for (const contactId of known) {
    await noteInbound(database, { contactId, lineId: line.id }, fact.at);
  }
}

function opensWindow(fact: WhatsAppFact): boolean {
  switch (fact.kind) {
    case 'unknown':
      return /^messages\.(?!statuses|messages)/.test(fact.field);
    case 'callConnect':
      return fact.direction === 'user';
    case 'callStatus':
      return fact.status === 'accepted';
    default:
      return false;
  }
}
