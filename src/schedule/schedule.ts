import type { AccountId } from '../platform/ids.ts';

/**
 * When calls are dialled, among all that wait: what goes first, how fast, how many at a time. The
 * rows of `calls` are the schedule; nothing in here decides whether a call is allowed, for that is
 * the gate's, at the dial.
 */

/** 0 to 9; 9 goes first among the calls of its account that are due. */
export const PRIORITY_MAX = 9;
export const DEFAULT_PRIORITY = 5;

/** How calls are sorted: 0 goes first. */
export function rankOf(priority: number = DEFAULT_PRIORITY): number {
  return PRIORITY_MAX - priority;
}

/** What pacing may be set for. */
export const PACING_SCOPES = ['account', 'line', 'endpoint', 'campaign'] as const;
export type PacingScope = (typeof PACING_SCOPES)[number];

/** How fast and how many at a time; null is without end. */
export type PacingLimit = {
  accountId: AccountId;
  scope: PacingScope;
  /** The id of the account, line, endpoint or campaign. */
  id: string;
  callsPerSecond: number | null;
  concurrentCalls: number | null;
};

export const CALLS_PER_SECOND_MAX = 10_000;
export const CONCURRENT_CALLS_MAX = 100_000;
