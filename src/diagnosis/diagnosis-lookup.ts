import { consentIn, decideCall, gatherGateFacts, type GatePorts } from '../calls/call-gate.ts';
import { listRequests, type RequestRow } from '../consent/consent-store.ts';
import { initialConsent, permissionOf } from '../consent/consent.ts';
import { findContact } from '../contacts/contact-lookup.ts';
import { readContact } from '../contacts/contact-store.ts';
import type { Contact } from '../contacts/contact.ts';
import type { Database } from '../database/database.ts';
import type { StoredLine } from '../lines/line-store.ts';
import type { MetaAnswerDesk } from '../meta-answers/meta-answer-desk.ts';
import type { Clock } from '../platform/clock.ts';
import type { AccountId } from '../platform/ids.ts';
import { isRefused, type Refusal } from '../platform/refusal.ts';
import { zonesOfNumber } from '../policy/hours/number-zones.ts';
import { offsetAt } from '../policy/hours/zone-time.ts';
import { purposeProblem } from '../policy/purpose.ts';
import { listTemplates } from '../templates/template-store.ts';
import { templateView } from '../templates/template-views.ts';
import { DEFAULT_LANGUAGE, DEFAULT_TEMPLATE } from '../templates/template.ts';
import type { NumberFacts } from './check.ts';
import type { DiagnosisFacts } from './diagnosis.ts';
import {
  grantRates,
  lastRefusal,
  optOutFigures,
  reachedAt,
  windowUntil,
  type Span,
} from './diagnosis-store.ts';
import type { GrantRateFacts, TemplateRate } from './low-grant-rate.ts';

export type DiagnosisPorts = GatePorts & {
  database: Database;
  clock: Clock;
  metaAnswers: Pick<MetaAnswerDesk, 'ask'>;
};

/** What is asked about one customer on one line. */
export type AboutCustomer = {
  accountId: AccountId;
  to: string;
  line: StoredLine;
  /** What the call is for; the purpose of the permission when left out. */
  purpose: string | null;
};

type Facts<Problem> = Extract<DiagnosisFacts, { problem: Problem }>;

/** Somebody that we know, or why nobody is known. */
type Found = { contact: Contact | null; numberProblem: Refusal | null };

/** Facts for "call fails with permission denied"; Meta is asked too. */
export async function callDeniedFacts(
  ports: DiagnosisPorts,
  { accountId, to, line, purpose }: AboutCustomer,
): Promise<Facts<'call_denied'>> {
  const { database } = ports;
  const found = await find(database, accountId, to);
  const { contact } = found;
  const number = await numberFacts(database, found);
  const metaAnswer = contact === null ? null : await ports.metaAnswers.ask(contact, line);
  const now = ports.clock.now();
  const known = contact === null ? [] : [contact];
  const facts = await gatherGateFacts(database, ports, known, [line.id]);
  if (contact === null) {
    const nobody = { consent: initialConsent, metaAnswer, gate: [], lastRefusal: null };
    return { problem: 'call_denied', now, ...number, ...nobody };
  }
  const consent = consentIn(facts, contact.id, line.id);
  const asked = purpose ?? permissionOf(consent)?.purpose ?? '';
  const endpointKnown = line.defaultEndpointId !== null;
  const question = { contact, line, purpose: asked, callId: null, endpointKnown, now };
  const { verdicts } = decideCall(ports, facts, question);
  return {
    problem: 'call_denied',
    now,
    ...number,
    consent,
    metaAnswer,
    gate: verdicts,
    lastRefusal: await lastRefusal(database, contact.id, line.id, 'CallBlocked'),
  };
}

/** Facts for "customer doesn't receive permission request". */
export async function requestNotReceivedFacts(
  ports: DiagnosisPorts,
  { accountId, to, line }: AboutCustomer,
): Promise<Facts<'request_not_received'>> {
  const { database, clock } = ports;
  const found = await find(database, accountId, to);
  const { contact } = found;
  const last = contact === null ? null : await latestRequest(database, contact, line);
  const name = last?.request.template ?? DEFAULT_TEMPLATE;
  const language = last?.request.language ?? DEFAULT_LANGUAGE;
  const { wabaId } = line.sealed;
  const [template] = await listTemplates(database, accountId, { wabaId, name, language });
  return {
    problem: 'request_not_received',
    now: clock.now(),
    ...(await numberFacts(database, found)),
    request:
      last === null
        ? null
        : {
            requestId: last.request.requestId,
            at: last.request.requestedAt,
            status: last.status,
            error: last.error,
          },
    refusal:
      contact === null
        ? null
        : await lastRefusal(database, contact.id, line.id, 'PermissionRequestRefused'),
    template: {
      name,
      language,
      category: template?.category ?? 'UTILITY',
      status: template?.status ?? null,
    },
    windowUntil: contact === null ? undefined : await windowUntil(database, contact.id, line.id),
    line: {
      enabled: line.enabled,
      restrictedUntil: line.restrictedUntil,
      pausedAt: line.pausedAt,
    },
  };
}

