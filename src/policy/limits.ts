/**
 * Limits that any layer of rules may set: a base pack, a law overlay, the settings of an account.
 * Each layer sets those it has something to say about; the strictest wins, because a call is
 * allowed only where every layer allows it.
 */
import * as z from 'zod';

/** Where a value comes from, so that each verdict can name it. */
export const ruleSource = z.strictObject({
  /** The heading of the source page or the section of the law; or "House rule". */
  section: z.string().min(1),
  sentence: z.string().min(1),
  /** Year and month in which the sentence stood there. */
  seen: z.string().regex(/^\d{4}-\d{2}$/),
});
export type RuleSource = z.infer<typeof ruleSource>;

export const WEEKDAYS = [
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
  'sunday',
] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** "08:00"; "24:00" only as an end. */
const clockTime = z.string().regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/);

/** From the first time of day until just before the second, at the customer's place. */
const timeSpan = z
  .tuple([clockTime, clockTime])
  .refine(([from, until]) => from < until, 'a span ends after it begins, on the same day');
export type TimeSpan = z.infer<typeof timeSpan>;

const weekTable = z.strictObject({
  /** The local date from which this table replaces the one before; null for the first. */
  validFrom: z.iso.date().nullable(),
  /** An empty list is a day without calls; two spans are a day with a pause. */
  days: z.record(z.enum(WEEKDAYS), z.array(timeSpan)),
  source: ruleSource,
});

/** When calls may be placed, by the customer's clock; oldest table first. */
export const callingWindows = z
  .array(weekTable)
  .min(1)
  .refine(
    (tables) =>
      tables.every(({ validFrom }, i) => {
        const before = tables[i - 1]?.validFrom;
        return i === 0 || (validFrom !== null && (before ?? '') < validFrom);
      }),
    'tables stand in the order of their dates',
  );
export type CallingWindows = z.infer<typeof callingWindows>;

const holiday = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('fixed'),
    name: z.string().min(1),
    month: z.int().min(1).max(12),
    day: z.int().min(1).max(31),
  }),
  /** Days after Easter Sunday of the western churches; Good Friday is -2. */
  z.strictObject({
    kind: z.literal('easter'),
    name: z.string().min(1),
    offset: z.int().min(-60).max(60),
  }),
  /** The nth such weekday of a month; -1 is the last one. */
  z.strictObject({
    kind: z.literal('weekday'),
    name: z.string().min(1),
    month: z.int().min(1).max(12),
    weekday: z.enum(WEEKDAYS),
    nth: z.int().min(-1).max(5),
  }),
  z.strictObject({ kind: z.literal('dated'), name: z.string().min(1), date: z.iso.date() }),
]);

export const holidayRule = z.strictObject({
  days: z.array(holiday).min(1),
  /** Days that had to be looked up are known until then; later ones count as holidays. */
  listedUntil: z.iso.date().optional(),
  /** The spans of such a day instead of its weekday's; empty: no calls at all. */
  spans: z.array(timeSpan),
  source: ruleSource,
});
export type HolidayRule = z.infer<typeof holidayRule>;

/** No window is longer than what the history of a contact remembers. */
export const HISTORY_KEPT_MS = 92 * 86_400_000;
const rollingWindow = z.int().positive().max(HISTORY_KEPT_MS);

/** At most so many calls to one person, from all lines of the account together. */
export const frequencyCap = z.strictObject({
  callsMax: z.int().positive().max(200),
  windowMs: rollingWindow,
  source: ruleSource,
});

/** At most so many requests to one person by one line, counted since `resetBy`. */
export const requestCap = z.strictObject({
  requestsMax: z.int().positive().max(100),
  windowMs: rollingWindow,
  resetBy: z.enum(['yes', 'connected_call']),
  source: ruleSource,
});

export const limitsSchema = z.strictObject({
  callingWindows: callingWindows.optional(),
  /** Needs `callingWindows`: it says what else holds on such days. */
  holidays: holidayRule.optional(),
  /** No permission request from the first until the second time of day; may pass midnight. */
  requestQuietHours: z
    .strictObject({ from: clockTime, until: clockTime, source: ruleSource })
    .refine(({ from, until }) => from !== until, 'quiet hours have a length')
    .optional(),
  frequency: z.array(frequencyCap).max(8).optional(),
  /** MARKETING requests only to customers who were heard on the line so lately. */
  marketing: z.strictObject({ windowMs: rollingWindow, source: ruleSource }).optional(),
  /** After a no, so long without call and request, unless the person says yes later. */
  refusalLock: z.strictObject({ lockMs: rollingWindow, source: ruleSource }).optional(),
  requests: z.array(requestCap).max(8).optional(),
  /** Calls that were picked up, to one person by one line. */
  connectedCalls: z
    .strictObject({
      callsMax: z.int().positive().max(200),
      windowMs: rollingWindow,
      source: ruleSource,
    })
    .optional(),
  /** When the call may come, counted from the yes or from the time that was promised. */
  promise: z
    .strictObject({
      /** After the yes, where no time was promised. */
      unpromisedMs: z.int().positive(),
      /** So much earlier and later than the promised time still counts as kept. */
      earlyMs: z.int().nonnegative(),
      lateMs: z.int().positive(),
      source: ruleSource,
    })
    .optional(),
  /** Unanswered calls in a row to one person by one line. */
  unanswered: z
    .strictObject({
      warnAt: z.int().positive(),
      /** From here on a rest, before the next try. */
      stopAt: z.int().positive(),
      restMs: rollingWindow,
      /** From here on none, until a call connects; below the number at which Meta revokes. */
      hardStopAt: z.int().positive().max(9),
      source: ruleSource,
    })
    .refine((it) => it.warnAt <= it.stopAt && it.stopAt <= it.hardStopAt, 'warn, stop, hard stop')
    .optional(),
  /** Live calls of one line at a time. */
  lineCalls: z.strictObject({ concurrentMax: z.int().positive(), source: ruleSource }).optional(),
});
export type Limits = z.infer<typeof limitsSchema>;
