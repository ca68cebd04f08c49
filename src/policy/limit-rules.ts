import {
  heldSince,
  permissionOf,
  requestCapRefusal,
  type ConsentPermission,
} from '../consent/consent.ts';
import { HOUR_RULES } from './hour-rules.ts';
import { pass, refuse } from './party-rules.ts';
import type { Limits, RuleSource } from './limits.ts';
import type { CallFacts, LimitOutcome, LimitRule, PartyFacts, RequestFacts } from './policy.ts';
import { MINUTE_MS } from './hours/zone-time.ts';

/**
 * Rules whose numbers any layer may set. Each is asked once per layer that sets them; a layer
 * that is silent gives null.
 */

/**
 * The call comes when the customer expects it. Counted from the tap, because the customer's
 * patience starts there and not when we learn of it.
 */
const promiseKept: LimitRule<CallFacts> = {
  name: 'promise_kept',
  checkLayer({ consent, now }, { limits }) {
    const { promise } = limits;
    const permission = permissionOf(consent);
    if (promise === undefined || permission === null) return null;
    const { source } = promise;
    const { promisedAt } = permission;
    const { from, until } = promiseSpan(promise, permission);
    const evidence = { promisedAt, expectedFromAt: from, expectedUntilAt: until };
    if (now >= until) {
      const late =
        promisedAt === null
          ? `No time was promised, and the yes is older than ${minutes(promise.unpromisedMs)}.`
          : 'The promised time of the call is over.';
      return { source, ...refuse('promise_missed', late, { evidence }) };
    }
    if (now < from && promisedAt !== null) {
      const early = 'The customer was promised a later time.';
      return { source, ...refuse('promise_not_due', early, { allowedAt: from, evidence }) };
    }
    return { source, ...pass('The call comes when it is expected.', evidence) };
  },
};

/** From and until when the customer expects the call. */
export function promiseSpan(
  { unpromisedMs, earlyMs, lateMs }: NonNullable<Limits['promise']>,
  { promisedAt, grantedAt }: Pick<ConsentPermission, 'promisedAt' | 'grantedAt'>,
): { from: number; until: number } {
  if (promisedAt === null) return { from: grantedAt, until: grantedAt + unpromisedMs };
  return { from: promisedAt - earlyMs, until: promisedAt + lateMs };
}

const callFrequency: LimitRule<CallFacts> = {
  name: 'call_frequency',
  checkLayer(facts, { limits }) {
    const outcomes = (limits.frequency ?? []).map((cap) =>
      capped(otherCalls(facts), cap, facts.now, 'frequency_cap_reached', 'called'),
    );
    return strictest(outcomes);
  },
};

const connectedCalls: LimitRule<CallFacts> = {
  name: 'connected_calls',
  checkLayer({ consent, now }, { limits }) {
    const cap = limits.connectedCalls;
    if (cap === undefined) return null;
    const { connectedAt } = consent.history;
    return capped(connectedAt, cap, now, 'connected_limit_reached', 'reached');
  },
};

/** After a no; a later yes that the customer gave unasked ends the lock. */
const refusalLock: LimitRule<PartyFacts> = {
  name: 'refusal_lock',
  checkLayer({ history, now }, { limits }) {
    const lock = limits.refusalLock;
    if (lock === undefined) return null;
    const { refusedAt } = history;
    const { source, lockMs } = lock;
    if (refusedAt === null) return { source, ...pass('The customer has not said no.') };
    const allowedAt = refusedAt + lockMs;
    const evidence = { refusedAt };
    if (now >= allowedAt) return { source, ...pass('The last no is long ago.', evidence) };
    const message = 'The customer said no, and must be left alone for a time.';
    return { source, ...refuse('refusal_lock', message, { allowedAt, evidence }) };
  },
};

/**
 * Meta warns the customer after some unanswered calls in a row and then takes the permission
 * away (user call permissions page: 2 and 4). We stop earlier: a rest first, then none at all.
 */
const unansweredBrake: LimitRule<PartyFacts> = {
  name: 'unanswered_brake',
  checkLayer({ consent, now }, { limits }) {
    const brake = limits.unanswered;
    if (brake === undefined) return null;
    const { source, warnAt, stopAt, restMs, hardStopAt } = brake;
    const { unansweredInRow: count, lastUnansweredAt } = consent.history;
    const evidence = { unansweredInRow: count, lastUnansweredAt };
    if (count < warnAt)
      return { source, ...pass('The last call did not go unanswered.', evidence) };
    const message = `The last ${count === 1 ? 'call' : `${count} calls`} went unanswered.`;
    if (count >= hardStopAt)
      return { source, ...refuse('unanswered_brake', message, { evidence }) };
    const allowedAt = (lastUnansweredAt ?? now) + restMs;
    if (count >= stopAt && now < allowedAt) {
      const fix = 'Wait until the time in allowedAt, or send a message with a call button.';
      return { source, ...refuse('unanswered_brake', message, { fix, allowedAt, evidence }) };
    }
    return { source, verdict: 'warn', message, evidence };
  },
};

