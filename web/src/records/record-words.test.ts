import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesText, daysOf, lastDayOf, spanOf } from './record-words.ts';

test('days are taken whole, and an empty one leaves that end open', () => {
  assert.deepEqual(spanOf('2026-10-01', '2026-10-31'), {
    from: '2026-10-01T00:00:00.000Z',
    to: '2026-11-01T00:00:00.000Z',
  });
  assert.deepEqual(spanOf('', ''), {});
});

test('sizes and days read as a person says them', () => {
  assert.deepEqual(
    [bytesText(12), bytesText(1_250), bytesText(3_000_000)],
    ['12 bytes', '1.3 kB', '3.0 MB'],
  );
  assert.equal(daysOf({ from: '2026-01-01', until: null }), 'from 2026-01-01 on');
});

test('a table knows no price behind its last day, unless a price goes on', () => {
  const rate = (until: string | null) => ({
    countries: ['DE'],
    from: '2026-01-01',
    until,
    tiers: [],
  });
  const table = {
    format: 'askfirst-prices-1',
    currency: 'EUR',
    source: 'x',
    messages: [],
  } as const;
  const of = (...ends: Array<string | null>) =>
    lastDayOf({ ...table, messages: [], calls: ends.map(rate) });
  assert.equal(of('2026-07-01', '2027-01-01'), '2027-01-01');
  assert.equal(of('2026-07-01', null), null);
  assert.equal(of(), null);
});
