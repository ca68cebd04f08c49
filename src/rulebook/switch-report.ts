import {
  consentIn,
  decideCall,
  gatherGateFacts,
  judgeRequest,
  type GateFacts,
  type GatePorts,
} from '../calls/call-gate.ts';
import { permissionOf, type ConsentPermission } from '../consent/consent.ts';
import type { Contact } from '../contacts/contact.ts';
import { listContacts } from '../contacts/contact-store.ts';
import type { Queryable } from '../database/database.ts';
import type { StoredLine } from '../lines/line-store.ts';
import type { Decision, Verdict } from '../policy/policy.ts';
import { packEnd, type PolicyPack } from '../policy/policy-pack.ts';

/**
 * What a switch of rules would change, for whom: every contact of the account is judged by the
 * gate itself, once under the rules in force and once under the others. Contacts are read in
 * pages and only counts and a few examples are kept, so a million of them need no more memory
 * than a thousand. It only reads.
 */
export type SwitchReport = {
  contactsChecked: number;
  /** Live permissions that would end at another time. */
  permissions: {
    earlier: number;
    endAtOnce: number;
    examples: Array<{
      contactId: string;
      permissionId: string;
      expiresAt: number;
      wouldExpireAt: number;
    }>;
  };
  /** Queued calls that would be refused at their time, and are not refused now. */
  calls: {
    refused: number;
    byRule: Record<string, number>;
    examples: Array<{
      callId: string;
      contactId: string;
      dueAt: number;
      rule: string;
      layer: string;
      message: string;
    }>;
  };
  /** Contacts that could not be asked any more, however long one waits. */
  contacts: {
    barred: number;
    /** Who could be asked now and only later under the other rules. */
    delayed: number;
    /** Who could not be asked and could be then. */
    freed: number;
    byRule: Record<string, number>;
    examples: Array<{ contactId: string; rule: string; layer: string; message: string }>;
  };
};

export type SwitchQuestion = {
  before: StoredLine;
  after: StoredLine;
  now: number;
  examplesMax: number;
  /** Asked between pages: true when nobody waits for the answer any more. */
  isAbandoned: () => boolean;
};

/** So few that the dials of the same process do not have to wait for a page to be judged. */
const PAGE = 100;
/** Says something to every pack, so that only who and when are judged. */
const PURPOSE = 'your order 1042';

/** Null where it was abandoned. */
export async function makeSwitchReport(
  db: Queryable,
  ports: GatePorts,
  question: SwitchQuestion,
): Promise<SwitchReport | null> {
  const report = emptyReport();
  const { accountId, id: lineId } = question.before;
  let after: string | null = null;
  for (;;) {
    if (question.isAbandoned()) return null;
    const contacts = await listContacts(db, accountId, after, PAGE);
    const last = contacts.at(-1);
    if (last === undefined) return report;
    const facts = await gatherGateFacts(db, ports, contacts, [lineId]);
    for (const contact of contacts) countContact(report, ports, facts, { ...question, contact });
    after = last.id;
  }
}

function emptyReport(): SwitchReport {
  return {
    contactsChecked: 0,
    permissions: { earlier: 0, endAtOnce: 0, examples: [] },
    calls: { refused: 0, byRule: {}, examples: [] },
    contacts: { barred: 0, delayed: 0, freed: 0, byRule: {}, examples: [] },
  };
}

type OfContact = SwitchQuestion & { contact: Contact };

function countContact(
  report: SwitchReport,
  ports: GatePorts,
  facts: GateFacts,
  question: OfContact,
): void {
  report.contactsChecked += 1;
  countPermission(report, ports, facts, question);
  countCalls(report, ports, facts, question);
  countAsking(report, ports, facts, question);
}

function countPermission(
  { permissions }: SwitchReport,
  { packs }: GatePorts,
  facts: GateFacts,
  { contact, before, after, now, examplesMax }: OfContact,
): void {
  const consent = consentIn(facts, contact.id, before.id);
  const permission = consent.status === 'granted' ? permissionOf(consent) : null;
  if (permission === null) return;
  const expiresAt = endUnder(permission, packs.of(before.policyPack));
  const wouldExpireAt = endUnder(permission, packs.of(after.policyPack));
  if (expiresAt <= now || wouldExpireAt >= expiresAt) return;
  permissions.earlier += 1;
  if (wouldExpireAt <= now) permissions.endAtOnce += 1;
  if (permissions.examples.length >= examplesMax) return;
  const { permissionId } = permission;
  permissions.examples.push({ contactId: contact.id, permissionId, expiresAt, wouldExpireAt });
}

/** A pack can end a permission earlier than was told, and never prolongs it: no was told so. */
function endUnder(permission: ConsentPermission, pack: PolicyPack): number {
  return Math.min(permission.expiresAt, packEnd(permission, pack));
}

function countCalls(
  { calls }: SwitchReport,
  ports: GatePorts,
  facts: GateFacts,
  { contact, before, after, now, examplesMax }: OfContact,
): void {
  for (const { status, plan } of facts.unfinished.get(contact.id) ?? []) {
    if (status !== 'queued' || plan.lineId !== before.id) continue;
    const question = {
      contact,
      purpose: plan.purpose,
      callId: plan.id,
      endpointKnown: true,
      now: Math.max(now, plan.dueAt),
    };
    const refusal = newRefusal(
      decideCall(ports, facts, { ...question, line: before }),
      decideCall(ports, facts, { ...question, line: after }),
    );
    if (refusal === null) continue;
    calls.refused += 1;
    count(calls.byRule, refusal.rule);
    if (calls.examples.length >= examplesMax) continue;
    const { rule, layer, message } = refusal;
    const { id: callId, dueAt } = plan;
    calls.examples.push({ callId, contactId: contact.id, dueAt, rule, layer, message });
  }
}

function countAsking(
  { contacts }: SwitchReport,
  ports: GatePorts,
  facts: GateFacts,
  { contact, before, after, now, examplesMax }: OfContact,
): void {
  const question = { contact, purpose: PURPOSE, now };
  const today = judgeRequest(ports, facts, { ...question, line: before });
  const then = judgeRequest(ports, facts, { ...question, line: after });
  const wasBarred = barring(today) !== undefined;
  const isBarred = barring(then);
  if (wasBarred && isBarred === undefined) contacts.freed += 1;
  if (today.allowed && !then.allowed && isBarred === undefined) contacts.delayed += 1;
  if (wasBarred || isBarred === undefined) return;
  contacts.barred += 1;
  count(contacts.byRule, isBarred.rule);
  if (contacts.examples.length >= examplesMax) return;
  const { rule, layer, message } = isBarred;
  contacts.examples.push({ contactId: contact.id, rule, layer, message });
}

/** What no waiting lifts. A permission that is live is no bar: the customer has said yes. */
function barring({ verdicts }: Decision): Verdict | undefined {
  return verdicts.find(
    ({ verdict, allowedAt, rule }) =>
      verdict === 'refuse' && allowedAt === null && rule !== 'not_live' && rule !== 'meta_allows',
  );
}

/** The rule that refuses then and none does now. */
function newRefusal(before: Decision, after: Decision): Verdict | null {
  return refusing(before) === undefined ? (refusing(after) ?? null) : null;
}

/**
 * What refuses by the rules. That Meta was not asked yet is no such thing: it is asked right
 * before each dial, so under a pack that wants its answer no waiting call has one.
 */
function refusing({ verdicts }: Decision): Verdict | undefined {
  return verdicts.find(
    ({ verdict, code }) => verdict === 'refuse' && code !== 'meta_answer_unknown',
  );
}

function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
