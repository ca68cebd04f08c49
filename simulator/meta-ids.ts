import { createHash } from 'node:crypto';
import { parsePhoneNumberFromString } from 'libphonenumber-js';
import type { Random } from '../src/platform/random.ts';

/** A call id in Meta's shape. */
export function newWacid(random: Random): string {
  return `wacid.HBgL${Buffer.from(random.bytes(24)).toString('base64url')}`;
}

/** A message id in Meta's shape. */
export function newWamid(random: Random): string {
  return `wamid.HBgL${Buffer.from(random.bytes(21)).toString('base64url')}`;
}

export function newTraceId(random: Random): string {
  return `A${Buffer.from(random.bytes(16)).toString('base64url')}`;
}

/** A Graph object id: digits only, as Meta's. */
export function newObjectId(random: Random): string {
  let digits = String(1 + random.below(9));
  while (digits.length < 15) digits += String(random.below(10));
  return digits;
}

/**
 * The business-scoped user id of a person: country, a dot, up to 20 digits. It is derived from
 * the number so that it stays the same when the simulator starts again, which Meta's does too.
 * Whoever changes it, or comes to a number that somebody left, gets one of a later `generation`.
 */
export function userIdOf(number: string, generation = 0): string {
  const name = generation === 0 ? number : `${number} ${generation}`;
  const hash = createHash('sha256').update(`bsuid:${name}`).digest();
  const digits = BigInt(`0x${hash.subarray(0, 10).toString('hex')}`)
    .toString()
    .padStart(20, '1');
  return `${countryOf(number) ?? 'ZZ'}.${digits.slice(0, 20)}`;
}

/** ISO country of an E.164 number; the main one where several share the prefix (GB for +44). */
export function countryOf(number: string): string | undefined {
  const parsed = parsePhoneNumberFromString(number);
  return parsed?.country ?? parsed?.getPossibleCountries()[0];
}

/** E.164 from whatever form Meta accepts (`44-7700…`); undefined if it is no number. */
export function toE164(text: string): string | undefined {
  if (!/^\+?[\d\s().-]+$/.test(text)) return undefined;
  const digits = text.replace(/\D/g, '');
  return /^[1-9]\d{6,14}$/.test(digits) ? `+${digits}` : undefined;
}

/** Meta's own form: digits without the plus. */
export function waIdOf(number: string): string {
  return number.replace(/^\+/, '');
}
