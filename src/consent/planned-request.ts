import type { Attribution } from '../attribution/attribution.ts';
import type { AccountId, ContactId, LineId, PermissionRequestId } from '../platform/ids.ts';
import type { Refusal } from '../platform/refusal.ts';
import type { PlannedStatus } from './request-types.ts';

/**
 * A question that is to be asked later. It is a row and nothing else: no permission, no promise of
 * the gate. Template, arm and gate are looked at when it is planned, so that what cannot be is said
 * at once, and again at the moment of asking, which alone decides. Once asked it is a permission
 * request of the same id.
 */
export type PlannedRequest = {
  id: PermissionRequestId;
  accountId: AccountId;
  contactId: ContactId;
  lineId: LineId;
  status: PlannedStatus;
  wish: PlannedWish;
  /** As it would go out at the time of planning; the moment of asking words it anew. */
  language: string;
  text: string;
  attribution: Attribution | null;
  /** The first time that was wished for, and when it is tried next. */
  plannedFor: number;
  dueAt: number;
  plannedAt: number;
  /** Why it is not asked: cancelled, or refused at its time. */
  end: { code: string; message: string; fix: string; at: number } | null;
};

/** What was wished for, before any arm changed it. */
export type PlannedWish = {
  purpose: string;
  /** How to address the customer; null where nobody said. */
  name: string | null;
  template: string;
  language: string | null;
  /** Of the template; null: name and purpose. */
  variables: readonly string[] | null;
  promisedAt: number | null;
  experimentId: string | null;
  attribution: Attribution | null;
  actor: string;
};

/** How far ahead a question may be planned; further than that the reason for a call is guessed. */
export const PLAN_AHEAD_MS = 90 * 24 * 60 * 60 * 1000;
/** So long after its time a question is still asked; the same hour of the next day fits in. */
const LATE_MS = 26 * 60 * 60 * 1000;
/** Passes by itself, although nobody can say when. */
const PASSING: Readonly<Record<string, number>> = {
  account_stopped: 60_000,
  line_paused: 15 * 60_000,
};

/** The last instant for it: asking after the promised time would promise what is over. */
export function latestOf({
  plannedFor,
  wish,
}: Pick<PlannedRequest, 'plannedFor' | 'wish'>): number {
  return Math.min(plannedFor + LATE_MS, wish.promisedAt ?? Infinity);
}

/** When a question that was refused at its time is tried again; null: it is given up. */
export function triedAgainAt(
  planned: Pick<PlannedRequest, 'plannedFor' | 'wish'>,
  { code, allowedAt }: Refusal,
  now: number,
): number | null {
  const passesMs = PASSING[code];
  const laterAt = allowedAt ?? (passesMs === undefined ? null : now + passesMs);
  if (laterAt === null || laterAt <= now) return null;
  return laterAt <= latestOf(planned) ? laterAt : null;
}
