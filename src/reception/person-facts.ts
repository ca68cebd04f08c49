import { commandConsent } from '../consent/consent-commands.ts';
import { optOut } from '../consent/opt-out-commands.ts';
import { readOptOut } from '../consent/opt-out.ts';
import type { DoNotCallKey } from '../contacts/do-not-call-store.ts';
import { findOrCreateContact } from '../contacts/contact-store.ts';
import { parseNumber } from '../contacts/phone-number.ts';
import type { Tx } from '../database/database.ts';
import { withContact, type ContactUnit, type LedgerPorts } from '../ledger/contact-unit.ts';
import { findLine, readLine, type StoredLine } from '../lines/line-store.ts';
import { resolveExternalId, readMessage } from '../messages/message-store.ts';
import { isId, type ContactId } from '../platform/ids.ts';
import { invariant } from '../platform/invariant.ts';
import { isRefused } from '../platform/refusal.ts';
import type { Sealer } from '../platform/sealing.ts';
import type { PolicyPacks } from '../policy/policy-packs.ts';
import type { WhatsAppFact } from '../whatsapp/whatsapp.ts';
import { isFirstSight } from './seen-store.ts';

export type PersonFactPorts = LedgerPorts & {
  packs: PolicyPacks;
  doNotCallKey: DoNotCallKey;
  sealer: Sealer;
};

type PersonFact = Extract<WhatsAppFact, { kind: 'permissionReply' | 'buttonReply' | 'text' }>;

/** Folds what a person said or tapped. An unknown line's facts are nobody's business here. */
export async function foldPersonFact(ports: PersonFactPorts, fact: PersonFact): Promise<void> {
  const line = await findLine(ports.database, fact.phoneNumberId);
  if (line === null) return;
  await ports.database.transaction(async (tx) => {
    const contactId = await contactOf(ports, tx, line, fact);
    if (contactId === null) return;
    await withContact(ports, tx, contactId, async (unit) => {
      if (!(await isFirstSight(tx, contactId, fact.key, unit.now))) return;
      if (fact.kind === 'permissionReply') await foldReply(ports, unit, line, fact);
      else await foldWords(ports, unit, line, fact);
    });
  });
}

/** The person by number or user id; where Meta names neither, by the message that was answered. */
async function contactOf(
  ports: PersonFactPorts,
  tx: Tx,
  line: StoredLine,
  fact: PersonFact,
): Promise<ContactId | null> {
  const { waId, userId, profileName } = fact.person;
  const number = waId === undefined ? null : parseNumber(waId);
  const known = number === null || isRefused(number) ? null : number;
  if (known !== null || userId !== undefined) {
    const identity = { e164: known?.e164, userId, name: profileName, country: known?.country };
    const now = ports.clock.now();
    return findOrCreateContact(tx, ports.ids, line.accountId, identity, now);
  }
  if (fact.contextId === undefined) return null;
  const ourId = await resolveExternalId(tx, fact.contextId);
  if (ourId === null || !isId('message', ourId)) return null;
  return (await readMessage(tx, ourId))?.contactId ?? null;
}

async function foldReply(
  ports: PersonFactPorts,
  unit: ContactUnit,
  line: StoredLine,
  fact: Extract<PersonFact, { kind: 'permissionReply' }>,
): Promise<void> {
  const { response, permanent, expiresAt: metaExpiresAt, source, messageId, at } = fact;
  const contextMessageId = fact.contextId ?? null;
  const permissionId = unit.ids.next('permission', unit.contact.bucket);
  const reply = { response, permanent, metaExpiresAt, source, contextMessageId, messageId, at };
  await commandConsent(
    unit,
    line.id,
    { type: 'RecordReply', permissionId, ...reply },
    {
      rules: ports.packs.rulesOf(line.policyPack),
      actor: source === 'automatic' ? 'meta' : 'customer',
    },
  );
}

/** Free words and quick replies: a stop is obeyed; a quick-reply yes is evidence, no permission. */
async function foldWords(
  ports: PersonFactPorts,
  unit: ContactUnit,
  line: StoredLine,
  fact: Extract<PersonFact, { kind: 'buttonReply' | 'text' }>,
): Promise<void> {
  const { at, text, contextId = null } = fact;
  if (readOptOut(text) === 'exact') {
    const rulesOfLine = async (lineId: StoredLine['id']) => {
      const other = await readLine(unit.tx, line.accountId, lineId);
      invariant(other !== null, `line ${lineId} is gone`);
      return ports.packs.rulesOf(other.policyPack);
    };
    const { doNotCallKey } = ports;
    const stop = { lineId: line.id, way: 'message', at };
    await optOut(unit, { doNotCallKey, rulesOfLine }, stop);
    return;
  }
  if (fact.kind !== 'buttonReply') return;
  const data = { lineId: line.id, text, contextId };
  unit.record({ type: 'QuickReplyReceived', actor: 'customer', at, data });
}
