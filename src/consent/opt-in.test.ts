import assert from 'node:assert/strict';
import { test } from 'node:test';
import groups from './opt-in-phrases.json' with { type: 'json' };
import { wantsCallsAgain } from './opt-in.ts';
import { readOptOut } from './opt-out.ts';

const phrases = groups.flatMap(({ phrases: all }) => all);

test('START and its like take a stop back, in forty languages', () => {
  assert.ok(groups.length >= 40);
  for (const phrase of phrases) {
    for (const text of [phrase, phrase.toUpperCase(), ` ${phrase}! `]) {
      assert.ok(wantsCallsAgain(text), text);
    }
  }
});

test('no phrase that takes a stop back may be read as a stop', () => {
  for (const phrase of phrases) {
    const band = readOptOut(phrase);
    assert.ok(band === null || band === 'unclear', `${phrase} is ${band}`);
  }
});

test('anything more than the words themselves takes nothing back', () => {
  const texts = ['yes', 'ok', 'start my order', 'when do you start', 'do not start', '', 'no'];
  texts.push('you may call me again when hell freezes over', 'never call me again', 'stop');
  for (const text of texts) assert.ok(!wantsCallsAgain(text), text);
});
