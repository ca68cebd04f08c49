import { parseNumber } from '../contacts/phone-number.ts';
import {
  decide,
  evolveAll,
  initialConsent,
  reachEvent,
  type CallReach,
  type ConsentCommand,
  type ConsentState,
} from '../consent/consent.ts';
import type { CallId, PermissionId, PermissionRequestId } from '../platform/ids.ts';
import { invariant } from '../platform/invariant.ts';
import { isRefused } from '../platform/refusal.ts';
import { evaluateCall, evaluateRequest, type CallFacts, type RequestFacts } from './policy.ts';
import type { Layers } from './layers.ts';
import { personHistory } from './person-history.ts';
import { consentRules, type PolicyPack, type PolicyVector } from './policy-pack.ts';

/**
 * Runs the test vectors that a pack carries with it, so that a pack can be judged before it is
 * switched on. Every vector changes one thing against a case that is allowed.
 */
export function failedVectors(pack: PolicyPack): string[] {
  return pack.vectors.flatMap((vector) => {
    const facts = factsOf(vector, pack);
    const decision =
      vector.kind === 'call'
        ? evaluateCall(facts, alone(pack))
        : evaluateRequest(facts, alone(pack));
    const code = decision.refusal?.code ?? null;
    if (code === vector.code) return [];
    return [`${vector.title}: expected ${vector.code ?? 'allowed'}, got ${code ?? 'allowed'}`];
  });
}

/** The layers of a pack that nothing narrows. */
export function alone(pack: PolicyPack): Layers {
  return { pack, narrower: [] };
}

const NOON = Date.UTC(2026, 0, 5, 12);
const HOUR_MS = 3_600_000;
const PURPOSE = 'your order 1042';
const REQUEST = 'preq_vector' as PermissionRequestId;
const PERMISSION = 'perm_vector' as PermissionId;
const CALL = 'call_vector' as CallId;

/** The facts of a vector: the allowed case with the vector's changes. */
export function factsOf(vector: PolicyVector, pack: PolicyPack): CallFacts & RequestFacts {
  const { facts, kind } = vector;
  const business = partyOf(facts.business ?? '+442079460000');
  const customer =
    facts.customer === null
      ? { e164: null, country: null }
      : partyOf(facts.customer ?? '+447700900123');
  const consent = consentOf(facts, pack);
  return {
    now: NOON,
    line: {
      enabled: facts.lineEnabled ?? true,
      restrictedUntil: facts.lineRestricted === true ? NOON + HOUR_MS : null,
      stoppedAt: facts.accountStopped === true ? NOON - HOUR_MS : null,
      pausedAt: facts.linePaused === true ? NOON - HOUR_MS : null,
      ...business,
    },
    contact: {
      ...customer,
      doNotCall: facts.doNotCall ?? false,
      optedOutAt: facts.optedOut === true ? NOON - HOUR_MS : null,
      optOutPendingAt: facts.optOutPending === true ? NOON - HOUR_MS : null,
      sanctionedRegion: facts.sanctionedRegion ?? false,
      timeZone: null,
    },
    consent,
    history: personHistory([consent]),
    purpose: facts.purpose ?? (kind === 'request' ? 'your delivery of today' : PURPOSE),
    metaAnswer: metaAnswerOf(facts, pack),
    // Meta is asked for a call that is about to be dialled.
    callId: facts.metaAnswer === undefined ? null : 'call_dialled',
    liveCallIds: facts.otherCall === true ? ['call_other'] : [],
    endpointKnown: facts.endpointKnown ?? true,
    lineLiveCalls: facts.lineLiveCalls ?? 0,
    ...marketingOf(facts),
  };
}

function marketingOf({ marketingInboundAgeMs: age }: PolicyVector['facts']) {
  if (age === undefined) return {};
  return { marketing: { lastInboundAt: age === null ? null : NOON - age } };
}

