import { callRefusal, permissionOf, type ConsentPermission } from '../consent/consent.ts';
import type { CallFacts, Rule, RuleOutcome } from './policy.ts';
import { notApplicable, PARTY_RULES, pass, refuse } from './party-rules.ts';
import { samePurpose } from './purpose.ts';

/** Rules that only a call must pass. */

/** A queued call counts: two calls may not be waiting for one person's phone. */
const oneLiveCall: Rule<CallFacts> = {
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
const permissionLive: Rule<CallFacts> = {
  name: 'permission_live',
  check(facts) {
    const held = heldPermission(facts);
    if (held !== null) return judgeHeld(held, facts.now);
    const refused = callRefusal(facts.consent, facts.now);
    if (refused === null) return pass('The customer allowed this call.', evidenceOf(facts));
    const { code, message, fix, evidence } = refused;
    return refuse(code, message, { fix, evidence: evidence ?? {} });
  },
};

/** Shown even for a used or revoked permission: whoever asks again should know what was told. */
const purposeMatch: Rule<CallFacts> = {
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

const endpointKnown: Rule<CallFacts> = {
  name: 'endpoint_known',
  check: ({ endpointKnown }) =>
    endpointKnown
      ? pass('The endpoint exists.')
      : refuse('endpoint_unknown', 'There is no endpoint that this call could be bridged to.'),
};

export const CALL_RULES: ReadonlyArray<Rule<CallFacts>> = [
  ...PARTY_RULES,
  oneLiveCall,
  permissionLive,
  purposeMatch,
  endpointKnown,
];

/** The permission that this very call has consumed already, else null. */
function heldPermission({ callId, consent }: CallFacts): ConsentPermission | null {
  if (callId === null || consent.status !== 'used') return null;
  return consent.usedByCallId === callId ? consent.permission : null;
}

/** A queued call holds its permission, but the customer's window goes on closing. */
function judgeHeld(permission: ConsentPermission, now: number): RuleOutcome {
  const { permissionId, expiresAt } = permission;
  const evidence = { permissionId, expiresAt };
  if (now < expiresAt) return pass('This call holds the permission.', evidence);
  return refuse('permission_expired', 'The permission expired before the call was placed.', {
    evidence,
  });
}

function evidenceOf({ consent }: CallFacts): Record<string, unknown> {
  const permission = permissionOf(consent);
  if (permission === null) return {};
  const { permissionId, grantedAt, expiresAt } = permission;
  return { permissionId, grantedAt, expiresAt };
}
