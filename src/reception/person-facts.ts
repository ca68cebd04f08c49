import { callOffUnanswered } from '../calls/call-commands.ts';
import { applyConsent, commandConsent } from '../consent/consent-commands.ts';
import { optIn } from '../consent/opt-in-commands.ts';
import { wantsCallsAgain } from '../consent/opt-in.ts';
import { optOut, type OptOutPorts } from '../consent/opt-out-commands.ts';
import type { OptOutLatency } from '../consent/opt-out-metrics.ts';
import { hearQuickReply } from '../consent/quick-reply-commands.ts';
import { hearAboutCalls, type SaidAboutCalls } from '../consent/opt-out-pending-commands.ts';
import { readOptOut, wantsCallsKept } from '../consent/opt-out.ts';
import type { DoNotCallKey } from '../contacts/do-not-call-store.ts';
import type { Identity } from '../contacts/contact-store.ts';
import { parseNumber } from '../contacts/phone-number.ts';
import type { Tx } from '../database/database.ts';
import { settleSighting, type IdentityPorts } from '../identity/identity-commands.ts';
import { withPerson } from '../identity/person-unit.ts';
import type { ContactUnit, LedgerPorts } from '../ledger/contact-unit.ts';
import { findLine, readLine, type StoredLine } from '../lines/line-store.ts';
import type { Message } from '../messages/message.ts';
import { resolveExternalId, readMessage } from '../messages/message-store.ts';
import { noteInbound } from '../messages/window-store.ts';
import { isId, type ContactId } from '../platform/ids.ts';
import { invariant } from '../platform/invariant.ts';
import { isRefused } from '../platform/refusal.ts';
import { readRowId, readScore } from '../surveys/survey.ts';
import { hearSurveyReply } from '../surveys/survey-reply-commands.ts';
import { meaningOfButton } from '../templates/quick-reply.ts';
import type { Sealer } from '../platform/sealing.ts';
import type { PolicyPacks } from '../policy/policy-packs.ts';
import type { WhatsAppFact } from '../whatsapp/whatsapp.ts';
import { isFirstSight } from './seen-store.ts';

export type PersonFactPorts = LedgerPorts & {
  packs: PolicyPacks;
  doNotCallKey: DoNotCallKey;
  sealer: Sealer;
  optOutLatency: OptOutLatency;
};

/** How long a fact had waited when its handling began: from the webhook on, in ms. */
export type Heard = { waitedMs: number };

type PersonFact = Extract<WhatsAppFact, { kind: 'permissionReply' | 'buttonReply' | 'text' }>;
type PermissionReply = Extract<PersonFact, { kind: 'permissionReply' }>;

/** Folds what a person said or tapped. An unknown line's facts are nobody's business here. */
export async function foldPersonFact(
  ports: PersonFactPorts,
  fact: PersonFact,
  heard: Heard,
): Promise<void> {
  const line = await findLine(ports.database, fact.phoneNumberId);
  if (line === null) return;
  const effective = ports.optOutLatency.start(heard.waitedMs);
  await ports.database.transaction(async (tx) => {
    const found = await contactOf(ports, tx, line, fact);
    if (found !== null) await foldOnce(ports, tx, line, fact, found, heard);
  });
  const said = saidAboutCalls(fact);
  if (isStop(said)) effective();
}

async function foldOnce(
  ports: PersonFactPorts,
  tx: Tx,
  line: StoredLine,
  fact: PersonFact,
  contactId: ContactId,
  heard: Heard,
): Promise<void> {
  await withPerson(ports, tx, contactId, async (unit) => {
    if (!(await isFirstSight(tx, contactId, fact.key, unit.now))) return;
    if (!isAutomatic(fact)) await noteInbound(tx, { contactId, lineId: line.id }, fact.at);
    if (fact.kind === 'permissionReply') await foldReply(ports, unit, line, fact, heard);
    else await foldWords(ports, unit, line, fact, heard);
  });
}

