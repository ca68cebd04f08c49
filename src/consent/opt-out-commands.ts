import { applyCallEvents } from '../calls/call-events.ts';
import type { CallState } from '../calls/call.ts';
import { hangUp } from '../calls/call-rules.ts';
import { callRows, cancelledCallRows, unfinishedCalls } from '../calls/call-store.ts';
import { optedOutRows } from '../contacts/contact-store.ts';
import { OPT_OUT_LIST, listedRows, type DoNotCallKey } from '../contacts/do-not-call-store.ts';
import { cancelRuns } from '../journeys/journey-commands.ts';
import type { ContactUnit } from '../ledger/contact-unit.ts';
import type { FactsReader } from '../identity/person-unit.ts';
import { linesOfContacts, readLines, type StoredLine } from '../lines/line-store.ts';
import { queueMessage } from '../messages/message-unit.ts';
import type { CallId, ContactId, LineId } from '../platform/ids.ts';
import { lastEntryAt } from '../ledger/ledger-store.ts';
import { lastHeardAt } from '../reception/seen-store.ts';
import { applyConsent, consentRowKey } from './consent-commands.ts';
import { requestOf, type ConsentRules } from './consent.ts';
import { consentRows, consentsOf } from './consent-store.ts';
import { cancelPlanned } from './planned-request-commands.ts';
import { languageFor, wordsIn, type OptOutWords } from './opt-out-words.ts';

/** How a person said it; what each means stands in docs/explanation/opt-out.md. */
export type OptOutWay =
  | 'message'
  | 'quick_reply'
  | 'whatsapp'
  | 'key_press'
  | 'agent'
  | 'api'
  | 'self_service'
  | 'no_answer'
  /** Said to a contact that turned out to be the same person. */
  | 'same_person';

export type OptOut = {
  /** The line the person spoke to; the confirmation goes out there. Null where there is none. */
  lineId: LineId | null;
  way: OptOutWay;
  at: number;
  /** `customer`, unless somebody wrote it down for them, or their silence was taken for it. */
  actor?: string;
  /** Set when it was said in a call. */
  callId?: CallId;
  /** How long the word had waited for us when this unit began, in ms. */
  waitedMs?: number;
  /** Typed by whoever wrote it down. */
  note?: { reason: string; by: string | null };
};

export type OptOutPorts = {
  doNotCallKey: DoNotCallKey;
  /** `known` is the line, where it has been read already. */
  rulesOfLine: (lineId: LineId, known?: StoredLine) => Promise<ConsentRules>;
};

/** What became of it; `already` when an earlier stop stands, and then nothing was changed. */
export type OptOutDone = {
  /** Where it stands: of several contacts of a person, the one that goes on. */
  contactId: ContactId;
  already: boolean;
  optedOutAt: number;
  endedCalls: CallId[];
};

/** The page's promise: within a minute. Later than this is told to a human. */
export const OPT_OUT_LATE_MS = 60_000;

/**
 * Stop means stop, in one transaction: permissions of every line revoked, do-not-call entry
 * added, queued calls cancelled, live calls told to hang up, one confirmation written without a
 * word of marketing. Doing it twice changes nothing.
 */
export async function optOut(
  unit: ContactUnit,
  ports: OptOutPorts,
  optedOut: OptOut,
  facts?: StopFacts,
): Promise<OptOutDone> {
  const { contact, now } = unit;
  if (contact.optedOutAt !== null) {
    await repeatStop(unit, optedOut);
    const { id: contactId, optedOutAt } = contact;
    return { contactId, already: true, optedOutAt, endedCalls: [] };
  }
  const { lineId, way, at, actor = 'customer' } = optedOut;
  const entry = { list: OPT_OUT_LIST, reason: 'opted_out', source: way };
  const { consents, heardAt, unfinished, lines } =
    facts ?? (await readStopFacts(lineId)(unit.tx, idsOf(unit)));
  const confirms = lineId !== null && isWindowOpen(heardAt, now);
  unit.save(optedOutRows, contact.id, { contact, now });
  const listed = { key: ports.doNotCallKey, contact, entry: { ...entry, now } };
  unit.save(listedRows, contact.id, listed);
  recordOptOut(unit, optedOut, confirms);
  const announce = { type: 'dnc.added', callId: null, sequence: 0, data: entry } as const;
  unit.record({ type: 'DoNotCallAdded', actor: 'platform', at: now, data: entry, announce });
  for (const { lineId: consentLine, state: stored } of consents) {
    // A "no" in the business profile is folded as an answer first, in this very unit.
    const staged = unit.savedRow(consentRows, consentRowKey(contact.id, consentLine));
    const state = staged?.state ?? stored;
    if (state.status === 'revoked' && state.revokedAt === at) continue;
    const line = lines.find(({ id }) => id === consentLine);
    const rules = await ports.rulesOfLine(consentLine, line);
    const revoke = { type: 'Revoke', by: 'opt_out', reason: way, at } as const;
    await applyConsent(unit, consentLine, state, revoke, { rules, actor });
  }
  const endedCalls = await endCalls(unit, 'opted_out', { unfinished, lines });
  await cancelRuns(unit, 'opted_out');
  await cancelPlanned(unit, 'opted_out');
  if (confirms && lineId !== null) {
    sayTo(unit, lineId, (await wordsFor(unit, lineId, consents)).confirmed);
  }
  return { contactId: contact.id, already: false, optedOutAt: now, endedCalls };
}

/**
 * A stop that is said again counts from now on. Webhooks come in any order, and a yes of between
 * the two, coming late, must not take back what was said after it.
 */
