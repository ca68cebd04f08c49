import type { Queryable } from '../database/database.ts';
import type { CallView } from '../http/api-types.ts';
import type { AccountId } from '../platform/ids.ts';
import { heldByPace } from '../schedule/pacing-lookup.ts';
import type { CallState } from './call.ts';
import { callView } from './call-views.ts';
import { dueCallOf } from './due-store.ts';

/** A call that was due so short a time ago is not waiting; it is being dialled. */
const JUST_DUE_MS = 500;

/** Calls of one account as they are shown, with what those wait for that limits hold back. */
export async function viewsOfCalls(
  db: Queryable,
  accountId: AccountId,
  states: readonly CallState[],
  now: number,
): Promise<CallView[]> {
  return withPaceWaits(
    db,
    accountId,
    states.map((state) => ({ state, view: callView(state) })),
    now,
  );
}

/** The same where the views are made already. */
export async function withPaceWaits<View extends CallView>(
  db: Queryable,
  accountId: AccountId,
  calls: ReadonlyArray<{ state: CallState; view: View }>,
  now: number,
): Promise<View[]> {
  const due = calls.filter(
    ({ state, view }) =>
      state.status === 'queued' && view.waitsFor === null && state.plan.dueAt + JUST_DUE_MS <= now,
  );
  const waiting = due.map(({ state }) => dueCallOf(state));
  const isHeld = waiting.length === 0 ? null : await heldByPace(db, accountId, waiting);
  return calls.map((call) => {
    const { state, view } = call;
    const held = isHeld !== null && due.includes(call) && isHeld(dueCallOf(state));
    return held ? { ...view, waitsFor: 'held_by_pacing' } : view;
  });
}
