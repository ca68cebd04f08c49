/**
 * Law overlays: dated data files beside the base packs, one per law and year. An overlay only
 * narrows; it is chosen by the customer's number, not by the business.
 *
 * Files are `packs/law-*.json`. `bin/askfirst policy check` reads each and runs its vectors.
 */
import * as z from 'zod';
import { limitsSchema } from './limits.ts';
import { REFUSAL_CODES } from './refusal-codes.ts';

/** What a law may limit; the other limits are Meta's or the house's. */
const lawLimits = limitsSchema.pick({
  callingWindows: true,
  holidays: true,
  requestQuietHours: true,
  frequency: true,
  refusalLock: true,
});

/** A case against this overlay alone: everything else about the call or request is in order. */
const overlayVector = z.strictObject({
  title: z.string().min(1),
  kind: z.enum(['call', 'request']),
  /** The customer's number in E.164. */
  customer: z.string(),
  /** The instant, with offset: "2026-03-02T09:59:59+01:00". */
  at: z.iso.datetime({ offset: true }),
  /** Ages of earlier calls to the person, in ms. */
  callAgesMs: z.array(z.int().nonnegative()).optional(),
  /** How long ago the person said no, in ms. */
  refusedAgeMs: z.int().nonnegative().optional(),
  /** The operator knows the zone better than the number does. */
  timeZone: z.string().optional(),
  /** The code of the refusal, or null when this overlay allows it. */
  code: z.enum(REFUSAL_CODES).nullable(),
  /** When it would be allowed; checked where given. */
  allowedAt: z.iso.datetime({ offset: true }).nullable().optional(),
});

export const lawOverlaySchema = z.strictObject({
  name: z.string().regex(/^law-[a-z0-9-]+$/),
  title: z.string().min(1),
  date: z.iso.date(),
  source: z.strictObject({ title: z.string().min(1), url: z.url() }),
  appliesTo: z
    .strictObject({
      /** ISO 3166-1 alpha-2 of the customer's number. */
      countries: z.array(z.string().regex(/^[A-Z]{2}$/)),
      /** US states, by `statesOfNumber` of `hours/number-zones.ts`: "FL". */
      states: z.array(z.string().regex(/^[A-Z]{2}$/)).default([]),
      /** Beginnings of numbers: "+1305". */
      prefixes: z.array(z.string().regex(/^\+[1-9]\d{1,8}$/)),
      /** Every customer to whom no other overlay applies. */
      elsewhere: z.boolean(),
    })
    .refine(
      (it) => it.elsewhere || it.countries.length + it.states.length + it.prefixes.length > 0,
      'an overlay applies somewhere',
    ),
  /** Whether a customer's own yes lifts the windows (never the caps and locks). */
  consentLiftsWindow: z.boolean().default(false),
  limits: lawLimits.refine(
    (limits) => limits.holidays === undefined || limits.callingWindows !== undefined,
    'holidays need calling windows',
  ),
  /** What the file cannot tell or leaves out, for whoever relies on it. */
  remarks: z.array(z.string().min(1)).default([]),
  vectors: z.array(overlayVector).min(1),
});
export type LawOverlay = z.infer<typeof lawOverlaySchema>;
export type OverlayVector = LawOverlay['vectors'][number];
