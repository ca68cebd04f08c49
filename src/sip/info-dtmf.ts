import { headerOf, type SipRequest } from './message.ts';

/**
 * Keys by SIP INFO, the way of PBXs that do not speak RFC 4733. There is no RFC for it: the two
 * body types are those that Cisco gear began with and that Asterisk, FreeSWITCH and others send.
 */
export const INFO_TYPES = 'application/dtmf-relay, application/dtmf';

export type InfoDtmf = { digit: string; durationMs: number };

const DIGITS = '0123456789*#ABCD';
const DURATION_MS = 160;
const DURATION_MAX_MS = 6000;

/** The key in an INFO: nothing when it is of another kind, `wrong` when it is one but broken. */
export function parseInfoDtmf(request: SipRequest): InfoDtmf | 'other' | 'wrong' {
  const type = (headerOf(request, 'content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase();
  if (type === 'application/dtmf') return keyFrom(request.body.trim(), undefined);
  if (type !== 'application/dtmf-relay') return 'other';
  const field = (name: string): string | undefined =>
    request.body
      .split(/\r?\n/, 8)
      .map((line) => line.split('=', 2).map((part) => part.trim()))
      .find(([key]) => key?.toLowerCase() === name)?.[1];
  return keyFrom(field('signal') ?? '', field('duration'));
}

function keyFrom(signal: string, duration: string | undefined): InfoDtmf | 'wrong' {
  // Some write 10 for the star, 11 for the hash, 12 to 15 for A to D, as RFC 4733 numbers them.
  const digit = /^1[0-5]$/.test(signal) ? DIGITS[Number(signal)] : signal.toUpperCase();
  if (digit?.length !== 1 || !DIGITS.includes(digit)) return 'wrong';
  const told = /^\d{1,5}$/.test(duration ?? '') ? Number(duration) : DURATION_MS;
  return { digit, durationMs: Math.min(told, DURATION_MAX_MS) };
}

/** The body of an INFO that presses a key; undefined for what is no key. */
export function infoDtmfBody(digit: string, durationMs = DURATION_MS): string | undefined {
  const key = digit.toUpperCase();
  if (key.length !== 1 || !DIGITS.includes(key)) return undefined;
  const duration = Math.min(Math.max(40, Math.round(durationMs)), DURATION_MAX_MS);
  return `Signal=${key}\r\nDuration=${duration}\r\n`;
}
