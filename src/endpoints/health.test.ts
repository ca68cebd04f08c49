import assert from 'node:assert/strict';
import { test } from 'node:test';
import { afterCheck, endpointState, isSignOfLife, type TargetHealth } from './health.ts';

/** States after each check, a minute apart. */
function statesAfter(statuses: readonly number[]): string {
  let health: TargetHealth | null = null;
  return statuses
    .map((status, at) => {
      health = afterCheck(health, { status, reason: '', roundTripMs: 5, at });
      return health.state;
    })
    .join(' ');
}

test('one sign of life is enough at first, three silences take it away, two give it back', () => {
  assert.equal(statesAfter([200, 408, 408, 408, 200, 200]), 'up up up down down up');
});

test('a single lost packet or lucky answer changes nothing', () => {
  assert.equal(statesAfter([200, 408, 200, 408, 408, 200]), 'up up up up up up');
  assert.equal(statesAfter([503, 503, 503, 200, 503, 200]), 'unknown unknown down down down down');
});

test('a no is a sign of life; silence and trouble of the server are not', () => {
  for (const status of [200, 401, 403, 404, 405, 486, 501, 603]) assert.ok(isSignOfLife(status));
  for (const status of [408, 500, 502, 503, 504]) assert.ok(!isSignOfLife(status), String(status));
});

test('the state tells since when, and the last check what it said', () => {
  const up = afterCheck(null, { status: 200, reason: 'OK', roundTripMs: 4, at: 10 });
  const later = afterCheck(up, { status: 408, reason: 'No answer', roundTripMs: 4_000, at: 20 });
  assert.deepEqual(later, {
    state: 'up',
    since: 10,
    checkedAt: 20,
    status: 408,
    reason: 'No answer',
    roundTripMs: null,
    against: 1,
  });
});

test('an endpoint is degraded while some of its targets are down', () => {
  assert.equal(endpointState(['up', 'up']), 'up');
  assert.equal(endpointState(['up', 'down']), 'degraded');
  assert.equal(endpointState(['down', 'down']), 'down');
  assert.equal(endpointState(['up', 'unknown']), 'unknown');
  assert.equal(endpointState([]), 'unknown');
});
