import { campaignsOfContact } from '../campaigns/member-list-store.ts';
import { plannedOf } from '../consent/planned-request-store.ts';
import { plannedView } from '../consent/consent-views.ts';
import { detailsOf, tagsOf } from '../contacts/contact-detail-store.ts';
import { readContact } from '../contacts/contact-store.ts';
import type { Contact } from '../contacts/contact.ts';
import { gatherEvidence, type EvidencePart, type EvidencePorts } from '../evidence/evidence.ts';
import { runsOfContact } from '../journeys/run-store.ts';
import { runView } from '../journeys/run-views.ts';
import { exposuresOfContact } from '../experiments/exposure-store.ts';
import { messagesOfContact } from '../messages/message-store.ts';
import { windowsOfContact } from '../messages/window-store.ts';
import { outcomesOfContact } from '../outcomes/outcome-store.ts';
import { surveysOfContact } from '../surveys/survey-store.ts';
import { answersOf } from '../meta-answers/meta-answer-store.ts';
import type { Sealer } from '../platform/sealing.ts';
import { EXPORT_LINK_MINUTES, linksOf } from '../recording/recording-link.ts';
import { recordingsOfContact } from '../recording/recording-store.ts';
import { recordingView, type RecordingView } from '../recording/recording-views.ts';
import { invariant } from '../platform/invariant.ts';
import { isoTime, isoTimeOrNull } from '../platform/clock.ts';

/** `base` is our own address, for the links to recordings. */
export type PersonPorts = EvidencePorts & { sealer: Sealer; base: string };

export const PERSON_FORMAT = 'askfirst-person-1';

/**
 * All that is kept of a person, for the person: who they are, what they said, what was sent to
 * them and what calls there were, with the ledger in full (GDPR Articles 15 and 20).
 */
export async function gatherPerson(
  ports: PersonPorts,
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
  ports: PersonPorts,
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
  ports: PersonPorts,
  contact: Contact,
  { format: _format, contact: known, ...evidence }: EvidencePart,
): Promise<Record<string, unknown>> {
  const { database } = ports;
  const messages = await messagesOfContact(database, contact.id);
  const windows = await windowsOfContact(database, contact.id);
  const { language, timeZone, sanctionedRegion, numberSince, absorbed } = contact;
  const details = (await detailsOf(database, [contact.id])).get(contact.id) ?? null;
  return {
    format: PERSON_FORMAT,
    contact: {
      ...known,
      language,
      timeZone,
      sanctionedRegion: sanctionedRegion !== null,
      numberSince: isoTimeOrNull(numberSince),
      mergedContacts: absorbed,
      details,
      tags: await tagsOf(database, contact.id),
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
    recordings: await recordingViews(ports, contact),
    journeys: (await runsOfContact(database, contact.id)).map(runView),
    plannedRequests: (await plannedOf(database, [contact.id], null)).map(plannedView),
    campaigns: (await campaignsOfContact(database, contact.id)).map(({ updatedAt, ...member }) => ({
      ...member,
      updatedAt: isoTime(updatedAt),
    })),
    lastHeard: windows.map(({ lineId, at }) => ({ lineId, at: isoTime(at) })),
    experiments: (await exposuresOfContact(database, contact.id)).map(({ at, ...exposure }) => ({
      ...exposure,
      at: isoTime(at),
    })),
    surveys: (await surveysOfContact(database, contact.id)).map(
      ({ callId, lineId, way, status, askedAt, answeredAt, score }) => ({
        callId,
        lineId,
        way,
        status,
        askedAt: isoTime(askedAt),
        answeredAt: isoTimeOrNull(answeredAt),
        score,
      }),
    ),
    outcomes: (await outcomesOfContact(database, contact.id)).map(
      ({ callId, outcome, note, setAt }) => ({ callId, outcome, note, setAt: isoTime(setAt) }),
    ),
    metaAnswers: (await answersOf(database, [contact.id])).map(({ lineId, answer }) => ({
      lineId,
      status: answer.status,
      askedAt: isoTime(answer.askedAt),
    })),
    ...evidence,
  };
}

/** Every recording of the person, with links that last until they have found the time. */
async function recordingViews(
  { database, clock, sealer, base }: PersonPorts,
  contact: Contact,
): Promise<RecordingView[]> {
  const at = { base, now: clock.now(), minutes: EXPORT_LINK_MINUTES };
  return (await recordingsOfContact(database, contact.id)).map((recording) => {
    const isReady = recording.state === 'ready';
    return recordingView(recording, isReady ? linksOf(sealer, recording.id, at) : null);
  });
}
