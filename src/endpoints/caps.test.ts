import assert from 'node:assert/strict';
import { test } from 'node:test';
import { capRefusal, passesSoon } from './caps.ts';

const NOW = Date.parse('2026-11-23T15:00:00Z');
const NONE = { maxCalls: null, minutesPerDay: null };

test('without caps nothing is too much', () => {
  assert.equal(capRefusal('endpoint', NONE, { calls: 1e6, seconds: 1e9 }, NOW), null);
});

test('calls at a time are refused from the cap on, and pass as calls end', () => {
  const caps = { ...NONE, maxCalls: 2 };
  assert.equal(capRefusal('endpoint', caps, { calls: 1, seconds: 0 }, NOW), null);
  const refused = capRefusal('endpoint', caps, { calls: 2, seconds: 0 }, NOW);
  assert.equal(refused?.code, 'endpoint_full');
  assert.ok(refused !== null && passesSoon(refused));
  assert.deepEqual(refused.evidence, { maxCalls: 2, liveCalls: 2 });
});

test('used-up minutes come back at midnight UTC', () => {
  const caps = { ...NONE, minutesPerDay: 10 };
  assert.equal(capRefusal('key', caps, { calls: 0, seconds: 599 }, NOW), null);
  const refused = capRefusal('key', caps, { calls: 0, seconds: 600 }, NOW);
  assert.equal(refused?.code, 'key_minutes_used');
  assert.equal(refused.allowedAt, Date.parse('2026-11-24T00:00:00Z'));
  assert.ok(!passesSoon(refused));
});