function saidAboutCalls(fact: PersonFact): SaidAboutCalls {
  if (fact.kind === 'permissionReply') return isForbidding(fact) ? 'exact' : null;
  const band = readOptOut(fact.text);
  if (band !== null && band !== 'unclear') return band;
  if (wantsCallsAgain(fact.text)) return 'again';
  return band ?? (wantsCallsKept(fact.text) ? 'keep' : null);
}

/**
 * A no that answers no message of ours was tapped in the business profile ("don't allow calls"):
 * not one request is declined, calls are. Meta's own no after unanswered calls is nobody's word.
 */
function isForbidding(fact: PermissionReply): boolean {
  return fact.response === 'reject' && fact.source === 'user' && fact.contextId === undefined;
}

/** Meta's own answers are no words of the customer, so they open no messaging window. */
function isAutomatic(fact: PersonFact): boolean {
  return fact.kind === 'permissionReply' && fact.source === 'automatic';
}

function isStop(said: SaidAboutCalls): boolean {
  return said === 'exact' || said === 'likely';
}

/**
 * The person by the message of ours that was answered, for we know whom we sent it to; else by
 * number or user id. Somebody asked by number may answer with a user id only.
 */
async function contactOf(
  ports: PersonFactPorts,
  tx: Tx,
  line: StoredLine,
  fact: PersonFact,
): Promise<ContactId | null> {
  const identity = identityOf(fact);
  const asked = await contactAsked(tx, line, fact.contextId);
  if (identity.e164 === undefined && identity.userId === undefined) return asked;
  const sighting = { ...identity, asked, at: fact.at };
  return settleSighting(identityPorts(ports), tx, line.accountId, sighting);
}

/** What it takes to join, part and rename contacts. */
export function identityPorts(ports: PersonFactPorts): IdentityPorts {
  return {
    ...ports,
    rulesOfLine: async (unit, lineId) => {
      const line = await readLine(unit.tx, unit.contact.accountId, lineId);
      invariant(line !== null, `line ${lineId} is gone`);
      return ports.packs.rulesOf(line.policyPack);
    },
  };
}

async function contactAsked(
  tx: Tx,
  line: StoredLine,
  contextId: string | undefined,
): Promise<ContactId | null> {
  return (await messageAnswered(tx, line, contextId))?.contactId ?? null;
}

/** The message of ours that a reply quotes. */
async function messageAnswered(
  tx: Tx,
  line: StoredLine,
  contextId: string | undefined,
): Promise<Message | null> {
  if (contextId === undefined) return null;
  const ourId = await resolveExternalId(tx, contextId);
  if (ourId === null || !isId('message', ourId)) return null;
  const message = await readMessage(tx, ourId);
  return message?.lineId === line.id ? message : null;
}

/** Whom a fact names, as far as it does. */
export function identityOf(fact: Pick<WhatsAppFact, 'person'>): Identity {
  const { waId, userId, profileName } = fact.person;
  const number = waId === undefined ? null : parseNumber(waId);
  const known = number === null || isRefused(number) ? null : number;
  return { e164: known?.e164, userId, name: profileName, country: known?.country };
}

