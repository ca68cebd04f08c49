import { isId, type AccountId, type ContactId } from '../platform/ids.ts';
import type { Sealer } from '../platform/sealing.ts';

/**
 * The link with which a person stops calls, or allows to be asked again, without an account or an
 * app. Its token is sealed and authenticated (AES-256-GCM), so it names nobody to whoever sees it,
 * cannot be made up or altered, and no table has to remember it.
 */
export type StopLink = { accountId: AccountId; contactId: ContactId };

export type StopLinkPorts = {
  sealer: Sealer;
  settings: { ASKFIRST_PUBLIC_URL?: string | undefined };
};

/** As a template variable this becomes the link of whoever the message goes to. */
export const STOP_LINK_VARIABLE = '{stop_link}';
export const STOP_LINK_DAYS = 90;

/** Tells our tokens from every other thing that the same key has sealed. */
const KIND = 'stop-link-1 ';
const UUID_BYTES = 16;
const TIME_BYTES = 6;
/** Ours have about 130; nothing longer is worth opening. */
const TOKEN_LENGTH_MAX = 200;
const DAY_MS = 24 * 60 * 60 * 1000;

/** The URL, and when it stops working. `base` is ours as the asking request saw it. */
export function makeStopLink(
  { sealer, settings }: StopLinkPorts,
  link: StopLink,
  at: { base: string; now: number; validDays: number },
): { url: string; expiresAt: number } {
  const expiresAt = at.now + at.validDays * DAY_MS;
  const base = (settings.ASKFIRST_PUBLIC_URL ?? at.base).replace(/\/+$/, '');
  return { url: `${base}/o/${makeToken(sealer, link, expiresAt)}`, expiresAt };
}

/** `expiresAt` in ms. As few bytes as can be, for a template's variable is short. */
export function makeToken(sealer: Sealer, link: StopLink, expiresAt: number): string {
  const time = Buffer.alloc(TIME_BYTES);
  time.writeUIntBE(expiresAt, 0, TIME_BYTES);
  const packed = Buffer.concat([uuidOf(link.accountId), uuidOf(link.contactId), time]);
  return sealer.seal(KIND + packed.toString('base64url')).toString('base64url');
}

/** Whom a token is for; null for everything that we did not make, or that is too old. */
export function readToken(sealer: Sealer, token: string, now: number): StopLink | null {
  if (token.length > TOKEN_LENGTH_MAX || !/^[\w-]+$/.test(token)) return null;
  const text = opened(sealer, token);
  if (!text.startsWith(KIND)) return null;
  const packed = Buffer.from(text.slice(KIND.length), 'base64url');
  if (packed.length !== 2 * UUID_BYTES + TIME_BYTES) return null;
  const accountId = `acct_${uuidText(packed, 0)}`;
  const contactId = `cont_${uuidText(packed, UUID_BYTES)}`;
  const isInTime = now < packed.readUIntBE(2 * UUID_BYTES, TIME_BYTES);
  if (!isInTime || !isId('account', accountId) || !isId('contact', contactId)) return null;
  return { accountId, contactId };
}

function opened(sealer: Sealer, token: string): string {
  try {
    return sealer.open(Buffer.from(token, 'base64url'));
  } catch {
    // Altered, made up, or of another key: all the same to whoever asks.
    return '';
  }
}

function uuidOf(id: AccountId | ContactId): Buffer {
  return Buffer.from(id.slice(id.indexOf('_') + 1).replaceAll('-', ''), 'hex');
}

function uuidText(packed: Buffer, from: number): string {
  const hex = packed.toString('hex', from, from + UUID_BYTES);
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
