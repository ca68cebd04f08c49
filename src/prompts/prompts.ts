import { Failure } from '../platform/failure.ts';

/** Sounds of the business: what may be uploaded, and what may be synthesised. */
export const PROMPT_LIMITS = {
  /** A hundred seconds of stereo at 48 kHz. */
  bytes: 20 * 1024 * 1024,
  durationMs: 180_000,
  durationMinMs: 20,
  /** Of one account. */
  count: 500,
  spokenMs: 120_000,
} as const;

/** What is played is 48 kHz, one channel, 20 ms at a time. */
export const SOUND_RATE = 48_000;
export const FRAME_SAMPLES = SOUND_RATE / 50;

/** Sound as numbers: one channel, 16 bits. */
export type Pcm = { samples: Int16Array; rate: number };

/** A file that is not what it says, or not what is taken here. */
export function unusablePrompt(reason: string): Failure {
  return new Failure({
    code: 'prompt_unusable',
    message: `This sound cannot be used: ${reason}.`,
    fix: 'Send a WAV file (PCM, 8 to 48 kHz, mono or stereo) or Ogg Opus, of at most 3 minutes.',
    verdict: 'terminal',
    side: 'client',
  });
}
