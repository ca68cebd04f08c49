import { z } from 'zod';
import type { Refusal } from '../platform/refusal.ts';
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
const CHECKLIST = [
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
export const warningSchema = z.object({
  warning: z.enum(['vague_purpose', 'long_gap']),
  message: z.string(),
  fix: z.string(),
});
export type PracticeWarning = z.infer<typeof warningSchema>;
export const warningsField = z
  .array(warningSchema)
  .optional()
  .describe('What GET /v1/practices holds you to, and this does not quite keep.');

/** The vague words of a purpose, or null where it says what the call is about. */
export function vagueWords(purpose: string): string | null {
  return VAGUE.exec(purpose)?.[0] ?? null;
}

const VAGUE_FIX =
  'Say what the call is about, such as "the delivery of your order", or change PUT /v1/practices.';

/** Why nobody may be asked or called for such a purpose, or null. */
export function vagueRefusal({ specificPurpose }: Practices, purpose: string): Refusal | null {
  const words = vagueWords(purpose);
  if (specificPurpose !== 'refuse' || words === null) return null;
  const message = `"${words}" does not tell a customer what the call is about.`;
  return { code: 'purpose_vague', message, fix: VAGUE_FIX };
}

export function vagueWarning(
  { specificPurpose }: Practices,
  purpose: string,
): PracticeWarning | null {
  const words = vagueWords(purpose);
  if (specificPurpose !== 'warn' || words === null) return null;
  const message = `"${words}" does not tell a customer what the call is about.`;
  return { warning: 'vague_purpose', message, fix: VAGUE_FIX };
}

const MINUTE_MS = 60_000;

/** Warns of a wait between the question, or the yes, and the call that is longer than is good. */
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
    message: `${minutes} minutes lie between the permission and the planned call.`,
    fix: 'Ask within minutes of the call: people expect it then, and the permission still holds.',
  };
}

/** Why somebody who starts a call by hand must answer first, or null. */
export function checklistRefusal(
  { checklist: wanted }: Practices,
  given: Checklist | undefined,
): Refusal | null {
  if (wanted !== 'require') return null;
  if (given !== undefined && CHECKLIST.some((question) => given[question])) return null;
  const code = 'checklist_unanswered';
  const answers = 'Send "checklist" with the answers to its four questions, or';
  return given === undefined
    ? {
        code,
        message: 'The account wants the four questions before a call answered.',
        fix: `${answers} change PUT /v1/practices.`,
      }
    : {
        code,
        message: 'None of the four questions speaks for a call.',
        fix: 'Send a message instead, or answer what speaks for the call.',
      };
}
