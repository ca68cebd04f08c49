import { isRefused, type Refused } from '../platform/refusal.ts';
import type { Identity } from './contact-store.ts';
import { numberHandle, userHandle, type Handle } from './contact.ts';
import { parseNationalNumber, parseNumber, type NumberCountry } from './phone-number.ts';

/** `GB.13491208655302741918`: country, dot, digits (Meta's business-scoped user ids). */
const USER_ID = /^[A-Z]{2}\.[A-Za-z0-9]{1,128}$/;

/**
 * Reads what an API caller means by "to": a number or a user id. With a country, numbers may be in
 * the national form of it.
 */
export function readRecipient(to: string, national?: NumberCountry): Identity | Refused {
  const text = to.trim();
  if (USER_ID.test(text)) return { userId: text };
  const number = national === undefined ? parseNumber(text) : parseNationalNumber(text, national);
  return isRefused(number) ? number : { e164: number.e164, country: number.country };
}

/** The handle that an API caller means by "to". */
export function readHandle(to: string, national?: NumberCountry): Handle | Refused {
  const recipient = readRecipient(to, national);
  if (isRefused(recipient)) return recipient;
  const { userId, e164 = '' } = recipient;
  return userId === undefined ? numberHandle(e164) : userHandle(userId);
}
