import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../platform/random.ts';
import { DEFAULT_OPTIONS } from './endpoint.ts';
import { failoverCause, mayTryNext, orderTargets } from './failover.ts';

const { failover } = DEFAULT_OPTIONS;
const target = (uri: string, priority: number, weight: number) => ({ uri, priority, weight });
const allUp = (): boolean => false;

test('lower priorities come first, whatever their weight', () => {
  const targets = [target('c', 20, 100), target('a', 0, 1), target('b', 10, 50)];
  for (let seed = 0; seed < 50; seed += 1) {
    const order = orderTargets(targets, allUp, seededRandom(seed)).map(({ uri }) => uri);
    assert.deepEqual(order, ['a', 'b', 'c']);
  }
});

test('weights share out the first call among equals', () => {
  const random = seededRandom(7);
  const targets = [target('heavy', 0, 75), target('light', 0, 25), target('spare', 0, 0)];
  const first = { heavy: 0, light: 0, spare: 0 };
  for (let i = 0; i < 4_000; i += 1) {
    const order = orderTargets(targets, allUp, random);
    assert.equal(new Set(order).size, 3);
    first[order[0]?.uri as keyof typeof first] += 1;
  }
  assert.ok(Math.abs(first.heavy / 4_000 - 0.75) < 0.03, JSON.stringify(first));
  assert.ok(first.spare > 0 && first.spare < 120, JSON.stringify(first));
});

test('a target that is down comes last, and is called all the same', () => {
  const targets = [target('a', 0, 1), target('b', 10, 1), target('c', 20, 1)];
  const order = orderTargets(targets, (uri) => uri !== 'c', seededRandom(1));
  assert.deepEqual(
    order.map(({ uri }) => uri),
    ['c', 'a', 'b'],
  );
});

test('every SIP status is a reason to go on or none', () => {
  const causes = new Map<string | null, number[]>();
  for (let status = 300; status < 700; status += 1) {
    const cause = failoverCause(status);
    causes.set(cause, [...(causes.get(cause) ?? []), status]);
  }
  assert.deepEqual(causes.get('no_answer'), [408, 480]);
  assert.deepEqual(causes.get('unreachable'), [503]);
  assert.equal(causes.get('server_error')?.length, 99);
  assert.deepEqual(causes.get('busy'), [486, 600]);
  assert.deepEqual(causes.get('declined'), [603, 607, 608]);
});

test('busy and declined end the search unless they were named', () => {
  for (const status of [486, 600, 603]) {
    assert.equal(mayTryNext(failover, { status, tried: 1, elapsedMs: 0 }), false);
    const all = { ...failover, on: ['busy', 'declined'] as const };
    assert.equal(mayTryNext(all, { status, tried: 1, elapsedMs: 0 }), true);
  }
});

test('the search is bounded in count and time', () => {
  const answer = { status: 503, tried: 1, elapsedMs: 0 };
  assert.equal(mayTryNext(failover, answer), true);
  assert.equal(mayTryNext(failover, { ...answer, tried: failover.maxTargets }), false);
  assert.equal(mayTryNext(failover, { ...answer, elapsedMs: failover.withinMs }), false);
});
