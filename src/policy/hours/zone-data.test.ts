import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hoursAt } from './hours.ts';
import { zonesOfNumber } from './number-zones.ts';
import { WEEKDAYS, type CallingWindows } from '../limits.ts';
import { localTimeText, offsetAt, zoneExists } from './zone-time.ts';

/** A runtime that cannot tell the time: a build without ICU, or with damaged data (C-12). */
// Old names of zones, which nobody else asks for: what is known already needs no Intl.
const NOON = Date.parse('2026-06-03T12:00:00Z');
const SOURCE = { section: 'Test', sentence: 'Test.', seen: '2026-11' };
const days = Object.fromEntries(WEEKDAYS.map((day) => [day, [['00:00', '24:00']]]));
const ALWAYS = [{ validFrom: null, days, source: SOURCE }] as unknown as CallingWindows;

function withoutIntl(work: () => void): void {
  const kept = globalThis.Intl;
  Reflect.set(globalThis, 'Intl', undefined);
  try {
    work();
  } finally {
    Reflect.set(globalThis, 'Intl', kept);
  }
}

test('without zone data no time is told, and every window is closed', () => {
  withoutIntl(() => {
    assert.equal(offsetAt('Portugal', NOON), null);
    assert.equal(zoneExists('Portugal'), false);
    assert.match(localTimeText('Portugal', NOON), /unknown/);
    assert.ok(zonesOfNumber('+351912999999').length > 0, 'the map of numbers still speaks');
    const zones = ['Portugal'];
    const answer = hoursAt([{ name: 'law', windows: ALWAYS, holidays: null, zones }], NOON);
    assert.deepEqual([answer.open, answer.reason], [false, 'zone_data_missing']);
    assert.equal(answer.opensAt, null);
  });
});

test('a formatter that writes something else than an offset is not believed', () => {
  const kept = Intl.DateTimeFormat;
  Reflect.set(
    Intl,
    'DateTimeFormat',
    class {
      format(): string {
        return '6/3/2026, Helsinki time';
      }
    },
  );
  try {
    assert.equal(offsetAt('Eire', NOON), null);
  } finally {
    Reflect.set(Intl, 'DateTimeFormat', kept);
  }
});

test('what failed is not remembered: with the data back, time is told again', () => {
  for (const zone of ['Portugal', 'Eire']) assert.ok(zoneExists(zone), zone);
  assert.ok(zonesOfNumber('+351912345678').includes('Atlantic/Azores'));
});
