import { callOffUnanswered } from '../calls/call-commands.ts';
import type { ContactUnit } from '../ledger/contact-unit.ts';
import { readLine } from '../lines/line-store.ts';
import { invariant } from '../platform/invariant.ts';
import type { LineId, PermissionId } from '../platform/ids.ts';
import { isRefused, type Refused } from '../platform/refusal.ts';
import type { PolicyPacks } from '../policy/policy-packs.ts';
import { applyConsent } from './consent-commands.ts';
import { consentsOf, readConsent } from './consent-store.ts';
import { callRefusal, isLive, permissionOf, type ConsentState } from './consent.ts';

export type RevokePermission = {
  id: PermissionId;
  lineId: LineId;
  reason: string;
  actor: string;
};

/**
 * The business takes a permission back. Only the one in force can be taken back; one that has
 * served, expired or was revoked already is refused with what became of it.
 */
export async function revokePermission(
  unit: ContactUnit,
  ports: { packs: PolicyPacks },
  wanted: RevokePermission,
): Promise<Refused | null> {
  const { id, lineId, reason, actor } = wanted;
  const state = await readConsent(unit.tx, { contactId: unit.contact.id, lineId });
  const refused = callRefusal(state, unit.now);
  if (refused !== null) return { refused };
  if (permissionOf(state)?.permissionId !== id) {
    const message = 'A newer permission is in force; this one is past already.';
    return { refused: { code: 'permission_missing', message, fix: 'Revoke the newer one.' } };
  }
  return revoke(unit, ports, state, { lineId, by: 'api', reason, actor });
}

/**
 * The person themselves takes back the permission that the page showed them. One that is past, or
 * somebody else's, changes nothing. One that serves a call is taken back too: should that call
 * not come about, the permission must not be there again.
 */
export async function takeBackPermission(
  unit: ContactUnit,
  ports: { packs: PolicyPacks },
  id: PermissionId,
): Promise<boolean> {
  const consents = await consentsOf(unit.tx, [unit.contact.id]);
  const held = consents.find(({ state }) => permissionOf(state)?.permissionId === id);
  if (held === undefined) return false;
  const { lineId, state } = held;
  if (state.status !== 'used' && !isLive(state, unit.now)) return false;
  const said = { lineId, by: 'customer', reason: 'self_service', actor: 'customer' } as const;
  return (await revoke(unit, ports, state, said)) === null;
}

async function revoke(
  unit: ContactUnit,
  ports: { packs: PolicyPacks },
  state: ConsentState,
  said: { lineId: LineId; by: 'api' | 'customer'; reason: string; actor: string },
): Promise<Refused | null> {
  const { lineId, by, reason, actor } = said;
  const line = await readLine(unit.tx, unit.contact.accountId, lineId);
  invariant(line !== null, `line ${lineId} is gone`);
  const rules = ports.packs.rulesOf(line.policyPack);
  const command = { type: 'Revoke', by, reason, at: unit.now } as const;
  const revoked = await applyConsent(unit, lineId, state, command, { rules, actor });
  if (isRefused(revoked)) return revoked;
  await callOffUnanswered(unit, lineId);
  return null;
}
