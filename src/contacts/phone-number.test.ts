import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { isRefused } from '../platform/refusal.ts';
import { parseNationalNumber, parseNumber } from './phone-number.ts';

test('every way to write an international number gives the same E.164 text', () => {
  const ways = [
    '+447700900123',
    '447700900123',
    '+44 7700 900123',
    '+44 (7700) 900-123',
    '+44-7700-900.123',
    '+44\u00a07700\u00a0900123',
    '\u202a+44 7700 900123\u202c',
    '＋４４７７００９００１２３',
    '  +447700900123  ',
  ];
  for (const way of ways) {
    assert.deepEqual(parseNumber(way), {
      e164: '+447700900123',
      country: 'GB',
      digits: '447700900123',
    });
  }
});

test('the country comes from the calling code, for +1 from the area code', () => {
  const cases: Array<[string, string | null]> = [
    ['+442079460000', 'GB'],
    ['+447700900999', 'GB'],
    ['+12025550123', 'US'],
    ['+16135550123', 'CA'],
    ['+18765550123', 'JM'],
    ['+17875550123', 'PR'],
    ['+12995550123', null],
    ['+905321234567', 'TR'],
    ['+201001234567', 'EG'],
    ['+84912345678', 'VN'],
    ['+2348031234567', 'NG'],
    ['+5351234567', 'CU'],
    ['+77012345678', 'KZ'],
    ['+79161234567', 'RU'],
    ['+5215512345678', 'MX'],
    ['+525512345678', 'MX'],
    ['+5491123456789', 'AR'],
    ['+5511987654321', 'BR'],
    ['+38344123456', 'XK'],
  ];
  for (const [text, country] of cases) {
    const number = parseNumber(text);
    assert.ok(!isRefused(number), text);
    assert.equal(number.country, country, text);
  }
});

test('the old Mexican mobile form and the new one are one number', () => {
  assert.deepEqual(parseNumber('5215512345678'), parseNumber('+52 55 1234 5678'));
});

test('what is no international number is refused with the rule it breaks', () => {
  const cases: Array<[string, RegExp]> = [
    ['', /empty/],
    ['   ', /empty/],
    ['call me', /letters/],
    ['+1-800-FLOWERS', /letters/],
    ['+442079460000 ext. 5', /letters or an extension/],
    ['+442079460000;ext=5', /letters or an extension/],
    ['+442079460000,,5', /dial pause/],
    ['+442079460000#5', /dial pause/],
    ['07700900123', /begins with 0/],
    ['00447700900123', /begins with 0/],
    ['+4477', /too few/],
    ['+4477009001234', /too few or too many/],
    ['+4477009001234567', /15 digits/],
    ['+999123456789', /calling code/],
    ['+44+7700900123', /plus elsewhere/],
    ['-447700900123', /begins with a dash/],
    ['+44７７００９００１２③', /other than digits/],
    ['+44²7700900123', /other than digits/],
    ['9'.repeat(65), /longer/],
    ['Robert\u0000; DROP TABLE', /letters/],
  ];
  for (const [text, rule] of cases) {
    const answer = parseNumber(text);
    assert.ok(isRefused(answer), text);
    assert.equal(answer.refused.code, 'number_invalid');
    assert.match(answer.refused.message, rule, text);
    assert.match(answer.refused.fix, /\+447700900123/);
  }
});

type Row = [text: string, expected: string, country?: string | null];

/** `test/phone-numbers.txt`: a JSON array on each line; `!` stands before a broken rule. */
const TABLE = readFileSync(new URL('../../test/phone-numbers.txt', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Row);

test('every number of the table is read as it should be, or refused by the rule it breaks', () => {
  assert.ok(TABLE.length >= 500, String(TABLE.length));
  const wrong = TABLE.flatMap(([text, expected, country = null]) => {
    const answer = parseNumber(text);
    const got = isRefused(answer) ? `!${answer.refused.message}` : answer.e164;
    const fits = expected.startsWith('!')
      ? got.startsWith('!') && got.includes(expected.slice(1))
      : got === expected && !isRefused(answer) && answer.country === country;
    return fits ? [] : [`${JSON.stringify(text)}: ${got}, expected ${expected} ${country}`];
  });
  assert.deepEqual(wrong, []);
});

test('a list in the national form of a country is read with and without the trunk prefix', () => {
  const cases: Array<[text: string, country: 'GB' | 'US' | 'DE' | 'IT' | 'FR', e164: string]> = [
    ['07700 900123', 'GB', ''],
    ['020 7946 0000', 'GB', '+442079460000'],
    ['2079460000', 'GB', '+442079460000'],
    ['442079460000', 'GB', '+442079460000'],
    ['0044 20 7946 0000', 'GB', '+442079460000'],
    ['+33612345678', 'GB', '+33612345678'],
    ['(202) 456-1111', 'US', '+12024561111'],
    ['12024561111', 'US', '+12024561111'],
    ['030 123456', 'DE', '+4930123456'],
    ['06 698 12345', 'IT', '+390669812345'],
    ['06 12 34 56 78', 'FR', '+33612345678'],
    ['0800 SPAM', 'GB', ''],
    ['-020 7946 0000', 'GB', ''],
    ['12345', 'FR', ''],
  ];
  for (const [text, country, e164] of cases) {
    const answer = parseNationalNumber(text, country);
    assert.equal(isRefused(answer) ? '' : answer.e164, e164, text);
  }
});

test('any text is either refused or read into a number that reads into itself', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.stringMatching(/^\+?[0-9 ()-]{5,20}$/),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const number = parseNumber(text);
      if (isRefused(number)) return;
      assert.match(number.e164, /^\+[1-9]\d{4,14}$/);
      assert.equal(number.digits, number.e164.slice(1));
      assert.deepEqual(parseNumber(number.e164), number);
    }),
    { seed: 7, numRuns: 20_000 },
  );
});
