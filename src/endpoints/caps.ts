import type { Refusal } from '../platform/refusal.ts';
import type { Endpoint } from './endpoint.ts';

/** What an endpoint and an API key may use up, as pure rules over what is in use. */
export type Caps = { maxCalls: number | null; minutesPerDay: number | null };
export type InUse = { calls: number; seconds: number };

const DAY_MS = 86_400_000;

/** Midnight UTC before `now`: the day of all caps. */
export function dayStart(now: number): number {
  return Math.floor(now / DAY_MS) * DAY_MS;
}

export type CapOwner = 'endpoint' | 'key';

/**
 * Why one more call would be too many, or null. `endpoint_full` and `key_calls_full` pass as
 * calls end, nobody knows when; the minutes come back at midnight.
 */
export function capRefusal(
  owner: CapOwner,
  { maxCalls, minutesPerDay }: Caps,
  { calls, seconds }: InUse,
  now: number,
): Refusal | null {
  const what = owner === 'endpoint' ? 'endpoint' : 'API key';
  if (minutesPerDay !== null && seconds >= minutesPerDay * 60) {
    return {
      code: owner === 'endpoint' ? 'endpoint_minutes_used' : 'key_minutes_used',
      message: `The ${what} has talked for its ${minutesPerDay} minutes of today (UTC).`,
      fix: 'Call after midnight UTC, or raise the minutes per day.',
      evidence: { minutesPerDay, secondsUsed: seconds },
      allowedAt: dayStart(now) + DAY_MS,
    };
  }
  if (maxCalls === null || calls < maxCalls) return null;
  return {
    code: owner === 'endpoint' ? 'endpoint_full' : 'key_calls_full',
    message: `The ${what} has ${calls} live calls, and may have ${maxCalls}.`,
    fix: 'Call again when one of them has ended (event call.ended), or raise the limit.',
    evidence: { maxCalls, liveCalls: calls },
  };
}

/** True for a refusal that passes by itself as calls end. */
export function passesSoon(refusal: Refusal): boolean {
  return refusal.code === 'endpoint_full' || refusal.code === 'key_calls_full';
}

export function capsOf({ maxCalls, minutesPerDay }: Pick<Endpoint, keyof Caps>): Caps {
  return { maxCalls, minutesPerDay };
}

export function isCapped({ maxCalls, minutesPerDay }: Caps): boolean {
  return maxCalls !== null || minutesPerDay !== null;
}
