import { isId } from '../platform/ids.ts';
import * as sealed from '../platform/link-token.ts';
import type { Sealer } from '../platform/sealing.ts';
import type { RecordingId } from './recording.ts';

/**
 * The link with which a recording is heard without an API key, for a while: by a player, or by
 * the person who asked for a copy.
 */
export const LINK_MINUTES = 15;
/** A link in a copy for the person must last as long as they may take to open it. */
export const EXPORT_LINK_MINUTES = 7 * 24 * 60;

/** Tells our tokens from every other thing that the same key has sealed. */
const KIND = 'recording-link-1';

export function makeLinkToken(sealer: Sealer, id: RecordingId, expiresAt: number): string {
  return sealed.makeLinkToken(sealer, KIND, { id, expiresAt });
}

/** The recording that a token is for; null for what we did not make, or what is too old. */
export function readLinkToken(sealer: Sealer, token: string, now: number): RecordingId | null {
  const id = sealed.readLinkToken(sealer, KIND, { token, now });
  return id !== null && isId('recording', id) ? id : null;
}

export type RecordingLinks = { ogg: string; wav: string; expiresAt: number };

/** `base` is ours as the asking request saw it, or what the settings say. */
export function linksOf(
  sealer: Sealer,
  id: RecordingId,
  at: { base: string; now: number; minutes: number },
): RecordingLinks {
  const expiresAt = at.now + at.minutes * 60_000;
  const url = `${at.base.replace(/\/+$/, '')}/recordings/${makeLinkToken(sealer, id, expiresAt)}`;
  return { ogg: `${url}/audio.ogg`, wav: `${url}/audio.wav`, expiresAt };
}
