import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Random } from '../platform/random.ts';

/**
 * Standard Webhooks 1.0 signatures: HMAC-SHA256 over `id.timestamp.body`, the secret as `whsec_`
 * and base64. Several signatures stand side by side while a secret is being replaced, so that
 * the receiver can change over without a gap. Pure: time is an argument.
 */
export type SignedHeaders = {
  'webhook-id': string;
  'webhook-timestamp': string;
  'webhook-signature': string;
};

export type Verification =
  | { ok: true }
  | { ok: false; reason: 'malformed' | 'too_old' | 'too_new' | 'no_match' };

/** How far a receiver's clock may be off, either way. */
export const TOLERANCE_SECONDS = 5 * 60;

const SECRET_PREFIX = 'whsec_';
const SECRET_BYTES = 32;
const SECRET_BYTES_MIN = 24;
const SECRET_BYTES_MAX = 64;
/** A stranger sends the header, and each signature in it costs one comparison. */
const SIGNATURES_MAX = 16;

/** A fresh secret, to be shown once. */
export function makeSecret(random: Random): string {
  return SECRET_PREFIX + Buffer.from(random.bytes(SECRET_BYTES)).toString('base64');
}

/** True for `whsec_` and the base64 of 24 to 64 bytes, as the specification asks. */
export function isSecret(text: string): boolean {
  return keyOf(text) !== undefined;
}

/**
 * The three headers of a delivery. `secrets` holds the current one and, during rotation, the
 * one before; `at` is in milliseconds since 1970.
 */
export function sign(
  secrets: readonly string[],
  message: { id: string; at: number; body: string },
): SignedHeaders {
  const timestamp = String(Math.floor(message.at / 1_000));
  const signatures = secrets.map((secret) => {
    const key = keyOf(secret);
    if (key === undefined) throw new TypeError('not a webhook secret');
    return `v1,${digest(key, message.id, timestamp, message.body).toString('base64')}`;
  });
  return {
    'webhook-id': message.id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}

/** Checks a delivery; `body` is the raw text as received, `now` milliseconds since 1970. */
export function verify(
  secrets: readonly string[],
  message: { headers: Readonly<Record<string, string | undefined>>; body: string; now: number },
): Verification {
  const id = message.headers['webhook-id'];
  const timestamp = message.headers['webhook-timestamp'];
  const signatures = message.headers['webhook-signature'];
  if (id === undefined || signatures === undefined || !/^\d{1,12}$/.test(timestamp ?? '')) {
    return { ok: false, reason: 'malformed' };
  }
  const seconds = Number(timestamp);
  const nowSeconds = Math.floor(message.now / 1_000);
  if (nowSeconds - seconds > TOLERANCE_SECONDS) return { ok: false, reason: 'too_old' };
  if (seconds - nowSeconds > TOLERANCE_SECONDS) return { ok: false, reason: 'too_new' };
  const given = signatures
    .split(' ', SIGNATURES_MAX)
    // Other versions may stand beside ours: v1a is an ed25519 signature and not for this check.
    .flatMap((part) => (part.startsWith('v1,') ? [Buffer.from(part.slice(3), 'base64')] : []));
  const matches = secrets.some((secret) => {
    const key = keyOf(secret);
    if (key === undefined) return false;
    const expected = digest(key, id, timestamp ?? '', message.body);
    return given.some((one) => one.length === expected.length && timingSafeEqual(one, expected));
  });
  return matches ? { ok: true } : { ok: false, reason: 'no_match' };
}

function digest(key: Buffer, id: string, timestamp: string, body: string): Buffer {
  return createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest();
}

function keyOf(secret: string): Buffer | undefined {
  if (!/^whsec_[A-Za-z0-9+/]+={0,2}$/.test(secret)) return undefined;
  const key = Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64');
  return key.length >= SECRET_BYTES_MIN && key.length <= SECRET_BYTES_MAX ? key : undefined;
}