/** Where a pack wants Meta asked, it was asked just now, unless the vector says otherwise. */
function metaAnswerOf(
  { metaAnswer }: PolicyVector['facts'],
  { liveAnswer }: PolicyPack,
): CallFacts['metaAnswer'] {
  if (metaAnswer === null) return null;
  if (metaAnswer === undefined) {
    return liveAnswer === null ? null : { askedAt: NOON, canCall: true, canRequest: true };
  }
  const { ageMs, canCall, canRequest } = metaAnswer;
  return { askedAt: NOON - ageMs, canCall, canRequest };
}

function partyOf(text: string): { e164: string; country: string | null } {
  const number = parseNumber(text);
  invariant(!isRefused(number), `vector with a broken number: ${text}`);
  return { e164: number.e164, country: number.country };
}

type Step = [at: number, command: ConsentCommand];

/** Builds the consent by the decider itself: a vector never tests a state that cannot be. */
function consentOf(facts: PolicyVector['facts'], pack: PolicyPack): ConsentState {
  // What was done before the vector begins was allowed then.
  const rules = { ...consentRules(pack), requestCaps: [] };
  const earlier = (facts.requestAgesMs ?? []).map((age, index): Step => {
    const requestId = `preq_${index}` as PermissionRequestId;
    return [NOON - age, requestAt(NOON - age, requestId, null)];
  });
  const steps = [...earlier, ...storyOf(facts, pack)];
  const consent = steps.reduce<ConsentState>((state, [now, command]) => {
    const decided = decide(command, state, { now, rules });
    return isRefused(decided) ? state : evolveAll(state, decided.events);
  }, initialConsent);
  return evolveAll(consent, callsOf(facts).map(reachEvent));
}

function storyOf(facts: PolicyVector['facts'], { values }: PolicyPack): Step[] {
  const grantedAt = NOON - (facts.grantAgeMs ?? HOUR_MS / 2);
  const { promisedAfterMs } = facts;
  const promisedAt = promisedAfterMs === undefined ? null : grantedAt + promisedAfterMs;
  const asked: Step = [grantedAt - 1000, requestAt(grantedAt - 1000, REQUEST, promisedAt)];
  const permanent = facts.permanent ?? false;
  const yes: Step = [
    grantedAt,
    { ...answerAt(grantedAt, 'accept'), ...contextOf(facts), permanent },
  ];
  const no: Step = [grantedAt, answerAt(grantedAt, 'reject')];
  const use: Step = [grantedAt + 1000, { type: 'Consume', callId: CALL, permissionId: PERMISSION }];
  const lapseAt = NOON - values.requestLapsesMs;
  const revoke = { type: 'Revoke', by: 'customer', reason: 'changed mind', at: NOON } as const;
  const stories: Record<NonNullable<PolicyVector['facts']['consent']>, Step[]> = {
    none: [],
    granted: [asked, yes],
    requested: [asked],
    used: [asked, yes, use],
    declined: [asked, no],
    revoked: [asked, yes, [NOON, revoke]],
    lapsed: [
      [lapseAt, requestAt(lapseAt, REQUEST, null)],
      [NOON, { type: 'Lapse' }],
    ],
  };
  return stories[facts.consent ?? 'granted'];
}

function callsOf({ connectedAgesMs = [], unansweredAgesMs = [] }: PolicyVector['facts']) {
  const ended = (outcome: CallReach['outcome']) => (age: number) => ({
    callId: CALL,
    outcome,
    at: NOON - age,
  });
  const calls: CallReach[] = [
    ...connectedAgesMs.map(ended('connected')),
    ...unansweredAgesMs.map(ended('unanswered')),
  ];
  return calls.sort((a, b) => a.at - b.at);
}

function requestAt(
  at: number,
  requestId: PermissionRequestId,
  promisedAt: number | null,
): ConsentCommand {
  return {
    type: 'RequestPermission',
    requestId,
    purpose: PURPOSE,
    template: 'call_permission_request',
    language: 'en',
    text: `May we call you on WhatsApp about ${PURPOSE}?`,
    promisedAt,
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
