import { createHmac, timingSafeEqual } from 'node:crypto';

const PREFIX = 'sha256=';
const DIGEST_HEX_LENGTH = 64;

/**
 * Checks Meta's `X-Hub-Signature-256` over the raw bytes as they arrived: Meta escapes its JSON
 * in its own way, so a body parsed and written again never matches.
 * Several secrets are allowed, for rotation and for several apps behind one URL. Every secret is
 * tried even after a match and every comparison is of equal length, so the time taken tells
 * nothing about which one was right or how much of it matched.
 */
export function verifySignature(
  rawBody: Buffer,
  header: string | readonly string[] | undefined,
  secrets: readonly string[],
): boolean {
  if (typeof header !== 'string' || !header.startsWith(PREFIX)) return false;
  const hex = header.slice(PREFIX.length);
  if (hex.length !== DIGEST_HEX_LENGTH || !/^[0-9a-fA-F]+$/.test(hex)) return false;
  const given = Buffer.from(hex, 'hex');
  let matches = 0;
  for (const secret of secrets) {
    // An empty secret would let anybody sign, and an unset variable is an easy slip.
    if (secret === '') continue;
    const expected = createHmac('sha256', secret).update(rawBody).digest();
    matches += timingSafeEqual(given, expected) ? 1 : 0;
  }
  return matches > 0;
}

/** The header value Meta would send for these bytes; for the simulator's side and for tests. */
export function sign(rawBody: Buffer | string, secret: string): string {
  return PREFIX + createHmac('sha256', secret).update(rawBody).digest('hex');
}
