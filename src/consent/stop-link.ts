import { isId, type AccountId, type ContactId } from '../platform/ids.ts';
import type { Sealer } from '../platform/sealing.ts';

/**
 * The link with which a person stops calls, or allows to be asked again, without an account or an
 * app. Its token is sealed and authenticated (AES-256-GCM), so it names nobody to whoever sees it,
 * cannot be made up or altered, and no table has to remember it.
 */
export type StopLink = { accountId: AccountId; contactId: ContactId };

/** Tells our tokens from every other thing that the same key has sealed. */
const KIND = 'self-service-1';
/** A sealed token of two ids and a time has about 170; nothing longer is worth opening. */
const TOKEN_LENGTH_MAX = 400;

/** `expiresAt` in ms. */
export function makeToken(sealer: Sealer, { accountId, contactId }: StopLink, expiresAt: number) {
  const text = [KIND, accountId, contactId, expiresAt].join(' ');
  return sealer.seal(text).toString('base64url');
}

/** Whom a token is for; null for everything that we did not make, or that is too old. */
export function readToken(sealer: Sealer, token: string, now: number): StopLink | null {
  if (token.length > TOKEN_LENGTH_MAX || !/^[\w-]+$/.test(token)) return null;
  const [kind, accountId = '', contactId = '', expiresAt] = opened(sealer, token).split(' ');
  if (kind !== KIND || !isId('account', accountId) || !isId('contact', contactId)) return null;
  return now < Number(expiresAt) ? { accountId, contactId } : null;
}

function opened(sealer: Sealer, token: string): string {
  try {
    return sealer.open(Buffer.from(token, 'base64url'));
  } catch {
    // Altered, made up, or of another key: all the same to whoever asks.
    return '';
  }
}
