import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { readOptOut } from './opt-out.ts';

const SURE = ['stop calls', 'no calls', 'stop', 'unsubscribe', 'end', 'quit', 'stopall', 'revoke'];

test("the page's phrases and the trade's sure words opt out at once", () => {
  const more = ['optout', 'opt out', 'opt-out', 'cancel', 'arrêt', "don't call me", 'STOP ALL'];
  for (const text of [...SURE, ...more]) assert.equal(readOptOut(text), 'exact', text);
});

test('case, width, emoji, punctuation and invisible characters do not hide an opt-out', () => {
  const texts = [
    'STOP',
    'Stop.',
    '  stop!!! ',
    '"Stop calls"',
    'stop   calls',
    'Stop-calls',
    'STOP 🛑',
    '🛑🙏🏽 stop calls ✋️',
    'ＳＴＯＰ',
    's\u200btop',
    '\u202estop\u202c',
    'stop\n',
    'stop\u00a0calls',
    '¡Stop!',
    'S.T.O.P'.replaceAll('.', ''),
    'don\u2019t call',
  ];
  for (const text of texts) assert.equal(readOptOut(text), 'exact', JSON.stringify(text));
});

test('ordinary messages with such words in them are not taken for an opt-out', () => {
  const texts = [
    '',
    '🛑',
    '...',
    'cancel my appointment',
    'when does the sale end?',
    'I will stop by at five',
    'the bus stop',
    'no calls yet?',
    'stopp',
    'weekend',
    'unsubscribed',
    'call me',
    `stop ${'really '.repeat(50)}`,
  ];
  for (const text of texts) assert.equal(readOptOut(text), null, JSON.stringify(text));
});

test('any text is read without an error, and dressing up a sure word changes nothing', () => {
  const dress = fc.constantFrom('', ' ', '!', '…', '🛑', '\u200d', '\n', '—', '*', '"', '❗️');
  fc.assert(
    fc.property(fc.constantFrom(...SURE), dress, dress, fc.boolean(), (word, a, b, upper) => {
      assert.equal(readOptOut(`${a}${upper ? word.toUpperCase() : word}${b}`), 'exact');
    }),
    { seed: 11, numRuns: 2000 },
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      assert.ok([null, 'exact'].includes(readOptOut(text)));
    }),
    { seed: 12, numRuns: 5000 },
  );
});
