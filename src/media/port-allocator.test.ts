import assert from 'node:assert/strict';
import test from 'node:test';
import { ManualClock } from '../platform/clock.ts';
import { seededRandom } from '../platform/random.ts';
import { PortAllocator } from './port-allocator.ts';

test('no port is given out twice, and a used-up range says so', async () => {
  const { ports } = makePorts([]);
  const taken = await Promise.all(Array.from({ length: 6 }, () => ports.take()));
  assert.deepEqual(
    taken.filter((port) => port !== null).sort((a, b) => a - b),
    [5000, 5001, 5002, 5003, 5004],
  );
  assert.equal(taken.filter((port) => port === null).length, 1);
});

test('ports that others hold are stepped over and not kept', async () => {
  const { ports } = makePorts([5000, 5001, 5002, 5003]);
  assert.equal(await ports.take(), 5004);
  assert.equal(await ports.take(), null);
  assert.equal(ports.inUse, 1);
});

test('a released port is free only after the engine had time to close it', async () => {
  const { ports, clock } = makePorts([5001, 5002, 5003, 5004]);
  const port = await ports.take();
  ports.release(port ?? 0);
  assert.equal(await ports.take(), null);
  clock.advance(30);
  assert.equal(await ports.take(), 5000);
});

test('two calls never begin at a port that can be told in advance', async () => {
  const starts = await Promise.all(
    [1, 2, 3, 4, 5, 6, 7, 8].map((seed) => makePorts([], seed).ports.take()),
  );
  assert.ok(new Set(starts).size > 2);
});

function makePorts(
  held: readonly number[],
  seed = 1,
): { ports: PortAllocator; clock: ManualClock } {
  const clock = new ManualClock();
  const ports = new PortAllocator({
    address: '127.0.0.1',
    range: { first: 5000, last: 5004 },
    clock,
    random: seededRandom(seed),
    testBind: (_address, port) => Promise.resolve(!held.includes(port)),
  });
  return { ports, clock };
}
