import { statement } from '../../src/database/database.ts';
import type { Story } from '../harness.ts';

/**
 * A day under a clock that moves by hand: in small steps where something lives, and in one leap
 * to the next thing that is due where nothing does. The rows are the schedule, so they tell.
 */
const STEP_MS = 250;
/** Campaigns look again at their own rhythm as long as they run. */
const LEAP_MAX_MS = 300_000;

type Due = { next: number | null; live: number; waiting: number };

const NEXT = statement<Due>(
  'day_next_due',
  `select extract(epoch from least(
      (select min(due_at) from calls where status = 'queued'),
      (select min(wakes_at) from consents),
      (select min(due_at) from messages where status = 'queued'),
      (select min(due_at) from journey_runs where status = 'live'),
      (select min(next_attempt_at) from deliveries where status = 'pending')))::float8 * 1000
      as next,
    (select count(*) from calls where status not in ('queued', 'ended'))::int
      + (select count(*) from messages where status = 'sending')::int as live,
    (select count(*) from whatsapp_inbox where state = 'pending')::int as waiting`,
);

/** Plays until `end`; `onStep` is called now and then with the virtual time. */
export async function playUntil(
  story: Story,
  end: number,
  onStep: (now: number) => Promise<void> | void,
): Promise<void> {
  let idle = 0;
  while (story.clock.now() < end) {
    const now = story.clock.now();
    const due = await story.database.first(NEXT);
    const next = Math.min(due?.next ?? Infinity, story.nextByOthers());
    const isBusy = (due?.live ?? 0) > 0 || (due?.waiting ?? 0) > 0 || next <= now;
    // A row that stays due waits for a poll, and a poll for the clock.
    idle = isBusy ? 0 : idle + 1;
    const byMs = idle < 2 ? STEP_MS : Math.min(Math.max(next - now, STEP_MS), LEAP_MAX_MS);
    await story.leap(Math.ceil(Math.min(byMs, end - now)));
    await onStep(story.clock.now());
  }
}