async function foldReply(
  ports: PersonFactPorts,
  unit: ContactUnit,
  line: StoredLine,
  fact: PermissionReply,
  heard: Heard,
): Promise<void> {
  const { response, permanent, expiresAt: metaExpiresAt, source, messageId, at } = fact;
  const contextMessageId = fact.contextId ?? null;
  const requestId = (await messageAnswered(unit.tx, line, fact.contextId))?.requestId ?? null;
  const permissionId = unit.ids.next('permission', unit.contact.bucket);
  const reply = { response, permanent, metaExpiresAt, source, contextMessageId, messageId, at };
  const state = await commandConsent(
    unit,
    line.id,
    { type: 'RecordReply', permissionId, requestId, ...reply },
    {
      rules: ports.packs.rulesOf(line.policyPack),
      actor: source === 'automatic' ? 'meta' : 'customer',
    },
  );
  const said = { lineId: line.id, way: 'whatsapp', at } as const;
  if (isForbidding(fact)) {
    await optOut(unit, optOutPorts(ports, unit, line), { ...said, ...heard });
    return;
  }
  const isRevoked = !isRefused(state) && state.status === 'revoked';
  if (isRevoked) await callOffUnanswered(unit, line.id);
  if (response !== 'accept') return;
  // Whoever taps "Allow" after a stop has changed their mind by an act of their own.
  const isBack = source === 'user' && (await optIn(unit, ports, said));
  if (isBack || unit.contact.optedOutAt === null || isRefused(state)) return;
  // A yes of before the stop that comes late must not lie in wait for an opt-in.
  const revoke = { type: 'Revoke', by: 'opt_out', reason: 'whatsapp', at: unit.now } as const;
  const { rulesOfLine } = optOutPorts(ports, unit, line);
  const rules = await rulesOfLine(line.id);
  await applyConsent(unit, line.id, state, revoke, { rules, actor: 'customer' });
}

function optOutPorts(ports: PersonFactPorts, unit: ContactUnit, line: StoredLine): OptOutPorts {
  const rulesOfLine = async (lineId: StoredLine['id']) => {
    const other = await readLine(unit.tx, line.accountId, lineId);
    invariant(other !== null, `line ${lineId} is gone`);
    return ports.packs.rulesOf(other.policyPack);
  };
  return { doNotCallKey: ports.doNotCallKey, rulesOfLine };
}

/** Free words and quick replies: a stop is obeyed; a quick-reply yes is evidence, no permission. */
async function foldWords(
  ports: PersonFactPorts,
  unit: ContactUnit,
  line: StoredLine,
  fact: Extract<PersonFact, { kind: 'buttonReply' | 'text' }>,
  heard: Heard,
): Promise<void> {
  const { at, text, contextId = null } = fact;
  const said = saidAboutCalls(fact);
  if (said !== null) {
    const way = fact.kind === 'buttonReply' ? 'quick_reply' : 'message';
    const word = { lineId: line.id, at, way, ...heard } as const;
    await hearAboutCalls(unit, optOutPorts(ports, unit, line), said, word);
  }
  if (isStop(said)) return;
  if (said === null && (await answersSurvey(unit, line, fact))) return;
  if (fact.kind !== 'buttonReply') return;
  if (await isAnswer(ports, unit, line, fact)) return;
  const [data, personal] = [{ lineId: line.id }, { text, contextId }];
  unit.record({ type: 'QuickReplyReceived', actor: 'customer', at, data, personal });
}

/** A score, which is looked for only in words that say nothing of calls. */
async function answersSurvey(
  unit: ContactUnit,
  line: StoredLine,
  fact: Extract<PersonFact, { kind: 'buttonReply' | 'text' }>,
): Promise<boolean> {
  const payload = fact.kind === 'buttonReply' ? fact.payload : undefined;
  if (readRowId(payload) === null && readScore(fact.text) === null) return false;
  const quoted = await messageAnswered(unit.tx, line, fact.contextId);
  const { text, at } = fact;
  return hearSurveyReply(unit, { lineId: line.id, text, payload, quoted, at });
}

type ButtonReply = Extract<PersonFact, { kind: 'buttonReply' }>;

/** True when the tap answered a request of ours, and was taken as its yes or no. */
async function isAnswer(
  ports: PersonFactPorts,
  unit: ContactUnit,
  line: StoredLine,
  fact: ButtonReply,
): Promise<boolean> {
  const { text, messageId, contextId, at } = fact;
  const message = await messageAnswered(unit.tx, line, contextId);
  if (message === null || message.contactId !== unit.contact.id) return false;
  const { requestId, content } = message;
  if (requestId === null || contextId === undefined || content.kind !== 'template') return false;
  const means = meaningOfButton(text, content.replies ?? []);
  if (means === 'other') return false;
  const reply = { requestId, means, text, messageId, contextId, at };
  await hearQuickReply(unit, ports, line, reply);
  return true;
}
