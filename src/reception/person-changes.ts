import { parseNumber } from '../contacts/phone-number.ts';
import { settleChange } from '../identity/identity-commands.ts';
import { findLine } from '../lines/line-store.ts';
import { isRefused } from '../platform/refusal.ts';
import type { WhatsAppFact } from '../whatsapp/whatsapp.ts';
import { identityOf, identityPorts, type PersonFactPorts } from './person-facts.ts';

type PersonChanged = Extract<WhatsAppFact, { kind: 'personChanged' }>;

/** Somebody has a new number or a new user id: what they said of calls goes with them. */
export async function foldPersonChange(ports: PersonFactPorts, fact: PersonChanged): Promise<void> {
  const line = await findLine(ports.database, fact.phoneNumberId);
  if (line === null) return;
  const { e164 = null, userId = null } = identityOf(fact);
  const read = fact.newWaId === undefined ? null : parseNumber(fact.newWaId);
  const to = {
    e164: read === null || isRefused(read) ? null : read.e164,
    userId: fact.newUserId ?? null,
  };
  const change = { from: { e164, userId }, to, at: fact.at };
  await ports.database.transaction((tx) =>
    settleChange(identityPorts(ports), tx, line.accountId, change),
  );
}
