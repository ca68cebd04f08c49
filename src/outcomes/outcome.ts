import * as z from 'zod';
import type { AccountId, CallId, ContactId } from '../platform/ids.ts';

/**
 * What came of a call, in the words of whoever spoke: a code of the account's own list and a note.
 * It may be written while the call lives and be corrected after; the ledger keeps every version.
 * How the call ended is not for anybody to write: that is the call's own `outcome` in the CDR.
 */
export type AgentOutcome = {
  callId: CallId;
  accountId: AccountId;
  contactId: ContactId;
  /** 1 and up; each change is a version. */
  version: number;
  outcome: string | null;
  note: string | null;
  /** Who wrote it, as the ledger names actors. */
  actor: string;
  setAt: number;
};

export const OUTCOME_LIMITS = { codes: 50, labelLength: 60, noteLength: 2_000 } as const;

export const outcomeCode = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,39}$/, 'begins with a small letter, then small letters, digits or _');

export const outcomeListSchema = z
  .array(
    z.strictObject({
      code: outcomeCode,
      label: z
        .string()
        .min(1)
        .max(OUTCOME_LIMITS.labelLength)
        .regex(/^\P{Cc}*$/u, 'has no control characters'),
    }),
  )
  .min(1)
  .max(OUTCOME_LIMITS.codes)
  .refine((list) => new Set(list.map(({ code }) => code)).size === list.length, {
    message: 'has each code once',
  });
export type OutcomeList = z.infer<typeof outcomeListSchema>;

/** To begin with; an account replaces it by its own. */
const DEFAULT_OUTCOMES: OutcomeList = Object.entries({
  resolved: 'Resolved',
  follow_up: 'Follow-up needed',
  callback_wanted: 'Wants another call',
  not_interested: 'Not interested',
  wrong_person: 'Wrong person',
  other: 'Other',
}).map(([code, label]) => ({ code, label }));

export function outcomeListOf(stored: unknown): OutcomeList {
  const parsed = outcomeListSchema.safeParse(stored);
  return parsed.success ? parsed.data : DEFAULT_OUTCOMES;
}
