import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../platform/clock.ts';
import { makeIds } from '../platform/ids.ts';
import { seededRandom } from '../platform/random.ts';
import { WORDED_LANGUAGES, wordsIn, type OptOutWords } from './opt-out-words.ts';
import { stopPage, type ShownPermission } from './stop-page.ts';
import { timeInWords } from './stop-page-time.ts';

const AT = Date.UTC(2026, 10, 23, 15, 30);
const permissionId = makeIds(new ManualClock(), seededRandom(4)).next('permission');

const nobody = { country: null, timeZone: null, e164: null };

function pageWith(allowed: Partial<ShownPermission> | null, language = 'en'): string {
  const until = { iso: new Date(AT).toISOString(), text: 'the end' };
  const held = { permissionId, once: true, until, purpose: 'your order' };
  const line = { name: 'Acme', allowed: allowed === null ? null : { ...held, ...allowed } };
  return stopPage({ language, state: 'open', from: [], lines: [line] });
}

const NEW_WORDS = [
  'mayOnce',
  'may',
  'mayNot',
  'about',
  'until',
  'noEnd',
  'takeBack',
] as const satisfies ReadonlyArray<keyof OptOutWords>;

test('every language says in its own words what may be done now', () => {
  for (const language of WORDED_LANGUAGES) {
    const words = wordsIn(language);
    const said = new Set(NEW_WORDS.map((key) => words[key]));
    assert.equal(said.size, NEW_WORDS.length, `${language} says two things alike`);
    for (const key of NEW_WORDS) {
      assert.ok(language === 'en' || words[key] !== wordsIn('en')[key], `${language} ${key}`);
    }
    const html = pageWith({}, language);
    for (const key of ['mayOnce', 'about', 'until', 'takeBack', 'stop'] as const) {
      assert.ok(html.includes(words[key]), `${language} shows ${key}`);
    }
  }
});

test('one call, calls, no end and no permission are told apart', () => {
  const words = wordsIn('en');
  assert.ok(pageWith({ once: false }).includes(`<p>${words.may}</p>`));
  assert.ok(pageWith({ until: null }).includes(`<dd>${words.noEnd}</dd>`));
  assert.ok(!pageWith({ purpose: null }).includes(words.about));
  const none = pageWith(null);
  assert.ok(none.includes(words.mayNot) && !none.includes(words.takeBack));
  assert.equal(none.match(/<button/g)?.length, 1);
});

test('the page has one heading of the first level, no script, and lets no words be markup', () => {
  const html = pageWith({ purpose: '<script>alert("1")</script> & more' });
  assert.equal(html.match(/<h1/g)?.length, 1);
  assert.ok(!html.includes('<script') && !html.includes('style='));
  assert.ok(html.includes('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; more'));
});

test('a time is told on the clock of its reader, with the offset, in their way', () => {
  const number = { country: 'GB', timeZone: null, e164: '+447700900101' };
  const british = timeInWords(AT, { language: 'en', ...number });
  assert.match(british, /^Monday,? 23 November 2026/);
  assert.match(british, /15:30 GMT\+0$/);
  const known = { ...number, timeZone: 'Asia/Kolkata' };
  assert.match(timeInWords(AT, { language: 'en', ...known }), /21:00 GMT\+5:30$/);
  const german = timeInWords(AT, { language: 'de', ...nobody, e164: '+4930123456' });
  assert.match(german, /^Montag, 23\. November 2026/);
  assert.match(german, /16:30 GMT\+1$|16:30 MEZ$/);
});

test('where the zone cannot be told it is UTC, and says so', () => {
  // A mobile number of the United States may be anywhere between New York and Hawaii.
  const american = { country: 'US', timeZone: null, e164: '+18005550123' };
  for (const reader of [nobody, american, { ...nobody, timeZone: 'Mars/Olympus' }]) {
    assert.match(timeInWords(AT, { language: 'en', ...reader }), /(3:30\sPM|15:30)\sGMT\+0$/);
  }
  for (const language of WORDED_LANGUAGES) {
    assert.ok(timeInWords(AT, { language, ...nobody }).length > 10, language);
  }
});
