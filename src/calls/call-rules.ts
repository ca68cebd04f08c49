import type { CallReach } from '../consent/consent.ts';
import type { MediaLeg, MediaStats } from '../media/media.ts';
import type { PermissionId } from '../platform/ids.ts';
import { nextStatus, type CallEnd, type CallEvent, type CallPlan, type CallState } from './call.ts';
import type { CallFacts, EndedBy } from './call-facts.ts';

/**
 * What commands, facts and time do to a call. Pure: state and the instant go in, events come out.
 * All deadlines of a call are here and durable, because they follow from recorded facts; a
 * gateway that restarts works them out again.
 */
export const CALL_LIMITS = {
  /** From Meta's 200 to its SDP answer; it normally takes about a second. */
  mediaAnswerMs: 20_000,
  /** How long an unknown dial may stay unknown before the call is given up (never redialled). */
  dialUnknownMs: 30_000,
  /** Agent first: the endpoint's SIP ring time-out (at most 120 s) comes before this one. */
  agentMs: 130_000,
  /** From our terminate to Meta's terminate webhook. */
  terminateConfirmMs: 10_000,
  /** After a terminate whose companions are missing: late and shuffled facts still count. */
  settleMs: 2_000,
  /** From the customer's pick-up to audio with the endpoint, whatever hangs in between. */
  bridgeMs: 90_000,
  /** Behind the longest time that a script gives itself. */
  scriptGraceMs: 30_000,
  /** What is said or played when nobody is there ends by itself; this is for when it does not. */
  nobodyMs: 5_000,
  /** A queued call this long past its due time is blocked: the customer expects it no more. */
  lateMs: 300_000,
  /** For Meta's own answer, where the pack wants it; Meta lets us ask 5 times a second and line. */
  metaAnswerMs: 60_000,
} as const;

/** A fact from Meta or from our own legs, before it is known whether it is news. */
export type CallFact = Extract<
  CallEvent,
  {
    type:
      | 'CallInitiated'
      | 'CallDialUnknown'
      | 'CallMediaAnswered'
      | 'CallMediaConnected'
      | 'CallRinging'
      | 'CallAnswered'
      | 'CallRejected'
      | 'CallBridged'
      | 'CallAudioLost'
      | 'CallAudioFound'
      | 'CallDeadAir'
      | 'CallTerminated'
      | `Endpoint${string}`;
  }
>;

/** The dial transaction: the permission is consumed and the call leaves the queue. */
export function dial(
  state: CallState,
  grant: { permissionId: PermissionId; policyPack: string; permissionAgeMs: number },
  now: number,
): CallEvent[] {
  return state.status === 'queued' ? [{ type: 'CallDialing', at: now, ...grant }] : [];
}

/**
 * Records a fact once. A fact that is known already gives nothing; one that comes after the end
 * is kept as `CallFactLate` and changes nothing.
 */
export function observe(state: CallState, fact: CallFact, now: number): CallEvent[] {
  if (isKnown(state, fact)) return [];
  if (state.status === 'ended') return [{ type: 'CallFactLate', at: now, fact: fact.type }];
  if (nextStatus(state.status, fact.type) === undefined) return [];
  return [fact];
}

function isKnown(state: CallState, fact: CallFact): boolean {
  const { facts } = state;
  switch (fact.type) {
    case 'CallInitiated':
      return facts.wacid !== null;
    case 'CallDialUnknown':
      return facts.dialUnknown || facts.wacid !== null;
    case 'CallMediaAnswered':
      return facts.mediaAnsweredAt !== null;
    case 'CallMediaConnected':
      return facts.mediaConnectedAt !== null;
    case 'CallRinging':
      return facts.ringingAt !== null;
    case 'CallAnswered':
      // A terminate may have told the pick-up time already; the status is still news then.
      return facts.answeredAt !== null && AFTER_ANSWER.has(state.status);
    case 'CallRejected':
      return facts.rejectedAt !== null;
    case 'CallBridged':
      return facts.bridgedAt !== null;
    case 'CallAudioLost':
      // A flapping leg must not fill the ledger; the first ones tell what is wrong.
      return isSilent(state, fact.leg) || (facts.audioGaps ?? []).length >= AUDIO_GAPS_MAX;
    case 'CallDeadAir':
      return (facts.deadAirs ?? 0) >= AUDIO_GAPS_MAX;
    case 'CallAudioFound':
      return !isSilent(state, fact.leg);
    case 'CallTerminated':
      return facts.terminated !== null;
    case 'EndpointInvited':
      // A second INVITE, where SRTP was refused, begins the leg anew.
      return facts.endpoint?.sipCallId === fact.sipCallId;
    case 'EndpointRinging':
      return facts.endpoint?.ringingAt !== null;
    case 'EndpointAnswered':
      return facts.endpoint?.answeredAt !== null;
    case 'EndpointFailed':
      return facts.endpoint?.failed !== null;
    case 'EndpointEnded':
      return facts.endpoint?.endedAt !== null;
  }
}

