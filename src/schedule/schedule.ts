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
