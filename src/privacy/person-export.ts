import { readContact } from '../contacts/contact-store.ts';
import type { Contact } from '../contacts/contact.ts';
import { gatherEvidence, type EvidencePart, type EvidencePorts } from '../evidence/evidence.ts';
import { messagesOfContact } from '../messages/message-store.ts';
import { windowsOfContact } from '../messages/window-store.ts';
import { answersOf } from '../meta-answers/meta-answer-store.ts';
import { invariant } from '../platform/invariant.ts';
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
  const { absorbed, ...own } = await gatherEvidence(ports, contact.id);
  return {
    ...(await gatherContact(ports, contact, own)),
    absorbed: gatherAbsorbed(ports, contact, absorbed),
  };
}

/** What was kept of the person under contacts that this one goes on for. */
async function* gatherAbsorbed(
  ports: EvidencePorts,
  { accountId }: Contact,
  parts: AsyncIterable<EvidencePart>,
): AsyncGenerator<Record<string, unknown>> {
  for await (const part of parts) {
    const contact = await readContact(ports.database, accountId, part.contact.id);
    invariant(contact !== null, `contact ${part.contact.id} does not exist`);
    yield gatherContact(ports, contact, part);
  }
}

async function gatherContact(
  { database }: EvidencePorts,
  contact: Contact,
  { format: _format, contact: known, ...evidence }: EvidencePart,
): Promise<Record<string, unknown>> {
  const messages = await messagesOfContact(database, contact.id);
  const windows = await windowsOfContact(database, contact.id);
  const { language, timeZone, sanctionedRegion, numberSince, absorbed } = contact;
  return {
    format: PERSON_FORMAT,
    contact: {
      ...known,
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
