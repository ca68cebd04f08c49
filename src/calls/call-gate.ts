import { consentsOf } from '../consent/consent-store.ts';
import { initialConsent, permissionOf, type ConsentState } from '../consent/consent.ts';
import type { Contact } from '../contacts/contact.ts';
import { doNotCallIds, type DoNotCallKey } from '../contacts/do-not-call-store.ts';
import type { Queryable } from '../database/database.ts';
import { readLines, type StoredLine } from '../lines/line-store.ts';
import { answerInForce, type MetaAnswer } from '../meta-answers/meta-answer.ts';
import { answersOf } from '../meta-answers/meta-answer-store.ts';
import type { CallId, ContactId, LineId } from '../platform/ids.ts';
import type { PolicyPacks } from '../policy/policy-packs.ts';
import { evaluateCall, evaluateRequest, type Decision, type PartyFacts } from '../policy/policy.ts';
import type { CallState } from './call.ts';
import { unfinishedCalls } from './call-store.ts';

/**
 * Gathers the facts of the gate, for many contacts in a handful of statements. Where the contacts'
 * locks are held, the facts cannot change before the decision commits; without locks the answer
 * is only advice, as in `GET /v1/eligibility`.
 */
export type GateFacts = {
  lines: ReadonlyMap<LineId, StoredLine>;
  consents: ReadonlyMap<string, ConsentState>;
  doNotCall: ReadonlySet<string>;
  /** Queued and live calls of each contact, oldest first. */
  unfinished: ReadonlyMap<ContactId, readonly CallState[]>;
  /** What Meta last said of each contact and line, if it was ever asked. */
  metaAnswers: ReadonlyMap<string, MetaAnswer>;
};

export type GatePorts = { packs: PolicyPacks; doNotCallKey: DoNotCallKey };

export async function gatherGateFacts(
  db: Queryable,
  ports: GatePorts,
  contacts: readonly Contact[],
  lineIds: readonly LineId[],
): Promise<GateFacts> {
  const lines = await linesById(db, lineIds);
  return { lines, ...(await gatherContactFacts(db, ports, contacts)) };
}

export async function linesById(
  db: Queryable,
  lineIds: readonly LineId[],
): Promise<Map<LineId, StoredLine>> {
  const lines = await readLines(db, [...new Set(lineIds)]);
  return new Map(lines.map((line) => [line.id, line]));
}

/** The facts that a contact's lock protects: four statements, however many contacts. */
export async function gatherContactFacts(
  db: Queryable,
  ports: GatePorts,
  contacts: readonly Contact[],
): Promise<Omit<GateFacts, 'lines'>> {
  const ids = contacts.map(({ id }) => id);
  const consents = await consentsOf(db, ids);
  const doNotCall = await doNotCallIds(db, ports.doNotCallKey, contacts);
  const unfinished = await unfinishedCalls(db, ids);
  const answers = await answersOf(db, ids);
  return {
    consents: new Map(
      consents.map(({ contactId, lineId, state }) => [consentKey(contactId, lineId), state]),
    ),
    doNotCall,
    unfinished: Map.groupBy(unfinished, ({ plan }) => plan.contactId),
    metaAnswers: new Map(
      answers.map(({ contactId, lineId, answer }) => [consentKey(contactId, lineId), answer]),
    ),
  };
}

export function consentKey(contactId: ContactId, lineId: LineId): string {
  return `${contactId}/${lineId}`;
}

/** The consent of a contact on a line, as the facts have it. */
export function consentIn(facts: GateFacts, contactId: ContactId, lineId: LineId): ConsentState {
  return facts.consents.get(consentKey(contactId, lineId)) ?? initialConsent;
}

/** What Meta said of a contact on a line, unless a later yes or time has overtaken it. */
export function metaAnswerIn(
  facts: GateFacts,
  { contact, line, now }: Pick<GateQuestion, 'contact' | 'line' | 'now'>,
): MetaAnswer | null {
  const grantedAt = permissionOf(consentIn(facts, contact.id, line.id))?.grantedAt ?? null;
  return answerInForce(facts.metaAnswers.get(consentKey(contact.id, line.id)), { now, grantedAt });
}

/** True where nothing stands in the way but that Meta was not asked lately. */
export function waitsForMeta({ verdicts }: Decision): boolean {
  const refused = verdicts.filter(({ verdict }) => verdict === 'refuse');
  return refused.length > 0 && refused.every(({ code }) => code === 'meta_answer_unknown');
}

export type GateQuestion = {
  contact: Contact;
  line: StoredLine;
  purpose: string;
  /** The call itself when it exists already, else null. */
  callId: CallId | null;
  endpointKnown: boolean;
  now: number;
};

/** May this call be placed now? Every rule of the line's pack answers. */
export function decideCall(ports: GatePorts, facts: GateFacts, question: GateQuestion): Decision {
  const { contact, callId, endpointKnown } = question;
  const unfinished = facts.unfinished.get(contact.id) ?? [];
  // At the dial only a live call is in the way: of several that wait, the first may go.
  const inTheWay = unfinished.filter(({ status }) => callId === null || status !== 'queued');
  const liveCallIds = inTheWay.map(({ plan }) => plan.id);
  return evaluateCall(
    { ...partyFacts(facts, question), callId, endpointKnown, liveCallIds },
    ports.packs.of(question.line.policyPack),
  );
}

/** May this customer be asked for permission now? */
export async function decideRequest(
  db: Queryable,
  ports: GatePorts,
  question: Pick<GateQuestion, 'contact' | 'line' | 'purpose' | 'now'>,
): Promise<Decision> {
  const facts = await gatherGateFacts(db, ports, [question.contact], [question.line.id]);
  return evaluateRequest(partyFacts(facts, question), ports.packs.of(question.line.policyPack));
}

/** The facts that a call and a request have in common. */
function partyFacts(
  facts: GateFacts,
  question: Pick<GateQuestion, 'contact' | 'line' | 'purpose' | 'now'>,
): PartyFacts {
  const { contact, line, purpose, now } = question;
  return {
    now,
    line: {
      enabled: line.enabled,
      restrictedUntil: line.restrictedUntil,
      e164: line.displayNumber,
      country: line.country,
    },
    contact: {
      e164: contact.e164,
      country: contact.country,
      doNotCall: facts.doNotCall.has(contact.id),
      optedOutAt: contact.optedOutAt,
      optOutPendingAt: contact.optOutPending?.at ?? null,
      sanctionedRegion: false,
    },
    consent: consentIn(facts, contact.id, line.id),
    purpose,
  };
}
