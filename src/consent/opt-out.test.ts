import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as fc from 'fast-check';
import groups from './opt-out-phrases.json' with { type: 'json' };
import { readOptOut, wantsCallsKept } from './opt-out.ts';

type Phrase = { language: string; band: string; phrase: string };

const phrases: Phrase[] = groups.flatMap(({ language, band, phrases: own }) =>
  own.map((phrase) => ({ language, band, phrase })),
);
const blocking = phrases.filter(({ band }) => band === 'exact' || band === 'likely');
const worded = blocking.filter(({ language }) => language !== 'zxx');
const blocks = (text: string): boolean => ['exact', 'likely'].includes(readOptOut(text) ?? '');

/** The messages of a list in the test folder: one a line, after their language and a tab. */
function messagesOf(name: string): string[] {
  const list = readFileSync(new URL(`../../test/${name}`, import.meta.url), 'utf8');
  const rows = list.split('\n').filter((line) => /^\w+\t/.test(line));
  assert.ok(new Set(rows.map((row) => row.split('\t')[0])).size >= 10);
  return rows.map((row) => row.slice(row.indexOf('\t') + 1));
}

test("the page's phrases and the trade's sure words opt out at once", () => {
  const sure = [
    'stop calls',
    'no calls',
    'stop',
    'unsubscribe',
    'end',
    'quit',
    'stopall',
    'revoke',
  ];
  const more = ['optout', 'opt out', 'opt-out', 'cancel', 'arrêt', "don't call me", 'STOP ALL'];
  for (const text of [...sure, ...more]) assert.equal(readOptOut(text), 'exact', text);
});

test('case, width, emoji, punctuation, leet and look-alikes do not hide an opt-out', () => {
  const texts = ['STOP', 'Stop.', '  stop!!! ', '"Stop calls"', 'stop   calls', 'Stop-calls'];
  texts.push(
    'STOP 🛑',
    '🛑🙏🏽 stop calls ✋️',
    'ＳＴＯＰ',
    's\u200btop',
    '\u202estop\u202c',
    'stop\n',
  );
  texts.push(
    'stop\u00a0calls',
    '¡Stop!',
    'S.T.O.P',
    's t o p',
    'don\u2019t call',
    'stoppp',
    'STOPP',
  );
  texts.push('st0p', '5t0p', 'c4ncel', 'ѕtор', 'cтoп', 'stоp', 'ѕtop cаlls', '𝓢𝓣𝓞𝓟', 'ⓢⓣⓞⓟ');
  for (const text of texts) assert.equal(readOptOut(text), 'exact', JSON.stringify(text));
});

test('a stop among other words, or by a sign, is likely', () => {
  const texts = ["please don't call me again", 'stop calls thanks', 'Please stop, thanks', '🛑'];
  texts.push(
    'no more calls!! I told you',
    'hi, take me off your list',
    '🙅🏽‍♀️',
    'ok 🚫',
    'bitte stopp',
  );
  texts.push('请不要再给我打电话了', 'อย่าโทรมาอีกนะคะ', 'لا تتّصل بي مرةً أخرى', 'stop por favor');
  texts.push(
    'STOP!!! STOP!!!',
    'I told you not to call',
    'não me ligue mais, obrigado',
    'もう電話しないでくださいね',
  );
  for (const text of texts) assert.equal(readOptOut(text), 'likely', text);
});

test('a word that may be about something else is unclear, and ordinary words are nothing', () => {
  const unclear = ['cancel my appointment', 'stop by tomorrow?', 'quit smoking program', '✋'];
  unclear.push('acha', 'ich möchte den Termin absagen', '取消预约', `stop ${'really '.repeat(50)}`);
  for (const text of unclear) assert.equal(readOptOut(text), 'unclear', text);
  const ordinary = [
    '',
    '...',
    "don't stop",
    "don't stop calling me",
    'why don’t you call me',
    '😀',
  ];
  ordinary.push('the bus stop', 'weekend', 'end of month', 'call me', 'วันหยุด', 'unstoppable');
  for (const text of ordinary) assert.equal(readOptOut(text), null, text);
});

test('the list has 300 phrases in 20 languages, and says why a phrase is unclear', () => {
  assert.ok(blocking.length >= 300, `${blocking.length}`);
  const languages = new Set(worded.map(({ language }) => language));
  const named = 'ar he fa ur hi bn zh ja ko th ru uk el tr vi id sw de fr es pt it'.split(' ');
  for (const language of named) assert.ok(languages.has(language), language);
  for (const group of groups) assert.equal('why' in group, group.band === 'unclear');
});

