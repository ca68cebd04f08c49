import {
  callRefusal,
  heldSince,
  permissionOf,
  type ConsentPermission,
} from '../consent/consent.ts';
import { CALL_LIMIT_RULES } from './limit-rules.ts';
import type { CallFacts, PackRule, RuleOutcome, Rules } from './policy.ts';
import { judgeMeta } from './meta-rule.ts';
import { notApplicable, PARTY_RULES, pass, refuse } from './party-rules.ts';
import { packEnd, type PolicyPack } from './policy-pack.ts';
import { samePurpose } from './purpose.ts';
import { REFUSALS, type RefusalCode } from './refusal-codes.ts';
import type { Refusal } from '../platform/refusal.ts';

/** Rules that only a call must pass. */

/** A queued call counts: two calls may not be waiting for one person's phone. */
const oneLiveCall: PackRule<CallFacts> = {
  name: 'one_live_call',
  check({ callId, liveCallIds }) {
    const others = liveCallIds.filter((id) => id !== callId);
    if (others.length === 0) return pass('No other call to this customer is queued or live.');
    return refuse('call_in_progress', 'Another call to this customer is queued or live.', {
      evidence: { callIds: others.slice(0, 10) },
    });
  },
};

/** The heart of the gate. The consent folder owns the words, so gate and decider agree. */
const permissionLive: PackRule<CallFacts> = {
  name: 'permission_live',
  check(facts, pack) {
    const held = heldPermission(facts);
    if (held !== null) return judgeHeld(held, facts.now, pack);
    const refused = callRefusal(facts.consent, facts.now) ?? outlived(facts, pack);
    if (refused === null) return pass('The customer allowed this call.', evidenceOf(facts));
    const { code, message, fix, evidence } = refused;
    return refuse(code, message, { fix, evidence: evidence ?? {} });
  },
};

/** Shown even for a used or revoked permission: whoever asks again should know what was told. */
const purposeMatch: PackRule<CallFacts> = {
  name: 'purpose_match',
  check({ consent, purpose }) {
    const permission = permissionOf(consent);
    if (permission === null) return notApplicable('There is no permission to compare with.');
    const { permissionId } = permission;
    if (permission.purpose === null) {
      return refuse(
        'permission_without_purpose',
        'The customer allowed calls without being told a purpose.',
        { evidence: { permissionId } },
      );
    }
    if (samePurpose(permission.purpose, purpose)) {
      return pass('The call has the purpose that the customer allowed.', { permissionId });
    }
    return refuse('purpose_mismatch', 'The customer allowed a call for another purpose.', {
      fix: `Call for "${permission.purpose}", or ask again with the new purpose.`,
      evidence: { permissionId, allowedPurpose: permission.purpose },
    });
  },
};

const endpointKnown: PackRule<CallFacts> = {
  name: 'endpoint_known',
  check: ({ endpointKnown }) =>
    endpointKnown
      ? pass('The endpoint exists.')
      : refuse('endpoint_unknown', 'There is no endpoint that this call could be bridged to.'),
};

const metaAllows: PackRule<CallFacts> = {
  name: 'meta_allows',
  // Only a call that is about to be dialled needs a fresh answer; Meta is asked right before.
  check: (facts, { liveAnswer }) =>
    judgeMeta(facts, liveAnswer?.maxAgeMs ?? null, 'call', facts.callId !== null),
};

export const CALL_RULES: Rules<CallFacts> = [
  ...PARTY_RULES,
  oneLiveCall,
  permissionLive,
  purposeMatch,
  ...CALL_LIMIT_RULES,
  endpointKnown,
  // Last, because it is the only refusal that asking Meta can lift at once.
  metaAllows,
];

/** The permission that this very call holds already, else null. */
function heldPermission({ callId, consent }: CallFacts): ConsentPermission | null {
  if (callId === null || heldSince(consent, callId) === null) return null;
  return permissionOf(consent);
}

/** A queued call holds its permission, but the customer's window goes on closing. */
function judgeHeld(permission: ConsentPermission, now: number, pack: PolicyPack): RuleOutcome {
  const { permissionId } = permission;
  const expiresAt = Math.min(permission.expiresAt, packEnd(permission, pack));
  const evidence = { permissionId, expiresAt };
  if (now < expiresAt) return pass('This call holds the permission.', evidence);
  return refuse('permission_expired', 'The permission expired before the call was placed.', {
    evidence,
  });
}

/** A line that was switched to a stricter pack does not wait for what an easier one promised. */
function outlived({ consent, now }: CallFacts, pack: PolicyPack): OutlivedRefusal | null {
  const permission = permissionOf(consent);
  if (permission === null) return null;
  const { permissionId, grantedAt, expiresAt } = permission;
  const { callsPerGrant } = pack.values;
  const { callsPlaced } = consent.history;
  if (callsPerGrant !== null && callsPlaced >= callsPerGrant) {
    return {
      code: 'permission_used',
      message: 'This permission has served all the calls that the rules in force allow.',
      fix: REFUSALS.permission_used.fix,
      evidence: { permissionId, callsPlaced, callsPerGrant, packName: pack.name },
    };
  }
  if (now < packEnd(permission, pack)) return null;
  return {
    code: 'permission_expired',
    message: 'The permission is older than the rules in force allow.',
    fix: REFUSALS.permission_expired.fix,
    evidence: { permissionId, grantedAt, expiresAt, packName: pack.name },
  };
}
type OutlivedRefusal = Refusal & { code: RefusalCode };

function evidenceOf({ consent }: CallFacts): Record<string, unknown> {
  const permission = permissionOf(consent);
  if (permission === null) return {};
  const { permissionId, grantedAt, expiresAt } = permission;
  return { permissionId, grantedAt, expiresAt };
}
