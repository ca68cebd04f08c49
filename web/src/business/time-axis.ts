import type { CallView } from '../../../src/http/api-types.ts';
import { entryWords, type HistoryEntry } from './history.ts';

/** Who had the say in a step; the lanes of the picture, from consent down to events. */
export type Lane = 'consent' | 'policy' | 'call' | 'whatsapp' | 'endpoint' | 'media' | 'events';

export const LANE_NAMES: Record<Lane, string> = {
  consent: 'Consent',
  policy: 'Policy',
  call: 'Askfirst',
  whatsapp: 'WhatsApp',
  endpoint: 'Endpoint',
  media: 'Media',
  events: 'Events',
};

/** By the names of ledger entries; the first match counts, the rest are steps of Askfirst. */
const LANE_MARKS: ReadonlyArray<readonly [RegExp, Lane]> = [
  [/^(Permission|Consent|OptedOut|OptOut|DoNotCall|Contact)/, 'consent'],
  [/Blocked|Refused|^Policy|^Gate/, 'policy'],
  [/Media|Bridged|Digits/, 'media'],
  [/^Endpoint/, 'endpoint'],
  [/^Call(Initiated|Ringing|Answered|Rejected|Terminated|DialUnknown)$/, 'whatsapp'],
  [/^Call/, 'call'],
  [/^(Delivery|Webhook|Event)|^[a-z]+\.[a-z.]+$/, 'events'],
];

export function laneOf(entry: Pick<HistoryEntry, 'type'>): Lane {
  return LANE_MARKS.find(([mark]) => mark.test(entry.type))?.[1] ?? 'call';
}

export type AxisMark = { key: string; lane: Lane; words: string; share: number };

/** A stretch of the call; `from` and `to` are shares of the axis, 0 to 1. */
export type AxisStretch = { phase: 'dialling' | 'ringing' | 'talking'; from: number; to: number };

export type TimeAxis = {
  startMs: number;
  lengthMs: number;
  lanes: Lane[];
  marks: AxisMark[];
  stretches: AxisStretch[];
};

const AXIS_MS_MIN = 1_000;

/**
 * Lays a call and its history on one axis from the request to the last thing that happened (or
 * to now, while it lives). What came before the request stands at its start.
 */
export function timeAxis(call: CallView, entries: readonly HistoryEntry[], now: number): TimeAxis {
  const startMs = Date.parse(call.requestedAt);
  const latest = Math.max(
    call.endedAt === null ? now : Date.parse(call.endedAt),
    ...entries.map((entry) => Date.parse(entry.at)),
  );
  const lengthMs = Math.max(AXIS_MS_MIN, latest - startMs);
  const share = (atMs: number): number => Math.min(1, Math.max(0, (atMs - startMs) / lengthMs));
  const marks = entries.map((entry) => ({
    key: entry.key,
    lane: laneOf(entry),
    words: entryWords(entry),
    share: share(Date.parse(entry.at)),
  }));
  const used = new Set(marks.map((mark) => mark.lane));
  const lanes = (Object.keys(LANE_NAMES) as Lane[]).filter((lane) => used.has(lane));
  return { startMs, lengthMs, lanes, marks, stretches: stretchesOf(call, share, latest) };
}

function stretchesOf(
  call: CallView,
  share: (atMs: number) => number,
  latest: number,
): AxisStretch[] {
  const endMs = call.endedAt === null ? latest : Date.parse(call.endedAt);
  const turns = [
    { phase: 'dialling', atMs: Date.parse(call.requestedAt) },
    { phase: 'ringing', atMs: call.ringingAt === null ? null : Date.parse(call.ringingAt) },
    { phase: 'talking', atMs: call.answeredAt === null ? null : Date.parse(call.answeredAt) },
  ] as const;
  const known = turns.flatMap((turn) => (turn.atMs === null ? [] : [{ ...turn, atMs: turn.atMs }]));
  return known.map((turn, i) => ({
    phase: turn.phase,
    from: share(turn.atMs),
    to: share(known[i + 1]?.atMs ?? endMs),
  }));
}
