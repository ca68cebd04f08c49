import { statement } from '../../src/database/database.ts';
import type { Story } from '../harness.ts';

/**
 * A day under a clock that moves by hand: in steps of a second where something lives, and in one
 * leap to the next thing that is due where nothing does. The rows are the schedule, so they tell.
 * What many people do within the same second happens in one step, so that a step's cost (the
 * product's polls, mostly) is shared by all of them, and the product has work for its batches.
 */
const STEP_MS = 1_000;
/** Campaigns look again at their own rhythm as long as they run. */
const LEAP_MAX_MS = 300_000;

type Due = { next: number | null; live: boolean };

/** Each part by an index: this is asked at every step. */
const NEXT = statement<Due>(
  'day_next_due',
  `select extract(epoch from least(
      (select min(due_at) from calls where phase = 'queued'),
      (select min(w.wakes_at) from generate_series(0, 63) b cross join lateral (
         select wakes_at from consents where bucket = b and wakes_at is not null
          order by wakes_at limit 1) w),
      (select min(due_at) from messages where status = 'queued'),
      (select min(r.due_at) from generate_series(0, 63) b cross join lateral (
         select due_at from journey_runs where bucket = b and status = 'live'
          order by due_at, id limit 1) r),
      (select min(next_attempt_at) from deliveries where status = 'pending')))::float8 * 1000
      as next,
    exists (select from calls where phase = 'live')
      or exists (select from messages where status = 'sending')
      or exists (select from whatsapp_inbox where state = 'pending') as live`,
);

/** One step or leap, not past `end`; returns how many steps in a row had nothing to do. */
export async function playOn(story: Story, end: number, idle: number): Promise<number> {
  const now = story.clock.now();
  const due = await story.database.first(NEXT);
  const next = Math.min(due?.next ?? Infinity, story.nextByOthers());
  const isBusy = due?.live === true || next <= now;
  // A row that stays due waits for a poll, and a poll for the clock.
  const idleSteps = isBusy ? 0 : idle + 1;
  const byMs = idleSteps < 2 ? STEP_MS : Math.min(Math.max(next - now, STEP_MS), LEAP_MAX_MS);
  await story.leap(Math.ceil(Math.min(byMs, end - now)));
  return idleSteps;
}
