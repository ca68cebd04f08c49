import { consentsOf } from '../consent/consent-store.ts';
import { initialConsent, permissionOf, type ConsentState } from '../consent/consent.ts';
import type { Contact } from '../contacts/contact.ts';
import { readContacts } from '../contacts/contact-store.ts';
import { doNotCallIds, type DoNotCallKey } from '../contacts/do-not-call-store.ts';
import type { Queryable } from '../database/database.ts';
import { sharedConsent } from '../identity/identity.ts';
import { readLines, type StoredLine } from '../lines/line-store.ts';
import { answerInForce, type MetaAnswer } from '../meta-answers/meta-answer.ts';
import { answersOf } from '../meta-answers/meta-answer-store.ts';
import type { CallId, ContactId, LineId } from '../platform/ids.ts';
import type { Layers } from '../policy/layers.ts';
import { personHistory } from '../policy/person-history.ts';
import type { PolicyPacks } from '../policy/policy-packs.ts';
import {
  evaluateCall,
  evaluateRequest,
  latestAllowedCall,
  type CallFacts,
  type Decision,
  type PartyFacts,
  type PersonHistory,
  type RequestFacts,
} from '../policy/policy.ts';
import type { CallState } from './call.ts';
import { unfinishedCalls } from './call-store.ts';

/**
 * Gathers the facts of the gate, for many contacts in a handful of statements. Where the contacts'
 * locks are held, the facts cannot change before the decision commits; without locks the answer
 * is only advice, as in `GET /v1/eligibility`.
 */
export type GateFacts = {
  /** What is counted over all lines of a person; absent where nothing ever happened. */
  histories: ReadonlyMap<ContactId, PersonHistory>;
  lines: ReadonlyMap<LineId, StoredLine>;
  consents: ReadonlyMap<string, ConsentState>;
  doNotCall: ReadonlySet<string>;
  /** Queued and live calls of each contact, oldest first. */
  unfinished: ReadonlyMap<ContactId, readonly CallState[]>;
  absorbed: AbsorbedFacts;
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
  const absorbed = await absorbedFacts(db, contacts);
  const ids = contacts.map(({ id }) => id);
  const [consents, doNotCall, unfinished, answers] = await Promise.all([
    consentsOf(db, ids),
    doNotCallIds(db, ports.doNotCallKey, contacts),
    unfinishedCalls(db, [...ids, ...absorbed.owners.keys()]),
    answersOf(db, ids),
  ]);
  return {
    consents: new Map(
      consents.map(({ contactId, lineId, state }) => [consentKey(contactId, lineId), state]),
    ),
    histories: new Map(
      [...Map.groupBy(consents, ({ contactId }) => contactId)].map(([id, all]) => [
        id,
        personHistory([...all, ...absorbed.of(id)].map(({ state }) => state)),
      ]),
    ),
    doNotCall,
    unfinished: Map.groupBy(
      unfinished,
      ({ plan }) => absorbed.owners.get(plan.contactId) ?? plan.contactId,
    ),
    absorbed,
    metaAnswers: new Map(
      answers.map(({ contactId, lineId, answer }) => [consentKey(contactId, lineId), answer]),
    ),
  };
}

/** What is known under contacts that turned out to be one person with those asked about. */
export type AbsorbedFacts = {
  /** Who goes on for each of them. */
  owners: ReadonlyMap<ContactId, ContactId>;
  of(owner: ContactId): ReadonlyArray<{ lineId: LineId; state: ConsentState }>;
  /** A stop that was said under one of them since; null where there is none. */
  optedOutAt(owner: ContactId): number | null;
};

