import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BAD_SIDE, BRAKE_NAMES, brakeSettingsSchema } from '../../../src/brakes/brakes.ts';
import { draftOf, RATES, RATE_NAMES, settingsOf, whatHappens } from './brake-draft.ts';

const defaults = brakeSettingsSchema.parse({});

test('what is shown is sent back as it was, also odd percents and rates that are off', () => {
  const set = {
    ...defaults,
    enabled: false,
    slowFactor: 0.07,
    grant_rate: { slow: 0.333, pause: 0.29 },
    unanswered_streaks: null,
  };
  for (const settings of [defaults, set]) {
    assert.deepEqual(brakeSettingsSchema.parse(settingsOf(draftOf(settings))), settings);
  }
});

test('percents are shown as people write them', () => {
  assert.deepEqual(draftOf(defaults).rates.opt_out_rate, { isOn: true, slow: '5', pause: '10' });
});

test('a rate that is switched on begins with what the API would set by itself', () => {
  const none = Object.fromEntries(BRAKE_NAMES.map((name) => [name, null]));
  const draft = draftOf({ ...defaults, ...none });
  for (const rate of Object.values(draft.rates)) rate.isOn = true;
  assert.deepEqual(settingsOf(draft), defaults);
  const sides = RATE_NAMES.map((name) => [name, RATES[name].side]);
  assert.deepEqual(Object.fromEntries(sides), BAD_SIDE);
});

test('an empty field is not taken for nought, and a comma is a point', () => {
  const draft = draftOf(defaults);
  assert.ok(!brakeSettingsSchema.safeParse(settingsOf({ ...draft, slowFactor: ' ' })).success);
  assert.equal(settingsOf({ ...draft, slowFactor: '12,5' }).slowFactor, 0.125);
});

test('the words say what the numbers do, and what switching off leaves', () => {
  const draft = draftOf(defaults);
  assert.match(whatHappens(draft).join(' '), /last 24 hours .* below 50 .* 25 % of its busiest/);
  assert.match(whatHappens({ ...draft, enabled: false }).join(' '), /paused line stays paused/);
});
