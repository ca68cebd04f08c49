import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextAskingHour, waitsForHour } from './asking-hour.ts';

const at = (text: string): number => Date.parse(text);
const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
const london = { e164: '+442079460000', timeZone: null };
const inZone = (timeZone: string) => ({ e164: null, timeZone });

test('it waits for the hour of the place, and not while it is that hour', () => {
  const noon = at('2026-01-14T12:10:00Z');
  assert.equal(iso(nextAskingHour(18, london, noon)), '2026-01-14T18:00:00.000Z');
  assert.equal(iso(nextAskingHour(9, london, noon)), '2026-01-15T09:00:00.000Z');
  assert.equal(nextAskingHour(12, london, noon), noon);
});

test('the zone that the business knows goes before the number', () => {
  const person = { ...london, timeZone: 'Asia/Kolkata' };
  const from = at('2026-01-14T12:10:00Z');
  assert.equal(iso(nextAskingHour(18, person, from)), '2026-01-14T12:30:00.000Z');
});

test('of several possible zones the middle one counts, and without any there is no hour', () => {
  const from = at('2026-01-14T12:00:00Z');
  // A mobile of Portugal may be in Lisbon, on Madeira or on the Azores.
  const someone = { e164: '+351912345678', timeZone: null };
  assert.equal(iso(nextAskingHour(18, someone, from)), '2026-01-14T18:00:00.000Z');
  assert.equal(nextAskingHour(18, { e164: null, timeZone: null }, from), null);
  assert.equal(nextAskingHour(18, inZone('Mars/Olympus'), from), null);
});

test('changes of the clocks neither lose the hour nor go back in time', () => {
  const berlin = inZone('Europe/Berlin');
  const before = at('2026-03-28T23:30:00Z');
  assert.equal(iso(nextAskingHour(9, berlin, before)), '2026-03-29T07:00:00.000Z');
  assert.equal(iso(nextAskingHour(2, berlin, before)), '2026-03-29T01:00:00.000Z');
  assert.equal(
    iso(nextAskingHour(9, berlin, at('2026-10-24T22:30:00Z'))),
    '2026-10-25T08:00:00.000Z',
  );
});

test('from any instant the hour found is that hour there, at most 25 hours ahead', () => {
  for (const zone of ['America/New_York', 'Asia/Kathmandu', 'Pacific/Auckland', 'UTC']) {
    const format = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      hour: '2-digit',
      hourCycle: 'h23',
    });
    for (let step = 0; step < 400; step += 1) {
      const from = at('2026-01-01T00:00:00Z') + step * 22.3 * 3_600_000;
      const hour = 4 + (step % 18);
      const found = nextAskingHour(hour, inZone(zone), from);
      assert.ok(found !== null && found >= from && found - from <= 25 * 3_600_000);
      assert.equal(Number(format.format(found)), hour, `${zone} ${iso(from)}`);
    }
  }
});

test('whoever was held up past the hour waits for the next, unless it would be too late', () => {
  const HOUR = 3_600_000;
  const six = at('2026-01-14T18:00:00Z');
  const wait = (now: number, chosen: number | null, notAfter: number | null = null) =>
    waitsForHour(18, london, { now, chosen, notAfter });
  assert.equal(wait(six - HOUR, null), six);
  assert.equal(wait(six, six), null);
  assert.equal(wait(six + 59 * 60_000, six), null);
  assert.equal(wait(six + 3 * HOUR, six), six + 24 * HOUR, 'a campaign that rested');
  assert.equal(wait(six + 14 * HOUR, six + 14 * HOUR), null, 'the minute that the gate named');
  assert.equal(wait(six - 3 * HOUR, null, six - HOUR), null, 'the hour comes too late');
  assert.equal(waitsForHour(undefined, london, { now: six, chosen: null, notAfter: null }), null);
});
