import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statesOfNumber, US_STATES, zonesOfNumber } from './number-zones.ts';

test('a fixed line has the zone of its place', () => {
  assert.deepEqual(zonesOfNumber('+442079460000'), ['Europe/London']);
  assert.deepEqual(zonesOfNumber('+34911234567'), ['Europe/Madrid']);
  assert.deepEqual(zonesOfNumber('+390612345678'), ['Europe/Rome']);
});

test('a mobile number may be anywhere in its country', () => {
  assert.ok(zonesOfNumber('+34612345678').includes('Atlantic/Canary'));
  const australia = zonesOfNumber('+61412345678');
  for (const zone of ['Australia/Perth', 'Australia/Sydney', 'Australia/Lord_Howe']) {
    assert.ok(australia.includes(zone), zone);
  }
  assert.ok(zonesOfNumber('+79161234567').includes('Asia/Kamchatka'));
  assert.ok(!zonesOfNumber('+77012345678').includes('Europe/Moscow'), 'Kazakhstan shares +7');
});

test('a +1 number has all zones of its area code, whatever its exchange', () => {
  assert.deepEqual([...zonesOfNumber('+12195550123')].sort(), [
    'America/Chicago',
    'America/New_York',
  ]);
  assert.deepEqual(zonesOfNumber('+12125550123'), ['America/New_York']);
  assert.ok(zonesOfNumber('+19285550123').includes('America/Denver'), 'the Navajo Nation');
});

test('an overlay code has the zones of the code that it relieves', () => {
  const pairs = [
    ['448', '850'],
    ['930', '812'],
    ['364', '270'],
    ['458', '541'],
    ['986', '208'],
  ] as const;
  for (const [overlay, relieved] of pairs) {
    const zones = zonesOfNumber(`+1${overlay}5550123`);
    const offsets = zonesOfNumber(`+1${relieved}5550123`);
    assert.ok(zones.length > 1 && offsets.length > 1, `${overlay} and ${relieved}`);
  }
});

test('a toll-free or unassigned +1 code may be in any zone of the plan', () => {
  assert.ok(zonesOfNumber('+18005550123').length > 30);
  assert.ok(zonesOfNumber('+12995550123').length > 30);
});

test('a number that is none, or of no country, has no zone', () => {
  for (const e164 of ['', '+', '+999', '+8707712345', 'hello', '447700900123', '+44 7700 900123']) {
    assert.deepEqual(zonesOfNumber(e164), [], e164);
  }
});

test('a number for drama keeps the zones of its calling code', () => {
  assert.ok(zonesOfNumber('+447700900123').includes('Europe/London'));
});

test('an area code tells the state, doubt tells all of them', () => {
  assert.deepEqual(statesOfNumber('+12145550123'), ['TX']);
  assert.deepEqual(statesOfNumber('+13055550123'), ['FL']);
  assert.deepEqual(statesOfNumber('+12025550123'), ['DC']);
  assert.deepEqual(statesOfNumber('+18005550123'), US_STATES);
  assert.equal(US_STATES.length, 51);
  assert.deepEqual(statesOfNumber('+16135550123'), [], 'Ottawa');
  assert.deepEqual(statesOfNumber('+18765550123'), [], 'Jamaica');
  assert.deepEqual(statesOfNumber('+33612345678'), []);
});
