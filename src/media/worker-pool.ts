import type { Clock, TimerHandle } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { MediaEvent } from './media.ts';
import type { WorkerProcess } from './worker-process.ts';
import type { WorkerSettings } from './worker-protocol.ts';

/** Frames this late on the average are heard as stutter: no new calls until it is better. */
const LATENESS_MAX_MS = 40;
/** Guard G11. */
const RECYCLE_AFTER_CALLS = 50_000;
const RECYCLE_AT_RSS_FACTOR = 2;
const BACKOFF_FIRST_MS = 100;
const BACKOFF_MAX_MS = 10_000;
/** A worker that lived this long starts the backoff anew. */
const STABLE_AFTER_MS = 30_000;

/** What the pool needs of a worker; tests have one without a process. */
export type PoolWorker = Pick<
  WorkerProcess,
  'ready' | 'exited' | 'handles' | 'load' | 'state' | 'pid' | 'shutDown'
>;

type Slot<W> = { worker: W; startedAt: number; backoffMs: number; timer?: TimerHandle };

export type WorkerPoolOptions<W> = {
  clock: Clock;
  log: Log;
  settings: WorkerSettings;
  workers: number;
  callsPerWorker: number;
  onEvent: (handle: number, event: MediaEvent) => void;
  startWorker: (options: ConstructorParameters<typeof WorkerProcess>[0]) => W;
  /** The worker that carried these calls is gone. */
  onDied: (handles: readonly number[]) => void;
};

/** Keeps the wanted number of workers alive, and says which one takes the next call. */
export class WorkerPool<W extends PoolWorker> {
  readonly #options: WorkerPoolOptions<W>;
  readonly #slots: Slot<W>[] = [];
  #closing = false;

  constructor(options: WorkerPoolOptions<W>) {
    this.#options = options;
  }

  /** Starts all workers; throws `Failure` when one cannot start at all. */
  async start(): Promise<void> {
    for (let index = 0; index < this.#options.workers; index += 1) {
      this.#slots.push(this.#newSlot(BACKOFF_FIRST_MS));
    }
    await Promise.all(this.#slots.map((slot) => slot.worker.ready));
  }

  /**
   * The least busy worker with room, or `null` when every one is full, late or away. A worn one
   * comes last: under a load that never ends it would else never be idle, and grow for ever.
   */
  pick(): W | null {
    const { callsPerWorker } = this.#options;
    const able = this.#slots
      .map(({ worker }) => worker)
      .filter(({ state, handles }) => state === 'ready' && handles.size < callsPerWorker)
      .filter(({ load }) => (load?.frameLatenessMs ?? 0) <= LATENESS_MAX_MS);
    const fresh = able.filter((worker) => !this.#isWorn(worker));
    const among = fresh.length > 0 ? fresh : able;
    return among.toSorted((a, b) => a.handles.size - b.handles.size)[0] ?? null;
  }

  /** Process ids of the workers alive, for the operator and for tests. */
  pids(): number[] {
    return this.#slots.flatMap(({ worker }) =>
      worker.state === 'dead' || worker.pid === undefined ? [] : [worker.pid],
    );
  }

  async close(): Promise<void> {
    this.#closing = true;
    for (const slot of this.#slots) slot.timer?.cancel();
    await Promise.all(
      this.#slots
        .filter(({ worker }) => worker.state !== 'dead')
        .map(({ worker }) => worker.shutDown()),
    );
  }

  #newSlot(backoffMs: number): Slot<W> {
    const { clock, settings, onEvent, startWorker } = this.#options;
    const slot: Slot<W> = {
      startedAt: clock.monotonic(),
      backoffMs,
      worker: startWorker({
        clock,
        settings,
        onEvent,
        onLoad: () => this.#recycleIfWorn(slot),
      }),
    };
    void slot.worker.exited.then(() => this.#replace(slot));
    return slot;
  }

  #replace(slot: Slot<W>): void {
    const handles = [...slot.worker.handles];
    slot.worker.handles.clear();
    const recycled = slot.worker.load !== undefined && this.#isWorn(slot.worker);
    if (handles.length > 0) this.#options.onDied(handles);
    if (this.#closing) return;
    const { clock, log } = this.#options;
    const stable = clock.monotonic() - slot.startedAt > STABLE_AFTER_MS;
    const waitMs = stable || recycled ? BACKOFF_FIRST_MS : slot.backoffMs;
    if (!recycled) log.error({ calls: handles.length, waitMs }, 'a media worker died');
    slot.timer = clock.after(waitMs, () => {
      const next = this.#newSlot(Math.min(waitMs * 2, BACKOFF_MAX_MS));
      this.#slots[this.#slots.indexOf(slot)] = next;
    });
  }

  #recycleIfWorn(slot: Slot<W>): void {
    const { worker } = slot;
    if (worker.state !== 'ready' || worker.handles.size > 0 || !this.#isWorn(worker)) return;
    worker.state = 'draining';
    this.#options.log.info('a media worker is recycled');
    void worker.shutDown();
  }

  #isWorn({ load }: W): boolean {
    if (load === undefined || load.callsOpened === 0) return false;
    if (load.callsOpened >= RECYCLE_AFTER_CALLS) return true;
    return load.rssBytes > load.startRssBytes * RECYCLE_AT_RSS_FACTOR;
  }
}
