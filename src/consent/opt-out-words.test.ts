import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readOptOut, wantsCallsKept } from './opt-out.ts';
import { WORDED_LANGUAGES, directionOf, languageFor, wordsIn } from './opt-out-words.ts';

test('the words stand in at least 20 languages, each in its own', () => {
  assert.ok(WORDED_LANGUAGES.length >= 20);
  const confirmations = WORDED_LANGUAGES.map((language) => wordsIn(language).confirmed);
  assert.equal(new Set(confirmations).size, WORDED_LANGUAGES.length);
  for (const language of WORDED_LANGUAGES) {
    for (const [key, text] of Object.entries(wordsIn(language))) {
      assert.ok(
        text.trim() === text && text.length > 3 && text.length <= 200,
        `${language} ${key}`,
      );
    }
  }
});

test('every answer that the question offers is understood as it is meant', () => {
  const kept = {
    ...{ en: 'YES CALL', de: 'JA ANRUFEN', fr: 'OUI APPELEZ', es: 'SÍ LLAMAR', pt: 'SIM LIGAR' },
    ...{ it: 'SÌ CHIAMATE', nl: 'JA BELLEN', pl: 'TAK DZWOŃCIE', ru: 'ДА ЗВОНИТЕ' },
    ...{ uk: 'ТАК ДЗВОНІТЬ', tr: 'EVET ARAYIN', ar: 'نعم اتصل', he: 'כן להתקשר' },
    ...{ fa: 'بله زنگ بزنید', hi: 'हाँ कॉल करें', bn: 'হ্যাঁ কল করুন', zh: '可以打电话' },
    ...{ ja: 'はい電話してください', ko: '네 전화하세요', th: 'โทรได้', vi: 'CỨ GỌI' },
    ...{ id: 'BOLEH TELEPON', sw: 'NDIYO PIGA', el: 'ΝΑΙ ΚΑΛΕΣΤΕ', ro: 'DA SUNAȚI' },
    ...{ cs: 'ANO VOLEJTE', sv: 'JA RING' },
  };
  assert.deepEqual(Object.keys(kept).sort(), [...WORDED_LANGUAGES].sort());
  for (const [language, answer] of Object.entries(kept)) {
    assert.ok(wordsIn(language).question.includes(answer), `${language} offers ${answer}`);
    assert.ok(wantsCallsKept(answer), `${answer} keeps the calls`);
  }
  for (const stop of ['STOP', 'STOPP', 'СТОП', 'قف']) assert.equal(readOptOut(stop), 'exact', stop);
});

test('the language is that of the last request, else of the country, else English', () => {
  const cases = [
    ['pt_BR', 'US', 'pt'],
    ['xx', 'DE', 'de'],
    [null, 'JP', 'ja'],
    [null, 'IN', 'hi'],
    [null, 'GB', 'en'],
    [null, null, 'en'],
    [null, 'no country', 'en'],
  ] as const;
  for (const [asked, country, language] of cases) {
    assert.equal(languageFor({ asked, country }), language);
  }
  assert.equal(wordsIn('xx'), wordsIn('en'));
  assert.deepEqual([directionOf('ar'), directionOf('de')], ['rtl', 'ltr']);
});
