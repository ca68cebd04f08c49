import type { Random } from '../platform/random.ts';

/**
 * Outgoing events: what the business is told, and how stubbornly. An event commits together with
 * the change it tells of; it is delivered at least once, in no promised order, under an id that
 * never changes. This file holds the words and the pure rules; the neighbours do the I/O.
 */
export const EVENT_TYPES = [
  'permission.requested',
  'permission.sent',
  'permission.delivered',
  'permission.read',
  'permission.failed',
  'permission.granted',
  'permission.declined',
  'permission.expired',
  'permission.lapsed',
  'permission.revoked',
  'permission.used',
  'permission.released',
  'permission.refused',
  'permission.planned',
  'permission.plan_ended',
  'permission.quick_reply',
  'call_button.sent',
  'call_button.failed',
  'call_button.refused',
  'call.blocked',
  'call.rescheduled',
  'call.initiated',
  'call.ringing',
  'call.answered',
  'call.bridged',
  'call.audio_lost',
  'call.audio_found',
  'call.dead_air',
  'call.held',
  'call.resumed',
  'call.muted',
  'call.unmuted',
  'call.transfer_started',
  'call.transferred',
  'call.transfer_failed',
  'call.listener_added',
  'call.listener_removed',
  'call.action_failed',
  'call.recording.ready',
  'call.recording.failed',
  'call.script.step',
  'call.script.ended',
  'call.ended',
  'outcome.set',
  'survey.sent',
  'survey.failed',
  'survey.answered',
  'contact.merged',
  'contact.number_lost',
  'contact.erased',
  'optout.received',
  'optout.pending',
  'optout.cleared',
  'optout.flagged',
  'optout.late',
  'optout.lifted',
  'dnc.added',
  'dnc.removed',
  'endpoint.down',
  'endpoint.up',
  'endpoint.registered',
  'endpoint.registration_lost',
  'template.status_changed',
  'journey.run.started',
  'journey.run.ended',
  'campaign.started',
  'campaign.paused',
  'campaign.resumed',
  'campaign.stopped',
  'campaign.done',
  'experiment.sample_ratio_alarm',
  'experiment.arm_stopped',
  'experiment.result',
  'line.slowed',
  'line.paused',
  'line.resumed',
  'account.stopped',
  'account.resumed',
] as const;

export type EventType = (typeof EVENT_TYPES)[number];

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/**
 * The wait before each try, from the Standard Webhooks example: ten tries over about 75.6 hours,
 * so that a receiver may be down for a long weekend.
 */
export const RETRY_SCHEDULE_MS: readonly number[] = [
  0,
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
];

/** Retries spread by this share either way, so that a receiver coming back is not stampeded. */
export const JITTER_SHARE = 0.1;

export const ATTEMPT_TIMEOUT_MS = 15 * SECOND;
export const ANSWER_BYTES_MAX = 64 * 1024;
/** An endpoint that took nothing for so long is switched off. */
export const DISABLE_AFTER_MS = 5 * 24 * HOUR;
/** A receiver may slow us down, but not put us off for ever. */
const RETRY_AFTER_MAX_MS = 24 * HOUR;

/** How one try ended. `status` is null when no HTTP answer came. */
export type AttemptResult = {
  status: number | null;
  /** Short and without content of the answer, which may be personal. */
  error: string | null;
  /** The Retry-After header, as it came. */
  retryAfter: string | null;
};

export type DeliveryVerdict =
  | { status: 'delivered' }
  | { status: 'pending'; nextAttemptAt: number }
  /** Dead letter: kept, shown, and sent again only by hand. */
  | { status: 'failed'; disable: boolean };

export function isDelivered(result: AttemptResult): boolean {
  return result.status !== null && result.status >= 200 && result.status < 300;
}

/** What follows from try number `attempts` (from 1). Only 2xx is success; a redirect is not. */
export function judgeAttempt(
  attempts: number,
  result: AttemptResult,
  now: number,
  random: Random,
): DeliveryVerdict {
  if (isDelivered(result)) return { status: 'delivered' };
  // 410 Gone is the receiver's way to say "never again" (Standard Webhooks, "Response codes").
  if (result.status === 410) return { status: 'failed', disable: true };
  const wait = RETRY_SCHEDULE_MS[attempts];
  if (wait === undefined) return { status: 'failed', disable: false };
  const spread = Math.round(wait * JITTER_SHARE);
  const jittered = wait - spread + random.below(2 * spread + 1);
  const asked = isSlowDown(result.status) ? retryAfterMs(result.retryAfter, now) : 0;
  return { status: 'pending', nextAttemptAt: now + Math.max(jittered, asked) };
}

function isSlowDown(status: number | null): boolean {
  return status === 429 || status === 502 || status === 503 || status === 504;
}

/** RFC 9110 section 10.2.3: seconds or an HTTP date. Nonsense counts as not given. */
export function retryAfterMs(header: string | null, now: number): number {
  if (header === null) return 0;
  const text = header.trim();
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * SECOND : Date.parse(text) - now;
  return Number.isFinite(ms) ? Math.min(Math.max(0, ms), RETRY_AFTER_MAX_MS) : 0;
}