function isSilent({ facts }: CallState, leg: MediaLeg): boolean {
  return (facts.audioGaps ?? []).some((gap) => gap.leg === leg && gap.to === null);
}

const AUDIO_GAPS_MAX = 10;
const AFTER_ANSWER: ReadonlySet<string> = new Set(['answered', 'bridged', 'ended']);

/** Someone wants the call over. The first wish counts; the call ends when Meta confirms it. */
export function hangUp(state: CallState, by: EndedBy, reason: string, now: number): CallEvent[] {
  if (state.status === 'ended' || state.facts.hangUp !== null) return [];
  const wish: CallEvent = { type: 'CallHangUpRequested', at: now, by, reason };
  if (state.status !== 'queued') return [wish];
  return [wish, { type: 'CallEnded', outcome: 'canceled', reason, by, at: now, media: null }];
}

/**
 * After this instant the call is not dialled any more: its window is over, or it is too late. The
 * time for which its campaign rested does not count as lateness.
 */
export function latestDialOf(plan: Pick<CallPlan, 'dueAt' | 'until'>, freeSince = 0): number {
  return plan.until ?? Math.max(plan.dueAt, freeSince) + CALL_LIMITS.lateMs;
}

/** Ends a call whose dial never happened or was definitely refused: no phone rang. */
export function abandon(
  state: CallState,
  outcome: 'blocked' | 'failed',
  reason: string,
  now: number,
): CallEvent[] {
  if (state.status === 'ended') return [];
  return [{ type: 'CallEnded', outcome, reason, by: 'platform', at: now, media: null }];
}

/**
 * What time alone does to a call: call it whenever `wakesAt` has come, and after every fact.
 * Calling it too early or twice does nothing. `media` goes into the end, if this is the end.
 */
export function wake(state: CallState, now: number, media: MediaStats | null): CallEvent[] {
  if (state.status === 'ended') return [];
  const due = deadlineOf(state);
  if (due === null || now < due.at) return [];
  return due.events(now).map((event) => (event.type === 'CallEnded' ? { ...event, media } : event));
}

/** When `wake` has something to do next, in ms, or null. */
export function wakesAt(state: CallState): number | null {
  return state.status === 'ended' ? null : (deadlineOf(state)?.at ?? null);
}

type Deadline = { at: number; events: (now: number) => CallEvent[] };

function deadlineOf(state: CallState): Deadline | null {
  const { facts } = state;
  const end = (now: number): CallEvent[] => [
    { type: 'CallEnded', ...endOf(state, now), media: null },
  ];
  const hang = (reason: string) => (now: number) => hangUp(state, 'platform', reason, now);
  if (facts.terminated !== null) return { at: settlesAt(state), events: end };
  if (facts.hangUp !== null) {
    return { at: facts.hangUp.at + CALL_LIMITS.terminateConfirmMs, events: end };
  }
  switch (state.status) {
    case 'queued':
    case 'ended':
    case 'bridged':
      return null;
    case 'dialing':
      return dialDeadline(state, hang);
    case 'initiated':
    case 'ringing':
      return ringDeadline(state, hang);
    case 'answered':
      if (isScripted(state)) return { at: scriptEndsBy(state), events: hang('script_timeout') };
      return answeredDeadline(state, hang);
  }
}

/** A queue may hold the customer longer than a bridge takes; what guides it ends it before. */
function answeredDeadline(
  { facts, plan }: CallState,
  hang: (reason: string) => (now: number) => CallEvent[],
): Deadline {
  const bridgeEnd = (facts.answeredAt ?? plan.dueAt) + CALL_LIMITS.bridgeMs;
  const until = facts.control?.nobody?.until ?? null;
  if (until === null) return { at: bridgeEnd, events: hang('bridge_timeout') };
  return { at: until + CALL_LIMITS.nobodyMs, events: hang('nobody_there') };
}

/** With the agent first, the customer is dialled when the agent is there; time counts from then. */
function dialDeadline(
  state: CallState,
  hang: (reason: string) => (now: number) => CallEvent[],
): Deadline {
  const { facts, plan } = state;
  const claimedAt = facts.dialingAt ?? plan.dueAt;
  const agentAt =
    plan.strategy === 'agent_first' ? (facts.endpoint?.answeredAt ?? null) : claimedAt;
  if (agentAt === null) {
    return { at: claimedAt + CALL_LIMITS.agentMs, events: hang('endpoint_no_answer') };
  }
  return { at: agentAt + CALL_LIMITS.dialUnknownMs, events: hang('dial_unknown') };
}

function ringDeadline(
  state: CallState,
  hang: (reason: string) => (now: number) => CallEvent[],
): Deadline {
  const { facts, plan } = state;
  const initiatedAt = facts.initiatedAt ?? plan.dueAt;
  const ringEnd = (facts.ringingAt ?? initiatedAt) + plan.ringTimeoutMs;
  const answerEnd = initiatedAt + CALL_LIMITS.mediaAnswerMs;
  if (facts.mediaAnsweredAt === null && answerEnd < ringEnd) {
    return { at: answerEnd, events: hang('meta_media_answer_timeout') };
  }
  return { at: ringEnd, events: hang('ring_timeout') };
}

