import type { Contact } from '../contacts/contact.ts';
import { gatherEvidence, type EvidencePorts } from '../evidence/evidence.ts';
import { messagesOfContact } from '../messages/message-store.ts';
import { windowsOfContact } from '../messages/window-store.ts';
import { answersOf } from '../meta-answers/meta-answer-store.ts';
import { isoTime, isoTimeOrNull } from '../platform/clock.ts';

export const PERSON_FORMAT = 'askfirst-person-1';

/**
 * All that is kept of a person, for the person: who they are, what they said, what was sent to
 * them and what calls there were, with the ledger in full (GDPR Articles 15 and 20).
 */
export async function gatherPerson(
  ports: EvidencePorts,
  contact: Contact,
): Promise<Record<string, unknown>> {
  const { database } = ports;
  const { format: _format, contact: known, ...evidence } = await gatherEvidence(ports, contact.id);
  const messages = await messagesOfContact(database, contact.id);
  const windows = await windowsOfContact(database, contact.id);
  const { language, timeZone, sanctionedRegion, numberSince, absorbed } = contact;
  return {
    format: PERSON_FORMAT,
    contact: {
      ...(known as object),
      language,
      timeZone,
      sanctionedRegion: sanctionedRegion !== null,
      numberSince: isoTimeOrNull(numberSince),
      mergedContacts: absorbed,
    },
    messages: messages.map(({ id, lineId, requestId, content, status, wamid, createdAt }) => ({
      id,
      lineId,
      requestId,
      content,
      status,
      messageId: wamid,
      createdAt: isoTime(createdAt),
    })),
    lastHeard: windows.map(({ lineId, at }) => ({ lineId, at: isoTime(at) })),
    metaAnswers: (await answersOf(database, [contact.id])).map(({ lineId, answer }) => ({
      lineId,
      status: answer.status,
      askedAt: isoTime(answer.askedAt),
    })),
    ...evidence,
  };
}
