import type { Sealer } from './sealing.ts';

/**
 * The part of a link that lets whoever has it fetch one thing for a while, without an API key. It
 * is sealed and authenticated, so it cannot be made up, altered or made to last longer, and no
 * table has to remember it. `kind` tells the tokens of one use from all else that the same key has
 * sealed.
 */
const TOKEN_LENGTH_MAX = 300;

export function makeLinkToken(
  sealer: Sealer,
  kind: string,
  { id, expiresAt }: { id: string; expiresAt: number },
): string {
  return sealer.seal(`${kind} ${expiresAt} ${id}`).toString('base64url');
}

/** The id that a token is for; null for what we did not make, or what is too old. */
export function readLinkToken(
  sealer: Sealer,
  kind: string,
  { token, now }: { token: string; now: number },
): string | null {
  if (token.length > TOKEN_LENGTH_MAX || !/^[\w-]+$/.test(token)) return null;
  const text = opened(sealer, token);
  if (!text.startsWith(`${kind} `)) return null;
  const [expiresAt = '', id = ''] = text.slice(kind.length + 1).split(' ');
  return now < Number(expiresAt) ? id : null;
}

function opened(sealer: Sealer, token: string): string {
  try {
    return sealer.open(Buffer.from(token, 'base64url'));
  } catch {
    return '';
  }
}
