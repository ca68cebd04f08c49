import { z } from 'zod';
import { isoTime, isoTimeOrNull } from '../platform/clock.ts';
import type { RecordingLinks } from './recording-link.ts';
import type { Recording } from './recording.ts';

const instantOrNull = z.string().nullable().describe('RFC 3339, UTC');

/** How a call asks to be recorded. */
export const recordingWish = z
  .strictObject({
    announcement: z
      .enum(['played', 'by_business'])
      .default('played')
      .describe(
        'played: both hear an announcement before the first recorded sample. by_business: you ' +
          'told the person yourself; the ledger keeps that word. Played all the same where a ' +
          'law demands it.',
      ),
  })
  .describe('Record the call from the moment that the two hear each other. Default: no.');

/** What of a recording stands in a CDR and wherever it is only named. */
export const recordingBrief = z.object({
  id: z.string(),
  state: z
    .enum(['announcing', 'recording', 'paused', 'ready', 'failed', 'deleted'])
    .describe('Only `ready` can be heard; `reason` then says what cut it short, if anything.'),
  announced: z
    .enum(['played', 'by_business'])
    .describe('Who told the people: our announcement, or the business by its own word.'),
  startedAt: instantOrNull,
  endedAt: instantOrNull,
  durationMs: z.number().nullable(),
  reason: z
    .string()
    .nullable()
    .describe(
      'disk_full, disk_slow, disk_failed, too_long, announcement_failed, call_lost; of a deleted ' +
        'one who deleted it.',
    ),
});
export type RecordingBrief = z.infer<typeof recordingBrief>;

export const recordingSchema = recordingBrief.extend({
  callId: z.string(),
  links: z
    .object({
      ogg: z.string().describe('Ogg Opus, customer left, endpoint right.'),
      wav: z.string().describe('16 kHz PCM, customer left, endpoint right.'),
      expiresAt: z.string().describe('RFC 3339, UTC. Whoever has a link can listen until then.'),
    })
    .nullable(),
});
export type RecordingView = z.infer<typeof recordingSchema>;

export function recordingBriefOf(recording: Recording): RecordingBrief {
  const { id, state, announced, startedAt, endedAt, durationMs, reason } = recording;
  return {
    id,
    state,
    announced,
    startedAt: isoTimeOrNull(startedAt),
    endedAt: isoTimeOrNull(endedAt),
    durationMs,
    reason,
  };
}

export function recordingView(recording: Recording, links: RecordingLinks | null): RecordingView {
  const shown =
    links === null ? null : { ogg: links.ogg, wav: links.wav, expiresAt: isoTime(links.expiresAt) };
  return { ...recordingBriefOf(recording), callId: recording.callId, links: shown };
}
