import type { CallEvent, CallState } from './call.ts';

/** What is to be recorded of a wait for agents: its beginning and its end, not every look. */
export function waitEvents({ facts }: CallState, missing: boolean, now: number): CallEvent[] {
  const waits = facts.wait?.to === null;
  if (waits === missing) return [];
  if (missing) return [{ type: 'CallWaits', at: now, code: 'agents_unavailable' }];
  return [{ type: 'CallWaitEnded', at: now }];
}

/** Why a call that was never dialled is too late: what it waited for, if it did. */
export function lateReason({ facts }: CallState, lapse = 'too_late'): string {
  return facts.wait?.to === null ? facts.wait.code : lapse;
}

/** Meta's word counts from here on: one from before the wait may have grown old in it. */
export function readyAt({ plan, facts }: CallState, now: number): number {
  return facts.wait === undefined ? plan.dueAt : Math.max(plan.dueAt, facts.wait.to ?? now);
}
