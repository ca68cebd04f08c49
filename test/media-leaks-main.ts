import { readdirSync } from 'node:fs';
import { LiveCall } from '../src/media/live-call.ts';
import { PortAllocator } from '../src/media/port-allocator.ts';
import { SoundLibrary } from '../src/media/sound-library.ts';
import { delay, systemClock } from '../src/platform/clock.ts';
import { systemRandom } from '../src/platform/random.ts';

/**
 * Run by `media-leaks.interop.test.ts` with --expose-gc: opens and closes calls with both legs, as
 * a media worker does, and prints what is left of them.
 */
export type LeakReport = {
  calls: number;
  /** Call objects that the collector took. */
  collected: number;
  portsInUse: number;
  before: Held;
  after: Held;
};
type Held = { descriptors: number; sockets: number; timers: number; rssMb: number };

const AT_ONCE = 10;
const BREATH_MS = 40;
/** The first calls fill the pools of the engine and the runtime; what they take stays. */
const WARM_UP = 50;
const count = Number(process.argv[2] ?? 100);
let collected = 0;
const registry = new FinalizationRegistry<null>(() => {
  collected += 1;
});
const ports = new PortAllocator({
  address: '127.0.0.1',
  range: { first: 26_000, last: 29_999 },
  clock: systemClock,
  random: systemRandom,
});
const sounds = new SoundLibrary({});

await openAndClose(WARM_UP);
const before = await held();
collected = 0;
await openAndClose(count);
const after = await held();
const report: LeakReport = { calls: count, collected, portsInUse: ports.inUse, before, after };
process.stdout.write(JSON.stringify(report));
process.exit(0);

async function openAndClose(calls: number): Promise<void> {
  for (let done = 0; done < calls; done += AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, calls - done) }, one));
    // The engine closes on threads of its own; without a breath they would fall behind.
    await delay(systemClock, BREATH_MS);
    // The collector does not see native memory: left to itself it would wait, and look like a leak.
    if (done % 200 === 0) globalThis.gc?.();
  }
}

async function one(): Promise<void> {
  const [own, toward] = [await ports.take(), await ports.take()];
  if (own === null || toward === null) throw new Error('no port is free');
  const call = new LiveCall({
    clock: systemClock,
    random: systemRandom,
    sounds,
    bindAddress: '127.0.0.1',
    connectTimeoutMs: 10_000,
    silentAfterMs: 3000,
    port: own,
    onEvent: () => {},
  });
  registry.register(call, null);
  await call.openEndpoint('main', toward, {
    codecs: ['opus', 'PCMU'],
    advertisedAddress: '127.0.0.1',
    srtp: true,
  });
  call.obey({ do: 'bridge' });
  call.tick();
  call.close();
  for (const port of [own, toward]) ports.release(port);
}

/** After the engine's threads had time to end, and the collector ran. */
async function held(): Promise<Held> {
  for (let round = 0; round < 10; round += 1) {
    await delay(systemClock, 50);
    globalThis.gc?.();
  }
  const resources = process.getActiveResourcesInfo();
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    sockets: resources.filter((name) => name.includes('UDP')).length,
    timers: resources.filter((name) => name === 'Timeout').length,
    rssMb: Math.round(process.memoryUsage.rss() / 2 ** 20),
  };
}
