import { parseNumber } from '../contacts/phone-number.ts';
import {
  decide,
  evolveAll,
  initialConsent,
  type ConsentCommand,
  type ConsentState,
} from '../consent/consent.ts';
import type { CallId, PermissionId, PermissionRequestId } from '../platform/ids.ts';
import { invariant } from '../platform/invariant.ts';
import { isRefused } from '../platform/refusal.ts';
import { evaluateCall, evaluateRequest, type CallFacts } from './policy.ts';
import { consentRules, type PolicyPack, type PolicyVector } from './policy-pack.ts';

/**
 * Runs the test vectors that a pack carries with it, so that a pack can be judged before it is
 * switched on. Every vector changes one thing against a case that is allowed.
 */
export function failedVectors(pack: PolicyPack): string[] {
  return pack.vectors.flatMap((vector) => {
    const facts = factsOf(vector, pack);
    const decision =
      vector.kind === 'call' ? evaluateCall(facts, pack) : evaluateRequest(facts, pack);
    const code = decision.refusal?.code ?? null;
    if (code === vector.code) return [];
    return [`${vector.title}: expected ${vector.code ?? 'allowed'}, got ${code ?? 'allowed'}`];
  });
}

const NOON = Date.UTC(2026, 0, 5, 12);
const HOUR_MS = 3_600_000;
const PURPOSE = 'your order 1042';
const REQUEST = 'preq_vector' as PermissionRequestId;
const PERMISSION = 'perm_vector' as PermissionId;
const CALL = 'call_vector' as CallId;

/** The facts of a vector: the allowed case with the vector's changes. */
export function factsOf(vector: PolicyVector, pack: PolicyPack): CallFacts {
  const { facts, kind } = vector;
  const business = partyOf(facts.business ?? '+442079460000');
  const customer =
    facts.customer === null
      ? { e164: null, country: null }
      : partyOf(facts.customer ?? '+447700900123');
  return {
    now: NOON,
    line: {
      enabled: facts.lineEnabled ?? true,
      restrictedUntil: facts.lineRestricted === true ? NOON + HOUR_MS : null,
      ...business,
    },
    contact: {
      ...customer,
      doNotCall: facts.doNotCall ?? false,
      optedOutAt: facts.optedOut === true ? NOON - HOUR_MS : null,
      optOutPendingAt: facts.optOutPending === true ? NOON - HOUR_MS : null,
      sanctionedRegion: facts.sanctionedRegion ?? false,
    },
    consent: consentOf(facts, pack),
    purpose: facts.purpose ?? (kind === 'request' ? 'your delivery of today' : PURPOSE),
    callId: null,
    liveCallIds: facts.otherCall === true ? ['call_other'] : [],
    endpointKnown: facts.endpointKnown ?? true,
  };
}

function partyOf(text: string): { e164: string; country: string | null } {
  const number = parseNumber(text);
  invariant(!isRefused(number), `vector with a broken number: ${text}`);
  return { e164: number.e164, country: number.country };
}

/** Builds the consent by the decider itself: a vector never tests a state that cannot be. */
function consentOf(facts: PolicyVector['facts'], pack: PolicyPack): ConsentState {
  const grantedAt = NOON - (facts.grantAgeMs ?? HOUR_MS);
  const asked = requestAt(grantedAt - 1000, REQUEST);
  const yes = { ...answerAt(grantedAt, 'accept'), ...contextOf(facts) };
  const stories: Record<NonNullable<PolicyVector['facts']['consent']>, ConsentCommand[]> = {
    none: [],
    requested: [asked],
    used: [asked, yes, { type: 'Consume', callId: CALL, permissionId: PERMISSION }],
    declined: [asked, answerAt(grantedAt, 'reject')],
    revoked: [asked, yes, { type: 'Revoke', by: 'customer', reason: 'changed mind', at: NOON }],
    lapsed: [requestAt(NOON - pack.values.requestLapsesMs, REQUEST), { type: 'Lapse' }],
  };
  const earlier = (facts.requestAgesMs ?? []).map((age, index) =>
    requestAt(NOON - age, `preq_${index}` as PermissionRequestId),
  );
  const story = facts.consent === undefined ? [asked, yes] : stories[facts.consent];
  return [...earlier, ...story].reduce<ConsentState>((state, command) => {
    const now = 'at' in command ? command.at : NOON;
    const decided = decide(command, state, { now, rules: consentRules(pack) });
    return isRefused(decided) ? state : evolveAll(state, decided.events);
  }, initialConsent);
}

function requestAt(at: number, requestId: PermissionRequestId): ConsentCommand {
  return {
    type: 'RequestPermission',
    requestId,
    purpose: PURPOSE,
    template: 'call_permission_request',
    language: 'en',
    text: `May we call you on WhatsApp about ${PURPOSE}?`,
    promisedAt: null,
    packName: 'vector',
    at,
  };
}

function answerAt(at: number, response: 'accept' | 'reject') {
  return {
    type: 'RecordReply',
    response,
    permanent: false,
    metaExpiresAt: null,
    source: 'user',
    contextMessageId: 'wamid.vector',
    messageId: 'wamid.answer',
    permissionId: PERMISSION,
    at,
  } as const satisfies ConsentCommand;
}

/** A yes that quotes no message of ours carries no purpose. */
function contextOf(facts: PolicyVector['facts']): { contextMessageId: string | null } {
  return { contextMessageId: facts.permissionPurpose === null ? null : 'wamid.vector' };
}
