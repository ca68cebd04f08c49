import type { AccountId } from '../platform/ids.ts';

/**
 * What goes first among all calls that wait. The rows of `calls` are the schedule; nothing in here
 * decides whether a call is allowed, for that is the gate's, at the dial.
 */

/** 0 to 9; 9 goes first among the calls that are due. */
export const PRIORITY_MAX = 9;
export const DEFAULT_PRIORITY = 5;

/** How calls are sorted: 0 goes first. Ranks under that of the default have an index. */
export function rankOf(priority: number = DEFAULT_PRIORITY): number {
  return PRIORITY_MAX - priority;
}

/** What pacing may be set for. */
export const PACING_SCOPES = ['account', 'line', 'endpoint', 'campaign'] as const;
export type PacingScope = (typeof PACING_SCOPES)[number];

/** The operator by REST, or a brake by itself; of the two the stricter one holds. */
export const PACE_SETTERS = ['operator', 'brake'] as const;
export type PaceSetter = (typeof PACE_SETTERS)[number];

/** How fast calls may follow one another, and how many may be live at a time; null: no limit. */
export type Pace = { callsPerSecond: number | null; concurrentCalls: number | null };

/** What a limit is for: the id of an account, line, endpoint or campaign. */
export type PacedId = { scope: PacingScope; id: string };

export type PacingLimit = Pace &
  PacedId & {
    accountId: AccountId;
    setBy: PaceSetter;
    /** Why a brake set it; null of the operator's own. */
    reason: string | null;
    updatedAt: number;
  };

export const CALLS_PER_SECOND_MIN = 0.001;
export const CALLS_PER_SECOND_MAX = 10_000;
export const CONCURRENT_CALLS_MAX = 100_000;