/** Two statements more, and only where somebody was ever merged. */
async function absorbedFacts(db: Queryable, contacts: readonly Contact[]): Promise<AbsorbedFacts> {
  const owners = new Map(
    contacts.flatMap(({ id, absorbed }) => absorbed.map((other) => [other, id] as const)),
  );
  if (owners.size === 0) return { owners, of: () => [], optedOutAt: () => null };
  const others = await readContacts(db, [...owners.keys()]);
  const consents = await consentsOf(db, [...owners.keys()]);
  return {
    owners,
    of: (owner) => consents.filter(({ contactId }) => owners.get(contactId) === owner),
    optedOutAt: (owner) =>
      others.find(({ id, optedOutAt }) => owners.get(id) === owner && optedOutAt !== null)
        ?.optedOutAt ?? null,
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

/**
 * True where the line has as many calls as it may, and nothing else stands in the way; Meta is
 * asked when there is room again, so that its answer is fresh then.
 */
export function waitsForLine({ verdicts }: Decision): boolean {
  const refused = verdicts.filter(({ verdict }) => verdict === 'refuse').map(({ code }) => code);
  const others = refused.filter((code) => code !== 'line_busy' && code !== 'meta_answer_unknown');
  return refused.includes('line_busy') && others.length === 0;
}

export type GateQuestion = {
  contact: Contact;
  line: StoredLine;
  purpose: string;
  /** The call itself when it exists already, else null. */
  callId: CallId | null;
  endpointKnown: boolean;
  /** Live calls of the line, where they were counted. */
  lineLiveCalls?: number | null;
  /** The instant that is asked about: now, or the time of a scheduled call. */
  now: number;
};

/** May this call be placed now? Every rule of every layer answers. */
export function decideCall(ports: GatePorts, facts: GateFacts, question: GateQuestion): Decision {
  return evaluateCall(callFacts(facts, question), layersFor(ports, question));
}

/**
 * The last instant from `question.now` on at which this call would be allowed, as far as is known
 * now; null when there is none, or no end in sight.
 */
export function latestCallTime(
  ports: GatePorts,
  facts: GateFacts,
  question: GateQuestion,
): number | null {
  return latestAllowedCall(callFacts(facts, question), layersFor(ports, question));
}

function layersFor(ports: GatePorts, { line, contact }: PartyQuestion): Layers {
  return ports.packs.layersOf(line, contact);
}

function callFacts(facts: GateFacts, question: GateQuestion): CallFacts {
  const { contact, callId, endpointKnown, lineLiveCalls = null } = question;
  const unfinished = facts.unfinished.get(contact.id) ?? [];
  // At the dial only a live call is in the way: of several that wait, the first may go.
  const inTheWay = unfinished.filter(({ status }) => callId === null || status !== 'queued');
  const liveCallIds = inTheWay.map(({ plan }) => plan.id);
  return { ...partyFacts(facts, question), callId, endpointKnown, liveCallIds, lineLiveCalls };
}

/** May this customer be asked for permission now? */
export async function decideRequest(
  db: Queryable,
  ports: GatePorts,
  question: RequestQuestion,
): Promise<Decision> {
  const facts = await gatherGateFacts(db, ports, [question.contact], [question.line.id]);
  return judgeRequest(ports, facts, question);
}

/** The same from facts that are there already. */
export function judgeRequest(
  ports: GatePorts,
  facts: GateFacts,
  question: RequestQuestion,
): Decision {
  const { marketing } = question;
  const requestFacts: RequestFacts = {
    ...partyFacts(facts, question),
    ...(marketing === undefined ? {} : { marketing }),
  };
  return evaluateRequest(requestFacts, layersFor(ports, question));
}

type RequestQuestion = PartyQuestion & Pick<RequestFacts, 'marketing'>;
type PartyQuestion = Pick<GateQuestion, 'contact' | 'line' | 'purpose' | 'now'>;

const NOTHING_YET: PersonHistory = { callsAt: [], refusedAt: null };

/** The facts that a call and a request have in common. */
function partyFacts(facts: GateFacts, question: PartyQuestion): PartyFacts {
  const { contact, line, purpose, now } = question;
  const statesOnLine = facts.absorbed
    .of(contact.id)
    .flatMap(({ lineId, state }) => (lineId === line.id ? [state] : []));
  return {
    now,
    line: {
      enabled: line.enabled,
      restrictedUntil: line.restrictedUntil,
      stoppedAt: line.stoppedAt,
      pausedAt: line.pausedAt,
      e164: line.displayNumber,
      country: line.country,
    },
    contact: {
      e164: contact.e164,
      country: contact.country,
      doNotCall: facts.doNotCall.has(contact.id),
      optedOutAt: contact.optedOutAt ?? facts.absorbed.optedOutAt(contact.id),
      optOutPendingAt: contact.optOutPending?.at ?? null,
      sanctionedRegion: contact.sanctionedRegion !== null,
      timeZone: contact.timeZone,
    },
    consent: sharedConsent(consentIn(facts, contact.id, line.id), statesOnLine),
    history: facts.histories.get(contact.id) ?? NOTHING_YET,
    metaAnswer: metaAnswerIn(facts, question),
    purpose,
  };
}
