import { isoTime } from '../../src/platform/clock.ts';
import type { World } from './world.ts';

/**
 * Calls that are planned and moved: to times and into windows, also in the moment in which they
 * fall due, and past every time that a permission could allow.
 */
const ONE_IN = 2;
const MINUTE_MS = 60_000;
/** Before the day is over, so that each has its turn and its end. */
const SPARE_MS = 30_000;
/** No window is longer than a call may be open at all. */
const WINDOW_MS = 10 * MINUTE_MS;
/** No permission of seven days is as old as that, and whoever said "always" is let go. */
const BEYOND_MS = 40 * 24 * 60 * MINUTE_MS;

/** When a call is to come; nothing for now, as for most. */
export function drawTime(world: World): object {
  // Where all come at once, and where all is fair, calls must overlap to meet the cap.
  if (world.callsAtOnce === 1 || world.frame.isFair) return {};
  return world.moves.below(ONE_IN) === 0 ? someTime(world) : {};
}

function someTime(world: World): object {
  const { moves, clock, frame } = world;
  const now = clock.now();
  const left = Math.max(1_000, frame.endsAt - SPARE_MS - now);
  // Most plans are for soon: there they race with the dial.
  const ahead = 1 + moves.below(moves.below(3) === 0 ? left : Math.min(left, MINUTE_MS));
  if (moves.below(2) === 0) return { scheduledAt: isoTime(now + ahead) };
  const until = isoTime(now + ahead + moves.below(Math.min(left, WINDOW_MS)));
  return { window: moves.below(2) === 0 ? { until } : { from: isoTime(now + ahead - 1), until } };
}

/** What a plan needs of the day: its hours, its API, and its count of what came of it. */
export type MovesPorts = {
  add: (at: number, act: () => void) => void;
  post: (path: string, body: object) => Promise<{ status: number } | null>;
  count: (isTaken: boolean) => void;
};

/** A planned call is moved once or more, until about the moment in which it is dialled. */
export function drawMoves(world: World, answer: string, ports: MovesPorts): void {
  const { moves, clock } = world;
  const { id, status, dueAt } = JSON.parse(answer) as Partial<Record<string, string>>;
  if (id === undefined || status !== 'queued' || dueAt === undefined) return;
  const waitsMs = Date.parse(dueAt) - clock.now();
  if (waitsMs <= 0) return;
  for (let left = 1 + moves.below(3); left > 0; left -= 1) {
    const at = clock.now() + moves.below(waitsMs + 1_000);
    const isBeyond = moves.below(3) === 0;
    ports.add(at, () => void move(world, id, isBeyond, ports));
  }
}

async function move(
  world: World,
  id: string,
  isBeyond: boolean,
  { post, count }: MovesPorts,
): Promise<void> {
  const beyond = { scheduledAt: isoTime(world.clock.now() + BEYOND_MS) };
  const moved = await post(`/v1/calls/${id}/reschedule`, isBeyond ? beyond : someTime(world));
  if (moved === null) return;
  const isTaken = moved.status === 200;
  count(isTaken);
  // It would be open at the end of the day.
  if (isTaken && isBeyond) await post(`/v1/calls/${id}/hangup`, {});
}
