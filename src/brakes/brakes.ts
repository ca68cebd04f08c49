import * as z from 'zod';
import type { Measures } from '../kpis/kpis.ts';
import type { AccountId, LineId } from '../platform/ids.ts';

/**
 * Brakes: a line's rolling rates do more than make charts. Where one is worse than its limit, and
 * not just by bad luck, the line goes slower; where it is far worse, the line stops asking and
 * calling, before Meta restricts it. A slowed line goes on by itself once its rates are good
 * again; a paused one makes no news that could prove that, so a person lets it go on.
 */
export const BRAKE_NAMES = [
  'grant_rate',
  'answer_rate',
  'opt_out_rate',
  'unanswered_streaks',
  'red_templates',
] as const;
export type BrakeName = (typeof BRAKE_NAMES)[number];

/** Which side of its limits is bad: below for what should be many, above for what should be few. */
export const BAD_SIDE: Readonly<Record<BrakeName, 'below' | 'above'>> = {
  grant_rate: 'below',
  answer_rate: 'below',
  opt_out_rate: 'above',
  unanswered_streaks: 'above',
  red_templates: 'above',
};

const share = z.number().min(0).max(1);
const floors = z
  .strictObject({
    slow: share.describe('Below it the line is slowed.'),
    pause: share.describe('Below it the line is paused.'),
  })
  .refine(({ slow, pause }) => pause <= slow, 'pauses only below the floor that slows');
const ceilings = z
  .strictObject({
    slow: share.describe('Above it the line is slowed.'),
    pause: share.describe('Above it the line is paused.'),
  })
  .refine(({ slow, pause }) => pause >= slow, 'pauses only above the ceiling that slows');

/** What an account sets; a rate that is null does not brake. */
export const brakeSettingsSchema = z.strictObject({
  enabled: z.boolean().default(true),
  windowHours: z
    .int()
    .min(1)
    .max(168)
    .default(24)
    .describe('How far back rates are counted, in whole hours.'),
  minSample: z
    .int()
    .min(10)
    .max(100_000)
    .default(50)
    .describe('With fewer answers, calls or requests than this a rate says nothing.'),
  slowFactor: z
    .number()
    .min(0.01)
    .max(1)
    .default(0.25)
    .describe('A slowed line runs at this share of its busiest hour of the window.'),
  grant_rate: floors.nullable().default({ slow: 0.4, pause: 0.2 }),
  answer_rate: floors.nullable().default({ slow: 0.5, pause: 0.3 }),
  opt_out_rate: ceilings.nullable().default({ slow: 0.05, pause: 0.1 }),
  unanswered_streaks: ceilings.nullable().default({ slow: 0.2, pause: 0.4 }),
  red_templates: ceilings
    .nullable()
    .default({ slow: 0, pause: 1 })
    .describe('Requests sent with templates whose quality Meta rates RED; slows, never pauses.'),
});

export type BrakeSettings = z.infer<typeof brakeSettingsSchema>;

/** What is stored for an account, or the defaults; what cannot be read brakes as by default. */
export function brakeSettingsOf(stored: unknown): BrakeSettings {
  const read = brakeSettingsSchema.safeParse(stored ?? {});
  return read.success ? read.data : brakeSettingsSchema.parse({});
}

/** What one rate says of a line now. */
export type Finding = {
  brake: BrakeName;
  numerator: number;
  denominator: number;
  value: number | null;
  /** Where the true rate lies almost certainly; null without anything to divide by. */
  interval: { low: number; high: number } | null;
  slow: number;
  pause: number;
  /**
   * `too_few`: the sample is too small to say anything. `unclear`: on the bad side of the limit,
   * but that may be bad luck.
   */
  verdict: 'good' | 'unclear' | 'too_few' | 'slow' | 'pause';
};

export const LINE_STATES = ['free', 'slowed', 'paused'] as const;
export type LineState = (typeof LINE_STATES)[number];

export type SlowPace = { callsPerSecond: number; requestsPerSecond: number };

/** How a line is braked, and why. */
export type LineBrake = {
  accountId: AccountId;
  lineId: LineId;
  state: LineState;
  /** Since when; null where it never braked. */
  since: number | null;
  because: readonly Finding[];
  /** `platform`, or who let it go on. */
  actor: string;
  reason: string | null;
  /** Only what was asked and dialled from then on is judged; null for all of the window. */
  countFrom: number | null;
  pace: SlowPace | null;
};

/** A line that never braked. */
export function freeBrake(accountId: AccountId, lineId: LineId): LineBrake {
  const nothing = { because: [], reason: null, countFrom: null, pace: null, since: null };
  return { accountId, lineId, state: 'free', actor: 'platform', ...nothing };
}

/** What a line did in one hour of the window. */
export type HourOfLine = { at: number; measures: Measures };
