import type { Clock, TimerHandle } from '../platform/clock.ts';
import { headerOf, listOf, type SipHeader, type SipMessage, type SipRequest } from './message.ts';
import type { SipResponse } from './message.ts';

/**
 * Session timers (RFC 4028): both sides notice within the interval that the other one is gone.
 * One side refreshes at half time by UPDATE or re-INVITE; the side that hears nothing ends the
 * call shortly before the interval is over.
 *
 *   off -> weRefresh <-> theyRefresh -> off
 *
 * Every 2xx to INVITE or UPDATE, in either direction, sets the interval and the role anew; one
 * without Session-Expires turns the timer off (section 7.2 and 9).
 */
export const SESSION_EXPIRES_S = 1800;
/** Shorter intervals are refused with 422 (section 5: not below 90 s). */
export const MIN_SE_S = 90;
/** A peer that asks for more than a day has no use for the timer. */
const INTERVAL_MAX_S = 86_400;

export type SessionExpires = { seconds: number; refresher?: 'uac' | 'uas' };

export function parseSessionExpires(message: SipMessage): SessionExpires | undefined {
  const [value, ...parameters] = (headerOf(message, 'session-expires') ?? '').split(';');
  const seconds = secondsFrom(value);
  if (seconds === undefined) return undefined;
  const named = parameters
    .map((part) => /^refresher=(uac|uas)$/i.exec(part.replaceAll(/\s/g, ''))?.[1]?.toLowerCase())
    .find((found) => found !== undefined);
  return named === 'uac' || named === 'uas' ? { seconds, refresher: named } : { seconds };
}

/** The Min-SE of a 422: the interval to ask for instead; undefined when it is not to be had. */
export function minimumOf(response: SipResponse): number | undefined {
  const seconds = secondsFrom((headerOf(response, 'min-se') ?? '').split(';', 1)[0]);
  return seconds === undefined || seconds > INTERVAL_MAX_S ? undefined : seconds;
}

function secondsFrom(text: string | undefined): number | undefined {
  const trimmed = (text ?? '').trim();
  return /^\d{1,9}$/.test(trimmed) ? Number(trimmed) : undefined;
}

/** The headers of a request that sets or refreshes the session. */
export function timerHeaders(seconds: number, refresher?: 'uac' | 'uas'): SipHeader[] {
  const role = refresher === undefined ? '' : `;refresher=${refresher}`;
  return [
    ['Session-Expires', `${seconds}${role}`],
    ['Min-SE', `${MIN_SE_S}`],
  ];
}

export type SessionTimerParts = {
  clock: Clock;
  /** Sends a refresh; its 2xx comes back by `answered`. */
  refresh: () => void;
  /** The peer has not been heard in time. */
  expire: () => void;
};

export class SessionTimer {
  readonly #parts: SessionTimerParts;
  #seconds = SESSION_EXPIRES_S;
  #role: 'off' | 'weRefresh' | 'theyRefresh' = 'off';
  #timers: TimerHandle[] = [];

  constructor(parts: SessionTimerParts) {
    this.#parts = parts;
  }

  /** Headers for a refresh of ours, and for any re-INVITE: they keep the role as it is. */
  requestHeaders(): SipHeader[] {
    if (this.#role === 'off') return [];
    return timerHeaders(this.#seconds, this.#role === 'weRefresh' ? 'uac' : 'uas');
  }

  /** A 422 to a refresh: asks for the longer interval from now on; false when that is no use. */
  lengthen(response: SipResponse): boolean {
    const seconds = minimumOf(response);
    if (seconds === undefined || seconds <= this.#seconds) return false;
    this.#seconds = seconds;
    return true;
  }

  /** A 2xx to our INVITE or UPDATE. */
  answered(response: SipResponse): void {
    const told = parseSessionExpires(response);
    if (told === undefined) return this.stop();
    // The answerer has to name the refresher; where it does not, we do the work.
    this.#start(told.seconds, told.refresher === 'uas' ? 'theyRefresh' : 'weRefresh');
  }

  /** The headers of a 422 when the peer's INVITE or UPDATE asks for too short an interval. */
  tooShort(request: SipRequest): SipHeader[] | undefined {
    const asked = parseSessionExpires(request);
    const short = asked !== undefined && asked.seconds < MIN_SE_S;
    // Section 9: one that does not know the timer would not understand the 422.
    return short && supportsTimer(request) ? [['Min-SE', `${MIN_SE_S}`]] : undefined;
  }

  /** Takes over what the peer's INVITE or UPDATE says; the headers of our 2xx. */
  accepted(request: SipRequest): SipHeader[] {
    const asked = parseSessionExpires(request);
    if (asked === undefined) {
      this.stop();
      return [];
    }
    const seconds = Math.min(Math.max(asked.seconds, MIN_SE_S), INTERVAL_MAX_S);
    // Section 9, table 2: a sender that does not know the timer cannot be the refresher.
    const refresher = supportsTimer(request) ? (asked.refresher ?? 'uac') : 'uas';
    this.#start(seconds, refresher === 'uac' ? 'theyRefresh' : 'weRefresh');
    const headers: SipHeader[] = [['Session-Expires', `${seconds};refresher=${refresher}`]];
    return refresher === 'uac' ? [['Require', 'timer'], ...headers] : headers;
  }

  stop(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers = [];
    this.#role = 'off';
  }

  #start(seconds: number, role: 'weRefresh' | 'theyRefresh'): void {
    this.stop();
    this.#role = role;
    this.#seconds = Math.min(Math.max(seconds, MIN_SE_S), INTERVAL_MAX_S);
    const { clock, refresh, expire } = this.#parts;
    // Section 10: the BYE goes out 32 s, or a third of the interval, before its end.
    const endMs = (this.#seconds - Math.min(32, this.#seconds / 3)) * 1000;
    this.#timers = [clock.after(endMs, expire)];
    if (role === 'weRefresh') this.#timers.push(clock.after(this.#seconds * 500, refresh));
  }
}

function supportsTimer(request: SipRequest): boolean {
  const options = [...listOf(request, 'supported'), ...listOf(request, 'require')];
  return options.some((option) => option.toLowerCase() === 'timer');
}