/** Requests of which purpose and hour are looked at; the rates themselves count all. */
const LATEST_MAX = 200;

/** Facts for "low permission grant rate". */
export async function lowGrantRateFacts(
  ports: DiagnosisPorts,
  span: Span,
  days: number,
): Promise<Facts<'low_grant_rate'>> {
  const { database } = ports;
  const { accountId } = span;
  const templates = (await listTemplates(database, accountId)).map(templateView);
  const findingsOf = ({ template, language }: Omit<TemplateRate, 'findings'>) =>
    (templates.find((it) => it.name === template && it.language === language)?.findings ?? [])
      .filter(({ severity }) => severity !== 'hint')
      .map(({ rule, message, fix }) => ({ rule, message, fix }));
  const rates = await grantRates(database, span);
  const filter = { contactId: null, after: null, limit: LATEST_MAX };
  const latest = (await listRequests(database, accountId, filter)).filter(
    ({ lineId, request }) =>
      (span.lineId === null || lineId === span.lineId) && request.requestedAt >= span.from,
  );
  return {
    problem: 'low_grant_rate',
    days,
    templates: rates.map((rate) => ({ ...rate, findings: findingsOf(rate) })),
    purposes: vagueness(ports, latest),
    night: await nightFigures(database, latest),
  };
}

/** Facts for "high opt-out rate". */
export async function highOptOutRateFacts(
  ports: DiagnosisPorts,
  span: Span,
  days: number,
): Promise<Facts<'high_opt_out_rate'>> {
  return { problem: 'high_opt_out_rate', days, ...(await optOutFigures(ports.database, span)) };
}

async function find(db: Database, accountId: AccountId, to: string): Promise<Found> {
  const id = await findContact(db, accountId, to);
  if (isRefused(id)) return { contact: null, numberProblem: id.refused };
  return {
    contact: id === null ? null : await readContact(db, accountId, id),
    numberProblem: null,
  };
}

async function numberFacts(db: Database, { contact, numberProblem }: Found): Promise<NumberFacts> {
  if (contact === null) {
    return { numberProblem, contactId: null, reachedAt: null, undeliverable: null };
  }
  return {
    numberProblem,
    contactId: contact.id,
    reachedAt: await reachedAt(db, contact.id),
    undeliverable: await undeliverable(db, contact),
  };
}

/** Meta's words for "this number has no WhatsApp that could take it". */
const NOT_THERE = new Set(['meta_undeliverable', 'meta_recipient_uncallable']);

async function undeliverable(
  db: Database,
  { id, accountId }: Contact,
): Promise<NumberFacts['undeliverable']> {
  const requests = await listRequests(db, accountId, { contactId: id, after: null, limit: 10 });
  for (const { error, request } of requests) {
    if (error !== null && NOT_THERE.has(error.code)) return { at: request.requestedAt, ...error };
  }
  return null;
}

async function latestRequest(
  db: Database,
  { id, accountId }: Contact,
  line: StoredLine,
): Promise<RequestRow | null> {
  const requests = await listRequests(db, accountId, { contactId: id, after: null, limit: 50 });
  return requests.find(({ lineId }) => lineId === line.id) ?? null;
}

/** Judged by the strict pack, whatever the line's own: a vague reason costs consents anywhere. */
function vagueness(ports: DiagnosisPorts, requests: readonly RequestRow[]) {
  const rules = ports.packs.of(STRICT).purpose;
  const vague = requests.filter(
    ({ request }) => rules !== null && purposeProblem(request.purpose, rules) !== null,
  );
  return { looked: requests.length, vague: vague.length };
}

const STRICT = 'strict-2026-01';
const DAY_FROM = 8;
const DAY_UNTIL = 21;

async function nightFigures(
  db: Database,
  requests: readonly RequestRow[],
): Promise<GrantRateFacts['night']> {
  const figures = { looked: 0, atNight: 0, grantedAtNight: 0, grantedByDay: 0 };
  for (const { accountId, contactId, request, status } of requests) {
    const contact = await readContact(db, accountId, contactId);
    const isNight = contact === null ? null : wasNight(contact, request.requestedAt);
    if (isNight === null) continue;
    figures.looked += 1;
    if (isNight) figures.atNight += 1;
    if (status !== 'granted') continue;
    if (isNight) figures.grantedAtNight += 1;
    else figures.grantedByDay += 1;
  }
  return figures;
}

/** Night in any zone where the person may be; null where no zone is known. */
function wasNight({ e164, timeZone }: Contact, instant: number): boolean | null {
  const zones = timeZone === null ? zonesOfNumber(e164 ?? '') : [timeZone];
  const hours = zones.flatMap((zone) => {
    const stretch = offsetAt(zone, instant);
    return stretch === null ? [] : [new Date(instant + stretch.offsetMs).getUTCHours()];
  });
  return hours.length === 0 ? null : hours.some((hour) => hour < DAY_FROM || hour >= DAY_UNTIL);
}
