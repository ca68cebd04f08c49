import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../platform/clock.ts';
import { silentLog } from '../platform/log.ts';
import { WorkerPool, type PoolWorker } from './worker-pool.ts';
import type { WorkerLoad, WorkerSettings } from './worker-protocol.ts';

/** Who takes the next call, and what becomes of workers that are late, worn or dead. */
type FakeWorker = PoolWorker & { say(load: Partial<WorkerLoad>): void; die(): void };

const SETTINGS: WorkerSettings = {
  bindAddress: '127.0.0.1',
  connectTimeoutMs: 1,
  silentAfterMs: 1,
  logLevel: 'silent',
};
const EASY: WorkerLoad = { frameLatenessMs: 1, rssBytes: 1, startRssBytes: 1, callsOpened: 1 };

test('the least busy worker takes the call, and a full one none', async () => {
  const { pool, workers } = await openPool(2, 2);
  workers[0]?.handles.add(1);
  assert.equal(pool.pick(), workers[1]);
  workers[1]?.handles.add(2).add(3);
  assert.equal(pool.pick(), workers[0]);
  workers[0]?.handles.add(4);
  assert.equal(pool.pick(), null);
});

test('a worker whose frames run late gets no calls until they are in time again', async () => {
  const { pool, workers } = await openPool(1, 50);
  workers[0]?.say({ frameLatenessMs: 41 });
  assert.equal(pool.pick(), null);
  workers[0]?.say({ frameLatenessMs: 5 });
  assert.equal(pool.pick(), workers[0]);
});

test('a worn worker gets calls only where no other has room, so that it can rest', async () => {
  const { pool, workers } = await openPool(2, 2);
  workers[0]?.handles.add(1);
  workers[1]?.handles.add(2);
  workers[0]?.say({ rssBytes: 201, startRssBytes: 100 });
  workers[1]?.say({ rssBytes: 200, startRssBytes: 100 });
  assert.equal(pool.pick(), workers[1], 'twice what it began with is not yet worn');
  workers[1]?.handles.add(3);
  assert.equal(pool.pick(), workers[0], 'a call is never refused for it');
  workers[0]?.handles.clear();
  workers[0]?.say({ rssBytes: 201, startRssBytes: 100 });
  assert.equal(workers[0]?.state, 'dead');
});

test('a worn worker is recycled when its last call has ended, not before', async () => {
  const { pool, workers, clock } = await openPool(1, 50);
  workers[0]?.handles.add(1);
  workers[0]?.say({ callsOpened: 50_000 });
  assert.equal(workers[0]?.state, 'ready');
  workers[0]?.handles.delete(1);
  workers[0]?.say({ callsOpened: 50_000 });
  assert.equal(workers[0]?.state, 'dead');
  await settle();
  clock.advance(100);
  assert.equal(workers.length, 2);
  await settle();
  assert.equal(pool.pick(), workers[1]);
});

test('a dead worker loses its calls at once, and is replaced later each time', async () => {
  const { workers, clock, died } = await openPool(1, 50);
  workers[0]?.handles.add(7);
  workers[0]?.die();
  await settle();
  assert.deepEqual(died, [7]);
  for (const [turn, waitMs] of [100, 200, 400, 800].entries()) {
    clock.advance(waitMs - 1);
    assert.equal(workers.length, turn + 1);
    clock.advance(1);
    assert.equal(workers.length, turn + 2);
    workers.at(-1)?.die();
    await settle();
  }
});

test('closing ends all workers and leaves no timer behind', async () => {
  const { pool, workers, clock } = await openPool(3, 50);
  workers[1]?.die();
  await settle();
  await pool.close();
  assert.ok(workers.every(({ state }) => state === 'dead'));
  assert.equal(clock.pendingTimers, 0);
});

async function openPool(count: number, callsPerWorker: number) {
  const clock = new ManualClock();
  const workers: FakeWorker[] = [];
  const died: number[] = [];
  const pool = new WorkerPool<FakeWorker>({
    clock,
    log: silentLog,
    settings: SETTINGS,
    workers: count,
    callsPerWorker,
    startWorker: ({ onLoad }) => {
      const worker = fakeWorker(onLoad);
      workers.push(worker);
      return worker;
    },
    onEvent: () => {},
    onDied: (handles) => died.push(...handles),
  });
  await pool.start();
  return { pool, workers, clock, died };
}

function fakeWorker(onLoad: () => void): FakeWorker {
  const exited = Promise.withResolvers<void>();
  const worker: FakeWorker = {
    ready: Promise.resolve(),
    exited: exited.promise,
    handles: new Set(),
    load: undefined,
    state: 'ready',
    pid: 1,
    async shutDown() {
      worker.die();
    },
    say(load) {
      worker.load = { ...EASY, ...load };
      onLoad();
    },
    die() {
      worker.state = 'dead';
      exited.resolve();
    },
  };
  return worker;
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
}
