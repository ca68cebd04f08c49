import { callOffUnanswered } from '../calls/call-commands.ts';
import type { ContactUnit } from '../ledger/contact-unit.ts';
import { readLine } from '../lines/line-store.ts';
import { invariant } from '../platform/invariant.ts';
import type { LineId, PermissionId } from '../platform/ids.ts';
import { isRefused, type Refused } from '../platform/refusal.ts';
import type { PolicyPacks } from '../policy/policy-packs.ts';
import { applyConsent } from './consent-commands.ts';
import { readConsent } from './consent-store.ts';
import { callRefusal, permissionOf } from './consent.ts';

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
  revoke: RevokePermission,
): Promise<Refused | null> {
  const { id, lineId, reason, actor } = revoke;
  const state = await readConsent(unit.tx, { contactId: unit.contact.id, lineId });
  const refused = callRefusal(state, unit.now);
  if (refused !== null) return { refused };
  if (permissionOf(state)?.permissionId !== id) {
    const message = 'A newer permission is in force; this one is past already.';
    return { refused: { code: 'permission_missing', message, fix: 'Revoke the newer one.' } };
  }
  const line = await readLine(unit.tx, unit.contact.accountId, lineId);
  invariant(line !== null, `line ${lineId} is gone`);
  const rules = ports.packs.rulesOf(line.policyPack);
  const command = { type: 'Revoke', by: 'api', reason, at: unit.now } as const;
  const revoked = await applyConsent(unit, lineId, state, command, { rules, actor });
  if (isRefused(revoked)) return revoked;
  await callOffUnanswered(unit, lineId);
  return null;
}
