import * as z from 'zod';
import { VAGUE } from '../templates/template-words.ts';

/**
 * The best practices of the product page as settings of an account, on unless it says otherwise:
 * state a specific purpose, ask right before you call, know why a call beats a message.
 */
const strictness = z.enum(['off', 'warn', 'refuse']);

export const practicesSchema = z.strictObject({
  specificPurpose: strictness
    .default('refuse')
    .describe('What happens with a purpose for "future calls" and the like.'),
  longGapMinutes: z
    .int()
    .min(5)
    .max(10_080)
    .nullable()
    .default(60)
    .describe('The answer warns when more lies between asking and calling; null never warns.'),
  checklist: z
    .enum(['off', 'ask', 'require'])
    .default('ask')
    .describe('Four questions before a call by hand: the page asks them, or the API insists.'),
});
export type Practices = z.infer<typeof practicesSchema>;

/** What cannot be read counts as not set: the defaults are the careful ones. */
export function practicesOf(stored: unknown): Practices {
  const parsed = practicesSchema.safeParse(stored ?? {});
  return parsed.success ? parsed.data : practicesSchema.parse({});
}

/** The page's questions, in its order. */
export const CHECKLIST = [
  'tooComplexForMessage',
  'needsImmediateHelp',
  'savesTime',
  'actionable',
] as const;

export const checklistSchema = z
  .strictObject({
    tooComplexForMessage: z.boolean().describe('Is it too complex for a message?'),
    needsImmediateHelp: z.boolean().describe('Does the customer need immediate assistance?'),
    savesTime: z.boolean().describe('Will a conversation save time for both?'),
    actionable: z.boolean().describe('Is there something actionable to discuss?'),
  })
  .describe('What the person who starts the call says; kept in the ledger.');
export type Checklist = z.infer<typeof checklistSchema>;

/** A hint in an answer that says yes all the same. */
export type PracticeWarning = { warning: string; message: string; fix: string };

/** The vague words of a purpose, or null where it says what the call is about. */
export function vagueWords(purpose: string): string | null {
  return VAGUE.exec(purpose)?.[0] ?? null;
}

const MINUTE_MS = 60_000;

/** Warns of a wait between the yes, or the question, and the call that is longer than is good. */
export function gapWarning(
  { longGapMinutes }: Practices,
  from: number,
  until: number | null,
): PracticeWarning | null {
  if (longGapMinutes === null || until === null) return null;
  const minutes = Math.round((until - from) / MINUTE_MS);
  if (minutes <= longGapMinutes) return null;
  return {
    warning: 'long_gap',
    message: `${minutes} minutes lie between asking and the planned call.`,
    fix: 'Ask within minutes of the call: people expect it then, and the permission still holds.',
  };
}

/** What is missing in the answers of somebody who starts a call by hand; null where all is well. */
export function checklistProblem(
  { checklist: wanted }: Practices,
  given: Checklist | undefined,
): string | null {
  if (wanted !== 'require') return null;
  if (given === undefined) return 'The account wants the four questions before a call answered.';
  const reasons = CHECKLIST.filter((question) => given[question]);
  return reasons.length > 0
    ? null
    : 'None of the four questions speaks for a call: send a message.';
}
