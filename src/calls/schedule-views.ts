import type { CallView } from '../http/api-types.ts';
import { isoTime, isoTimeOrNull } from '../platform/clock.ts';
import type { Refusal } from '../platform/refusal.ts';
import type { Window } from '../schedule/planner.ts';
import type { CallingTimes } from './call-plan-commands.ts';
import { callView } from './call-views.ts';
import type { WaitingCall } from './waiting-store.ts';

/** A call that waits, as `GET /v1/scheduled-calls` lists it. */
export type ScheduledCallView = CallView & {
  /** When it is looked at next: its time, or soon where something is in its way. */
  lookAt: string;
};

export function scheduledCallView({ state, lookAt, waitsFor }: WaitingCall): ScheduledCallView {
  const view = callView(state);
  return { ...view, waitsFor: view.waitsFor ?? waitsFor, lookAt: isoTime(lookAt) };
}

/** When a customer may be called, as `/v1/calling-times` answers. */
export type CallingTimesView = {
  contactId: string | null;
  lineId: string;
  from: string;
  until: string;
  /** The minute that a call with this window would get. */
  best: string | null;
  items: Array<{ at: string; booked: number; capacity: number | null }>;
  /** Why there is no such minute. */
  refusal: {
    code: string;
    rule: string | null;
    message: string;
    fix: string;
    allowedAt: string | null;
    latestAt: string | null;
    alternatives: string[];
  } | null;
};

export function callingTimesView(
  whose: { contactId: string | null; lineId: string },
  window: Window,
  { items, best, refusal }: CallingTimes,
): CallingTimesView {
  return {
    ...whose,
    from: isoTime(window.from),
    until: isoTime(window.until),
    best: isoTimeOrNull(best),
    items: items.map((time) => ({ ...time, at: isoTime(time.at) })),
    refusal: refusal === null ? null : refusalView(refusal),
  };
}

function refusalView(refusal: Refusal): NonNullable<CallingTimesView['refusal']> {
  const { code, rule = null, message, fix, allowedAt, latestAt, evidence } = refusal;
  const alternatives = (evidence?.['alternatives'] ?? []) as string[];
  return {
    code,
    rule,
    message,
    fix,
    allowedAt: isoTimeOrNull(allowedAt ?? null),
    latestAt: isoTimeOrNull(latestAt ?? null),
    alternatives,
  };
}
