import type { Limits } from './limits.ts';
import type { OwnLimits } from './own-limits.ts';

/**
 * Which of its own limits change nothing, because a layer beside them is as strict or stricter.
 * Nothing breaks by them; but whoever sets one may believe to have loosened a rule.
 */
export type IdleLimit = { field: keyof OwnLimits; because: string };

/** `beside` are the layers that bind as well, with their names. */
export function idleLimits(
  own: OwnLimits,
  beside: ReadonlyArray<{ name: string; limits: Limits }>,
): IdleLimit[] {
  const fields = Object.keys(own) as Array<keyof OwnLimits>;
  return fields.flatMap((field) => {
    if (own[field] === null) return [];
    const stricter = beside.find(({ limits }) => IDLE[field]?.(own, limits) ?? false);
    return stricter === undefined ? [] : [{ field, because: stricter.name }];
  });
}

type IsIdle = (own: OwnLimits, other: Limits) => boolean;
type Cap = { max: number; windowMs: number };

/** Hours are left out: two tables are rarely one inside the other, and all of them bind. */
const IDLE: Readonly<Partial<Record<keyof OwnLimits, IsIdle>>> = {
  callWithinMs: ({ callWithinMs }, { promise }) =>
    promise !== undefined && (callWithinMs ?? 0) >= promise.unpromisedMs,
  refusalLockMs: ({ refusalLockMs }, { refusalLock }) =>
    refusalLock !== undefined && (refusalLockMs ?? Infinity) <= refusalLock.lockMs,
  lineCallsMax: ({ lineCallsMax }, { lineCalls }) =>
    lineCalls !== undefined && (lineCallsMax ?? 0) >= lineCalls.concurrentMax,
  unanswered: ({ unanswered }, { unanswered: other }) =>
    unanswered !== null &&
    other !== undefined &&
    unanswered.stopAt >= other.stopAt &&
    unanswered.restMs <= other.restMs &&
    unanswered.hardStopAt >= other.hardStopAt,
  callCaps: ({ callCaps }, { frequency = [] }) =>
    areIdle(
      (callCaps ?? []).map(({ callsMax: max, windowMs }) => ({ max, windowMs })),
      frequency.map(({ callsMax: max, windowMs }) => ({ max, windowMs })),
    ),
  requestCaps: ({ requestCaps }, { requests = [] }) =>
    areIdle(
      (requestCaps ?? []).map(({ requestsMax: max, windowMs }) => ({ max, windowMs })),
      // A count that a connected call sets back says less than one that only a yes does.
      requests
        .filter(({ resetBy }) => resetBy === 'yes')
        .map(({ requestsMax: max, windowMs }) => ({ max, windowMs })),
    ),
};

/** Fewer within a longer time says more. */
function areIdle(own: readonly Cap[], others: readonly Cap[]): boolean {
  return own.every(({ max, windowMs }) =>
    others.some((other) => other.max <= max && other.windowMs >= windowMs),
  );
}