const lineCapacity: LimitRule<CallFacts> = {
  name: 'line_capacity',
  checkLayer({ lineLiveCalls }, { limits }) {
    const cap = limits.lineCalls;
    if (cap === undefined || lineLiveCalls === null) return null;
    const { source, concurrentMax } = cap;
    const evidence = { liveCalls: lineLiveCalls, concurrentMax };
    if (lineLiveCalls < concurrentMax) return { source, ...pass('The line has room.', evidence) };
    const message = `The line has ${lineLiveCalls} live calls; ${concurrentMax} are allowed.`;
    return { source, ...refuse('line_busy', message, { evidence }) };
  },
};

const requestLimit: LimitRule<RequestFacts> = {
  name: 'request_limit',
  checkLayer: ({ consent, now }, { limits }) =>
    strictest(
      (limits.requests ?? []).map((cap): LimitOutcome => {
        const { source } = cap;
        const refused = requestCapRefusal(consent, cap, now);
        if (refused !== null) return { source, verdict: 'refuse', ...refused };
        const { requestsMax, windowMs } = cap;
        return {
          source,
          ...pass('The customer was not asked too often.', { requestsMax, windowMs }),
        };
      }),
    ),
};

/** Sales talk goes only to who is in a conversation; what a service is about goes at any time. */
const messagingWindow: LimitRule<RequestFacts> = {
  name: 'messaging_window',
  checkLayer({ marketing, now }, { limits }) {
    const window = limits.marketing;
    if (window === undefined || marketing === undefined) return null;
    const { source, windowMs } = window;
    const { lastInboundAt } = marketing;
    const evidence = { lastInboundAt, windowMs };
    if (lastInboundAt !== null && now < lastInboundAt + windowMs) {
      return { source, ...pass('The customer was heard lately.', evidence) };
    }
    const since = lastInboundAt === null ? 'never wrote' : 'did not write lately';
    const message = `MARKETING needs the open messaging window, and the customer ${since}.`;
    return { source, ...refuse('messaging_window_closed', message, { evidence }) };
  },
};

export const CALL_LIMIT_RULES = [
  promiseKept,
  HOUR_RULES.callingHours,
  callFrequency,
  connectedCalls,
  refusalLock,
  unansweredBrake,
  lineCapacity,
] as const;
export const REQUEST_LIMIT_RULES = [
  requestLimit,
  HOUR_RULES.requestHours,
  refusalLock,
  unansweredBrake,
  messagingWindow,
] as const;

/** Of several limits of one layer: the refusal that lasts longest, else the first outcome. */
function strictest(outcomes: readonly LimitOutcome[]): LimitOutcome | null {
  const refused = outcomes.filter((outcome) => outcome.verdict === 'refuse');
  const end = (outcome: LimitOutcome): number =>
    outcome.verdict === 'refuse' ? (outcome.allowedAt ?? Infinity) : 0;
  return refused.toSorted((a, b) => end(b) - end(a))[0] ?? outcomes[0] ?? null;
}

function capped(
  times: readonly number[],
  cap: { callsMax: number; windowMs: number; source: RuleSource },
  now: number,
  code: 'frequency_cap_reached' | 'connected_limit_reached',
  done: string,
): LimitOutcome {
  const { callsMax, windowMs, source } = cap;
  const inWindow = times.filter((at) => at > now - windowMs);
  const evidence = { calls: inWindow.length, callsMax, windowMs };
  const oldest = inWindow[inWindow.length - callsMax];
  if (oldest === undefined) {
    return { source, ...pass('The customer was not called too often.', evidence) };
  }
  const message = `The customer was ${done} ${inWindow.length} times; the limit is ${callsMax}.`;
  return { source, ...refuse(code, message, { allowedAt: oldest + windowMs, evidence }) };
}

/** The call that asks has been counted already where it holds the permission. */
function otherCalls({ history, consent, callId }: CallFacts): readonly number[] {
  const heldAt = callId === null ? null : heldSince(consent, callId);
  if (heldAt === null) return history.callsAt;
  const own = history.callsAt.lastIndexOf(heldAt);
  return own === -1 ? history.callsAt : history.callsAt.toSpliced(own, 1);
}

function minutes(ms: number): string {
  return `${Math.round(ms / MINUTE_MS)} minutes`;
}
