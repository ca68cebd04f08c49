import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Failure } from '../platform/failure.ts';
import { estimateCost, estimateMessages, pulsesOf, sumOfAmounts } from './cost-estimate.ts';
import { readPriceFile } from './price-file.ts';
import { priceTableSchema, tableProblem } from './price-table.ts';

const day = (text: string): number => Date.parse(`${text}T12:00:00Z`);
const TABLE = priceTableSchema.parse({
  format: 'askfirst-prices-1',
  currency: 'USD',
  source: 'made up for this test; QM to QZ are codes of no country',
  calls: [
    {
      countries: ['QM'],
      from: '2026-01-01',
      until: '2026-10-01',
      tiers: [{ fromMinutes: 0, perMinute: '0.02' }],
    },
    {
      countries: ['QM'],
      from: '2026-10-01',
      tiers: [
        { fromMinutes: 0, perMinute: '0.0095' },
        { fromMinutes: 100, perMinute: '0.005' },
      ],
    },
    { countries: ['*'], from: '2026-01-01', tiers: [{ fromMinutes: 0, perMinute: '0.1' }] },
  ],
  messages: [{ countries: ['QM'], category: 'UTILITY', from: '2026-01-01', perMessage: '0.0042' }],
});
const MAY = day('2026-05-01');
const NOVEMBER = day('2026-11-01');

test('a call is billed in pulses of six seconds, rounded up', () => {
  assert.deepEqual([0, 1, 6, 7, 60, 61].map(pulsesOf), [0, 1, 1, 2, 10, 11]);
  const { amount } = estimateCost(TABLE, { country: 'QM', at: NOVEMBER, pulses: pulsesOf(61) });
  assert.equal(amount, '0.01045');
});

test('the price of its day counts, and the first day of it is told', () => {
  const before = estimateCost(TABLE, { country: 'QM', at: MAY, pulses: 10 });
  assert.deepEqual([before.amount, before.priceFrom], ['0.02', '2026-01-01']);
  const after = estimateCost(TABLE, { country: 'QM', at: day('2026-10-01'), pulses: 10 });
  assert.deepEqual([after.amount, after.priceFrom], ['0.0095', '2026-10-01']);
});

test('a call that crosses into a tier takes its rate for the whole length', () => {
  const call = { country: 'QM', at: NOVEMBER, pulses: 20 };
  assert.equal(estimateCost(TABLE, { ...call, minutesBefore: 98 }).unitPrice, '0.0095');
  const crossing = estimateCost(TABLE, { ...call, minutesBefore: 99 });
  assert.deepEqual([crossing.unitPrice, crossing.amount], ['0.005', '0.01']);
});

test('what has no price has no amount, and says why', () => {
  const call = { country: 'QM', at: MAY, pulses: 1 };
  const only = { ...TABLE, calls: TABLE.calls.slice(0, 1) };
  assert.equal(estimateCost(null, call).reason, 'no_price_table');
  assert.equal(estimateCost(TABLE, { ...call, country: null }).reason, 'country_unknown');
  assert.equal(estimateCost(only, { ...call, country: 'QN' }).reason, 'no_price_for_country');
  assert.equal(estimateCost(only, { ...call, at: NOVEMBER }).reason, 'no_price_on_that_day');
  assert.equal(estimateCost(only, { ...call, at: NOVEMBER }).amount, null);
  assert.equal(estimateCost(TABLE, { ...call, country: 'QN' }).amount, '0.01', 'all others');
});

test('requests are priced as messages of their category', () => {
  const wish = { country: 'QM', at: MAY, count: 1_000 };
  assert.equal(estimateMessages(TABLE, { ...wish, category: 'UTILITY' }).amount, '4.2');
  const sales = estimateMessages(TABLE, { ...wish, category: 'MARKETING' });
  assert.deepEqual([sales.amount, sales.reason], [null, 'no_price_for_country']);
});

test('amounts add up without losing a digit', () => {
  const billionth = fc.integer({ min: 0, max: 2_000_000_000 });
  fc.assert(
    fc.property(fc.array(billionth, { maxLength: 50 }), (parts) => {
      const texts = parts.map((part) => part.toString());
      const amounts = texts.map((text) => {
        const digits = text.padStart(10, '0');
        return `${digits.slice(0, -9)}.${digits.slice(-9)}`;
      });
      const sum = parts.reduce((all, part) => all + BigInt(part), 0n);
      const [whole = '', part = ''] = sumOfAmounts(amounts).split('.');
      assert.equal(BigInt(whole + part.padEnd(9, '0')), sum);
    }),
    { seed: 7 },
  );
});

test('a table in which two prices hold on one day is refused, and so are tiers that fall', () => {
  const [first, second, others] = TABLE.calls;
  assert.ok(first !== undefined && second !== undefined && others !== undefined);
  assert.equal(tableProblem(TABLE), null);
  const twice = { ...TABLE, calls: [{ ...first, until: '2026-10-02' }, second] };
  assert.match(tableProblem(twice) ?? '', /QM/);
  const falling = { ...second, tiers: second.tiers.toReversed() };
  assert.match(tableProblem({ ...TABLE, calls: [falling] }) ?? '', /Tiers/);
});

test('a file that cannot be used ends the start and names its fault; none is no fault', () => {
  assert.equal(readPriceFile(undefined), null);
  const folder = mkdtempSync(join(tmpdir(), 'askfirst-prices-'));
  const path = join(folder, 'prices.json');
  const codeOf = (text: string): string => {
    writeFileSync(path, text);
    try {
      return readPriceFile(path)?.currency ?? '';
    } catch (error) {
      return error instanceof Failure ? error.code : 'no failure';
    }
  };
  try {
    assert.equal(codeOf(JSON.stringify(TABLE)), 'USD');
    for (const text of ['', '{', '{}', JSON.stringify({ ...TABLE, currency: 'dollars' })]) {
      assert.equal(codeOf(text), 'price_table_unusable', text);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
