import assert from 'node:assert/strict';
import { test } from 'node:test';
import { costWords, scoreWords } from './after-call-words.ts';

test('a cost is said with its pulses, and one that is not known with the reason', () => {
  const priced = { costAmount: '0.045', costCurrency: 'EUR', costReason: null, billablePulses: 9 };
  assert.equal(costWords(priced), '0.045 EUR (9 pulses of 6 s, by your own price file)');
  const unpriced = { costAmount: null, costCurrency: null, costReason: 'no_price_table' };
  assert.match(costWords(unpriced), /no price file/);
  assert.equal(costWords({}), 'not known');
});

test('a score is a number of five, and no score says so', () => {
  assert.equal(scoreWords(4), '4 of 5 ★★★★');
  assert.equal(scoreWords(null), 'no answer to a survey');
});