async function repeatStop(
  unit: ContactUnit,
  { lineId, way, at, actor = 'customer' }: OptOut,
): Promise<void> {
  const stoppedAt = await lastStopAt(unit);
  if (stoppedAt !== null && at <= stoppedAt) return;
  unit.record({ type: 'OptOutRepeated', actor, at, data: { lineId, way } });
}

/** When the contact last said stop, in ms, by the time of the word itself. */
export async function lastStopAt({ tx, contact }: ContactUnit): Promise<number | null> {
  const first = await lastEntryAt(tx, contact.id, 'OptedOut');
  const again = await lastEntryAt(tx, contact.id, 'OptOutRepeated');
  return first === null ? again : Math.max(first, again ?? 0);
}

/**
 * Cancels what is queued and has everything live hang up, whichever contact of the person it was
 * made to; the lines are read all at once.
 */
export async function endCalls(
  unit: ContactUnit,
  reason: 'opted_out' | 'opt_out_pending' | 'do_not_call',
  facts?: Pick<StopFacts, 'unfinished' | 'lines'>,
): Promise<CallId[]> {
  const { tx, now } = unit;
  const units = new Map(allOf(unit).map((each) => [each.contact.id, each]));
  const calls = facts?.unfinished ?? (await unfinishedCalls(tx, idsOf(unit)));
  const lineIds = [...new Set(calls.map(({ plan }) => plan.lineId))];
  const lines = facts?.lines ?? (lineIds.length === 0 ? [] : await readLines(tx, lineIds));
  for (const call of calls) {
    const line = lines.find(({ id }) => id === call.plan.lineId);
    const called = units.get(call.plan.contactId) ?? unit;
    const isStaged = called.savedRow(callRows, call.plan.id) !== undefined;
    const held = {
      ...(line === undefined ? {} : { line }),
      ...(call.status === 'queued' && !isStaged ? { rows: cancelledCallRows } : {}),
    };
    await applyCallEvents(called, call, hangUp(call, 'platform', reason, now), 'platform', held);
  }
  return calls.map(({ plan }) => plan.id);
}

/** What a stop must know of a person beside the contact. */
export type StopFacts = {
  consents: Awaited<ReturnType<typeof consentsOf>>;
  /** When the person last wrote or tapped anything, in ms; null where nobody is answered. */
  heardAt: number | null;
  /** Of every contact of the person. */
  unfinished: readonly CallState[];
  /** Those that consents and calls are on. */
  lines: readonly StoredLine[];
};

/** Reads all that in one trip; `lineId` as in `OptOut`, the first id is whose word it was. */
export function readStopFacts(lineId: LineId | null): FactsReader<StopFacts> {
  return async (tx, contactIds) => {
    const own = contactIds.slice(0, 1);
    const [consents, unfinished, lines, heardAt] = await Promise.all([
      consentsOf(tx, own),
      unfinishedCalls(tx, contactIds),
      linesOfContacts(tx, contactIds),
      ...own.map((id) => (lineId === null ? null : lastHeardAt(tx, id))),
    ]);
    return { consents, unfinished, lines, heardAt: heardAt ?? null };
  };
}

/** The units of a person: of the contact that goes on, and of those it goes on for. */
const allOf = (unit: ContactUnit): ContactUnit[] => [unit, ...unit.absorbed];

const idsOf = (unit: ContactUnit): ContactId[] => allOf(unit).map(({ contact }) => contact.id);

/** Has a plain text sent to the contact from that line. */
export function sayTo(unit: ContactUnit, lineId: LineId, text: string): void {
  queueMessage(unit, { lineId, requestId: null, content: { kind: 'text', text } });
}

/** Our words in the language of the contact; `known` saves a look-up. */
export async function wordsFor(
  unit: ContactUnit,
  lineId: LineId,
  known?: Awaited<ReturnType<typeof consentsOf>>,
): Promise<OptOutWords> {
  const { id, country, language } = unit.contact;
  if (language !== null) return wordsIn(languageFor({ asked: language, country }));
  const consents = known ?? (await consentsOf(unit.tx, [id]));
  const spoken = consents.find((consent) => consent.lineId === lineId) ?? consents[0];
  const asked = spoken === undefined ? null : (requestOf(spoken.state)?.language ?? null);
  return wordsIn(languageFor({ asked, country }));
}

/** Meta: free text only within 24 hours after the person's latest message; else templates. */
const WINDOW_MS = 24 * 60 * 60 * 1000;

/** Whether Meta would take a free text now; what it refuses would only stand as failed. */
export async function mayWriteTo(unit: ContactUnit): Promise<boolean> {
  return isWindowOpen(await lastHeardAt(unit.tx, unit.contact.id), unit.now);
}

const isWindowOpen = (heardAt: number | null, now: number): boolean =>
  heardAt !== null && now < heardAt + WINDOW_MS;

function recordOptOut(unit: ContactUnit, optedOut: OptOut, confirms: boolean): void {
  const { lineId, way, at, actor = 'customer', callId, waitedMs = 0, note } = optedOut;
  const said = { lineId, way, ...(callId === undefined ? {} : { callId }) };
  unit.record({
    type: 'OptedOut',
    actor,
    at,
    data: { ...said, waitedMs: Math.round(waitedMs), confirmation: confirms },
    personal: note,
    announce: { type: 'optout.received', callId: callId ?? null, sequence: 0, data: said },
  });
  if (waitedMs <= OPT_OUT_LATE_MS) return;
  const data = { ...said, waitedMs: Math.round(waitedMs) };
  const announce = { type: 'optout.late', callId: callId ?? null, sequence: 0, data } as const;
  unit.record({ type: 'OptOutLate', actor: 'platform', at: unit.now, data, announce });
}
