import { z } from 'zod';
import type { Window } from '../schedule/planner.ts';

/** How a request says when a call is to come: at a time, or within a window. */
const instant = z.iso.datetime({ offset: true });

export const scheduledAtField = instant
  .optional()
  .describe('When to dial; default: now. Refused when it would come too late.');

export const windowField = z
  .strictObject({
    from: instant.optional().describe('Default: now.'),
    until: instant.describe('The call is not dialled after it.'),
  })
  .refine(({ from, until }) => from === undefined || Date.parse(from) < Date.parse(until), {
    message: 'ends after it begins',
    path: ['until'],
  })
  .optional()
  .describe('Instead of scheduledAt: the best minute in here that every rule allows.');

export const onBlockedField = z
  .enum(['refuse', 'schedule'])
  .default('refuse')
  .describe('Where only time stands in the way: refuse, or dial as soon as it is allowed.');

type SaidTime = { scheduledAt?: unknown; window?: unknown };

/** For `.refine`: one of the two at most. */
export const saysOneTime = ({ scheduledAt, window }: SaidTime): boolean =>
  scheduledAt === undefined || window === undefined;
export const ONE_TIME = { message: 'is not given beside scheduledAt', path: ['window'] };

type SaidWindow = { from?: string | undefined; until: string };

/** A window in ms; one that names no beginning begins now. */
export function windowOf({ from, until }: SaidWindow, now: number): Window {
  return { from: from === undefined ? now : Date.parse(from), until: Date.parse(until) };
}