test('of all listed phrases, dressed in noise, at least 99 in 100 block', () => {
  const noises: Array<(phrase: string) => string> = [
    (phrase) => phrase,
    (phrase) => phrase.toUpperCase(),
    (phrase) => `  ${phrase}!!! `,
    (phrase) => `"${phrase}."`,
    (phrase) => `${phrase} 🙏🏽`,
    (phrase) => phrase.replaceAll(' ', '   '),
    (phrase) => phrase.normalize('NFD'),
    (phrase) => phrase.replaceAll('', '\u200b'),
    (phrase) => `\u2067${phrase}\u2069`,
    (phrase) => phrase.replace(/(\p{L})$/u, '$1$1$1'),
    (phrase) => `${phrase}, please`,
    (phrase) => phrase.replace(/o/i, '0'),
  ];
  const missed = worded.flatMap(({ language, phrase }) =>
    noises.flatMap((noise, index) =>
      blocks(noise(phrase)) ? [] : [`${language} ${index} ${phrase}`],
    ),
  );
  const recall = 1 - missed.length / (worded.length * noises.length);
  assert.ok(recall >= 0.99, `${recall}\n${missed.join('\n')}`);
});

test('every phrase has the band it is listed with, when it is the whole message', () => {
  const exact = new Set(phrases.filter(({ band }) => band === 'exact').map(({ phrase }) => phrase));
  for (const { phrase, band } of blocking) {
    if (band === 'exact') assert.equal(readOptOut(phrase), 'exact', phrase);
    else if (!exact.has(phrase)) assert.ok(blocks(phrase), phrase);
  }
  for (const { phrase } of phrases.filter(({ band }) => band === 'keep')) {
    assert.ok(wantsCallsKept(phrase), phrase);
    assert.ok(!blocks(phrase), `${phrase} both keeps and stops`);
  }
});

test('of 1,000 ordinary messages at most 2 in 100 block', () => {
  const messages = messagesOf('ordinary-messages.txt');
  assert.equal(messages.length, 1_000);
  const blocked = messages.filter(blocks);
  assert.ok(blocked.length <= 20, blocked.join('\n'));
});

test('of stops that the list was not made from, most block', () => {
  const stops = messagesOf('unseen-stops.txt');
  const missed = stops.filter((text) => !blocks(text));
  // 3 of 75 on the day the rules of nearness were written; no word may be lost that finds another.
  assert.ok(missed.length <= 3, missed.join('\n'));
});

test('of stops kept away while the rules of nearness were tuned, at least 9 in 10 block', () => {
  const stops = messagesOf('held-out-stops.txt').filter((_, index) => index % 2 === 1);
  const missed = stops.filter((text) => !blocks(text));
  assert.ok(stops.length >= 75);
  assert.ok(missed.length / stops.length <= 0.1, missed.join('\n'));
});

test('of ordinary messages that speak of calls, and of not, at most 1 in 20 blocks', () => {
  const near = messagesOf('near-stops.txt').filter((_, index) => index % 2 === 1);
  const blocked = near.filter(blocks);
  assert.ok(blocked.length / near.length <= 0.05, blocked.join('\n'));
});

test('refusal and call must stand near each other, in one sentence and one language', () => {
  const texts = ['I want the calls to stop', 'ya basta de tantas llamadas', 'mat kijiye call, mat'];
  for (const text of texts) assert.equal(readOptOut(text), 'likely', text);
  const apart = [
    'No more sugar. Call me!',
    "I've had enough, and the children of my neighbours would like to have your phone",
    'basta, call me',
  ];
  for (const text of apart) assert.ok(!blocks(text), text);
});

test('only a clear wish keeps the calls: a bare yes or no may mean either', () => {
  for (const text of [
    'YES CALL',
    'Yes, call!',
    'keep calls',
    "don't stop calling",
    'oui, appelez',
  ]) {
    assert.ok(wantsCallsKept(text), text);
  }
  for (const text of ['yes', 'no', 'ok', 'call', '', 'yes call me never', 'stop']) {
    assert.ok(!wantsCallsKept(text), text);
  }
});

test('invisible characters never change what a message means', () => {
  const invisible = fc.constantFrom(
    ...Array.from('\u200b\u200c\u200d\u2060\ufeff\u202a\u202e\u2066\u2069'),
    ...Array.from('\u00ad\ufe0f\u034f\u180e\u{e0061}\u3164'),
  );
  const words = fc.constantFrom(...phrases.map(({ phrase }) => phrase), 'the bus stop', 'call me');
  fc.assert(
    fc.property(words, fc.array(fc.tuple(fc.nat(), invisible), { maxLength: 8 }), (text, marks) => {
      let dressed = Array.from(text);
      for (const [place, mark] of marks) dressed = dressed.toSpliced(place % 40, 0, mark);
      assert.equal(readOptOut(dressed.join('')), readOptOut(text));
    }),
    { seed: 11, numRuns: 3_000 },
  );
});

test('any text is read without an error', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      assert.ok([null, 'exact', 'likely', 'unclear'].includes(readOptOut(text)));
    }),
    { seed: 12, numRuns: 3_000 },
  );
});

test('a very long message of any pattern is read to its end', () => {
  const units = ['a', 'stop', 'please ', 'dont cal ', '请', '1a$ ', '\u0300', 'аa ', '🛑', '打电'];
  for (const unit of units) {
    for (const length of [10_000, 100_000]) {
      const long = unit.repeat(Math.floor(length / unit.length));
      assert.ok(blocks(`${long} never call me again`), unit);
    }
  }
});
