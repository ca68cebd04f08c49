import { INVARIANTS, type Violation } from './invariants.ts';
import { drawDay, type Day } from './day.ts';
import type { Mutation } from './mutations.ts';
import { readRows, scheduleOf } from './rows.ts';
import type { Stage } from './stage.ts';
import { openWorld, type World } from './world.ts';

/** Plays one seed to its end and looks at every step whether all that must hold holds. */
export type SeedResult = {
  seed: number;
  traceHash: string;
  isLong: boolean;
  steps: number;
  violations: Violation[];
  tail: readonly string[];
  counts: Counts;
};

/** What happened, so that nobody takes a day on which nothing happens for a proof. */
export type Counts = {
  dials: number;
  rings: number;
  /** Calls that a person answered. */
  talks: number;
  asked: number;
  grants: number;
  stops: number;
  crashes: number;
  refused: number;
  /** Planned calls that were moved, and moves that were refused. */
  moved: number;
  unmoved: number;
};

export type SeedOptions = {
  stage: Stage;
  seed: number;
  mutation?: Mutation | null;
  onLine?: ((line: string) => void) | null;
};

/** How long after something has happened the polls still run at their own rhythm. */
const AWAKE_MS = 300;
const LIVE_STEP_MS = 5_000;
/** Between looks at a row that is overdue; twice as long each time that nothing came of it. */
const OVERDUE_STEP_MS = 1_000;
const OVERDUE_STEP_MAX_MS = 8_000;
const DRAIN_MS = 10 * 60_000;
/** So many steps without a leap of time mean that something turns in a circle. */
const STEPS_AT_ONCE_MAX = 2_000;

export async function runSeed(options: SeedOptions): Promise<SeedResult> {
  const { stage, seed, mutation = null, onLine = null } = options;
  const world = await openWorld({ stage, seed, mutation, onLine });
  const play = new Play(world, drawDay(world));
  try {
    await play.run();
  } finally {
    await world.close();
  }
  return play.result();
}

class Play {
  readonly #world: World;
  readonly #day: Day;
  #steps = 0;
  #awakeUntil = 0;
  #patienceMs = OVERDUE_STEP_MS;
  #crashes = 0;
  readonly #violations: Violation[] = [];

  constructor(world: World, day: Day) {
    this.#world = world;
    this.#day = day;
  }

  async run(): Promise<void> {
    await this.#world.start();
    const { endsAt } = this.#world.frame;
    await this.#until(endsAt);
    if (this.#isDecided()) return;
    this.#world.calm();
    await this.#until(endsAt + DRAIN_MS);
    if (!this.#isDecided()) await this.#check('end');
  }

  /** A fault ends the day; a fault made on purpose only when the invariant it is for finds it. */
  #isDecided(): boolean {
    const wanted = this.#world.mutation?.invariant ?? null;
    return this.#violations.some(({ invariant }) => wanted === null || invariant === wanted);
  }

  result(): SeedResult {
    const { witness, trace, seed } = this.#world;
    return {
      seed,
      traceHash: trace.hash(),
      isLong: this.#world.frame.isLong,
      steps: this.#steps,
      violations: this.#violations,
      tail: trace.tail(),
      counts: {
        dials: witness.dials.length,
        rings: witness.dials.filter(({ status }) => status === 200).length,
        talks: this.#talks(),
        asked: witness.asked.length,
        grants: witness.acts.filter(({ kind }) => kind === 'grant').length,
        stops: witness.acts.filter(({ kind }) => kind === 'stop').length,
        crashes: this.#crashes,
        refused: this.#day.posted.filter(({ status }) => status >= 400).length,
        moved: this.#day.moves.taken,
        unmoved: this.#day.moves.refused,
      },
    };
  }

  #talks(): number {
    const calls = this.#world.simulator.people().flatMap(({ pastCalls }) => pastCalls);
    return calls.filter(({ answeredAt }) => answeredAt !== null).length;
  }

  async #until(end: number): Promise<void> {
    const { clock } = this.#world;
    const { agenda } = this.#day;
    let stuck = 0;
    while (clock.now() < end && !this.#isDecided()) {
      this.#steps += 1;
      await this.#world.settled();
      if (!this.#world.isUp()) this.#planRestart();
      const before = clock.now();
      const { at, mayLeap } = await this.#nextTimer();
      const target = Math.max(before, Math.min(end, agenda.nextAt(), at));
      if (clock.moveTo(target, mayLeap)) this.#stayAwake();
      if (agenda.nextAt() <= clock.now()) {
        this.#stayAwake();
        agenda.run(clock.now());
      }
      stuck = clock.now() > before ? 0 : stuck + 1;
      if (stuck > STEPS_AT_ONCE_MAX) throw new Error(`seed ${this.#world.seed}: time stands still`);
    }
    await this.#world.settled();
  }

  #restarting = false;

  #planRestart(): void {
    if (this.#restarting) return;
    this.#restarting = true;
    this.#crashes += 1;
    const { clock, chance } = this.#world;
    this.#day.agenda.add(clock.now() + 100 + chance.below(20_000), () => {
      this.#restarting = false;
      void this.#world.start();
    });
  }

  #stayAwake(): void {
    this.#awakeUntil = this.#world.clock.now() + AWAKE_MS;
  }

  /** When the next timer should fire; before a leap the step is over, and all is looked at. */
  async #nextTimer(): Promise<{ at: number; mayLeap: boolean }> {
    const { clock, stage } = this.#world;
    const now = clock.now();
    if (now < this.#awakeUntil) return { at: clock.next(true), mayLeap: false };
    const hasChanged = this.#world.takeChanged();
    if (hasChanged) await this.#check('step');
    this.#patienceMs = hasChanged
      ? OVERDUE_STEP_MS
      : Math.min(2 * this.#patienceMs, OVERDUE_STEP_MAX_MS);
    const schedule = await scheduleOf(stage.forTheRest);
    if (!schedule.inboxWaits) this.#world.witness.settle(now);
    const timer = clock.next(false);
    const row = Math.max(schedule.nextAt, now + this.#patienceMs);
    // The poll must find the row, and the lease of a live call must be kept.
    if (schedule.live > 0) return { at: Math.min(timer, row, now + LIVE_STEP_MS), mayLeap: false };
    return row < timer ? { at: row, mayLeap: false } : { at: timer, mayLeap: true };
  }

  async #check(when: 'step' | 'end'): Promise<void> {
    const world = this.#world;
    if (world.mutation?.rows !== undefined) {
      world.stage.willWrite(world.mutation.rows);
      await world.stage.forTheRest.script(world.mutation.rows);
    }
    const rows = await readRows(world.stage.forTheRest);
    const look = { world, day: this.#day, rows, when };
    for (const { id, holds } of INVARIANTS) {
      const fault = await holds(look);
      if (fault === null) continue;
      this.#violations.push({ invariant: id, step: this.#steps, at: world.clock.now(), fault });
    }
    for (const dial of world.witness.dials) dial.checked = true;
  }
}