/**
 * When a terminated call may be closed. At once where every companion fact is in (or we hung up
 * ourselves); else a little later, so that doubled, shuffled and late webhooks of the same call
 * lead to the same final state.
 */
function settlesAt(state: CallState): number {
  const { facts } = state;
  const learnedAt = facts.terminated?.learnedAt ?? 0;
  if (facts.hangUp !== null) return learnedAt;
  const decided =
    facts.rejectedAt !== null ||
    state.status === 'answered' ||
    state.status === 'bridged' ||
    (facts.terminated?.errors.length ?? 0) > 0;
  const complete = decided && facts.mediaAnsweredAt !== null && facts.ringingAt !== null;
  return complete ? learnedAt : learnedAt + CALL_LIMITS.settleMs;
}

/**
 * Whether the person picked up, for the limits that count it; null where no phone rang. A ring
 * that we ended ourselves counts as unanswered, and so does one that nobody can vouch for: Meta
 * says of neither whether it counts, and too careful is right.
 */
export function reachOf(state: CallState): CallReach | null {
  if (state.status !== 'ended') return null;
  const { facts, end, plan } = state;
  const callId = plan.id;
  if (facts.answeredAt !== null) return { callId, outcome: 'connected', at: facts.answeredAt };
  const failed = (facts.terminated?.errors.length ?? 0) > 0 && facts.ringingAt === null;
  const isDialled = facts.wacid !== null || facts.dialUnknown;
  return isDialled && !failed ? { callId, outcome: 'unanswered', at: end.at } : null;
}

/** What became of the call, from all facts together; Meta's own `status` is not trusted. */
export function endOf(state: CallState, now: number): Omit<CallEnd, 'media'> {
  const { facts } = state;
  const at = facts.terminated?.endedAt ?? facts.terminated?.at ?? hungUpAt(facts) ?? now;
  if (facts.hangUp !== null) return { ...endByHangUp(state, facts.hangUp), at };
  if (facts.rejectedAt !== null) {
    return { outcome: 'rejected', reason: 'customer_rejected', by: 'customer', at };
  }
  if (facts.bridgedAt !== null) {
    return { outcome: 'completed', reason: 'customer_hung_up', by: 'customer', at };
  }
  const error = facts.terminated?.errors[0];
  if (error !== undefined) {
    return { outcome: 'failed', reason: `meta_${error.code}`, by: 'platform', at };
  }
  // A script that spoke is what the customer was called for.
  if (isScripted(state)) {
    return { outcome: 'completed', reason: 'customer_hung_up', by: 'customer', at };
  }
  if (facts.answeredAt !== null) {
    return { outcome: 'failed', reason: 'customer_left_before_audio', by: 'customer', at };
  }
  return { outcome: 'no_answer', reason: 'not_answered', by: 'customer', at };
}

/**
 * Without Meta's word on the end, a call we hung up ended then, not when we stopped waiting for
 * that word: the wait must not be billed. Nothing that is known to have happened comes after it.
 */
function hungUpAt({ hangUp, ringingAt, answeredAt, bridgedAt }: CallFacts): number | null {
  if (hangUp === null) return null;
  return Math.max(hangUp.at, ringingAt ?? 0, answeredAt ?? 0, bridgedAt ?? 0);
}

/** Reasons of our own that mean the ring went unanswered. */
const NO_ANSWER_REASONS = new Set(['ring_timeout']);
/** The customer took the consent back: the call is called off, nothing has failed. */
const CALLED_OFF_REASONS = new Set([
  'opted_out',
  'opt_out_pending',
  'do_not_call',
  'erased',
  'permission_revoked',
]);

function endByHangUp(
  state: CallState,
  wish: { by: EndedBy; reason: string },
): Omit<CallEnd, 'at' | 'media'> {
  const { by, reason } = wish;
  const { facts } = state;
  if (NO_ANSWER_REASONS.has(reason) && facts.answeredAt === null) {
    return { outcome: 'no_answer', reason, by };
  }
  if (reason === 'script_ended') return { outcome: 'completed', reason, by };
  if (by === 'platform' && !CALLED_OFF_REASONS.has(reason))
    return { outcome: 'failed', reason, by };
  if (facts.bridgedAt !== null) return { outcome: 'completed', reason, by };
  return { outcome: by === 'endpoint' ? 'failed' : 'canceled', reason, by };
}

/** A script has begun to speak with the customer. */
function isScripted({ facts }: CallState): boolean {
  return facts.control?.script !== undefined;
}

/** Behind the script's own end: for a script that hangs, and an endpoint that it called. */
function scriptEndsBy({ facts }: CallState): number {
  return (facts.control?.script?.endsBy ?? 0) + CALL_LIMITS.scriptGraceMs;
}
