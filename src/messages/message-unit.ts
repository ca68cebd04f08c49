import type { ContactUnit } from '../ledger/contact-unit.ts';
import type { Message } from './message.ts';
import { messageRows } from './message-store.ts';

/** Adds a message to what a unit commits; the worker sends it as soon as it may. */
export function queueMessage(
  unit: ContactUnit,
  wanted: Pick<Message, 'lineId' | 'requestId' | 'content'>,
): Message {
  const { contact, now } = unit;
  const message: Message = {
    ...wanted,
    id: unit.ids.next('message', contact.bucket),
    accountId: contact.accountId,
    contactId: contact.id,
    status: 'queued',
    wamid: null,
    dueAt: now,
    attempts: 0,
    lastError: null,
    createdAt: now,
  };
  unit.save(messageRows, message.id, message);
  return message;
}
