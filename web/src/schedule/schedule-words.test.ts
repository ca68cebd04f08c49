import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Problem } from '../../../src/http/api-types.ts';
import {
  dayName,
  fromLocalInput,
  localInput,
  offeredTimes,
  spanOf,
  waitText,
} from './schedule-words.ts';

const NOON = new Date(2026, 5, 3, 12).getTime();
const inHours = (hours: number): string => new Date(NOON + hours * 3_600_000).toISOString();

test('the spans are days of this place, and what is overdue belongs to today', () => {
  assert.deepEqual(spanOf('today', NOON), { from: undefined, until: inHours(12) });
  assert.deepEqual(spanOf('tomorrow', NOON), { from: inHours(12), until: inHours(36) });
  assert.deepEqual(spanOf('all', NOON), { from: undefined, until: undefined });
});

test('days have names, and yesterday is overdue', () => {
  assert.match(dayName(inHours(1), NOON), /^Today, Wednesday/);
  assert.match(dayName(inHours(13), NOON), /^Tomorrow, Thursday/);
  assert.match(dayName(inHours(-13), NOON), /overdue$/);
  assert.equal(dayName(inHours(40), NOON), 'Friday 5 June');
});

test('what a call waits for is said in words, also where it is a new code', () => {
  assert.equal(waitText('agents_unavailable'), 'Waits: no agent is free');
  assert.equal(waitText('campaign_paused'), 'Waits: its campaign is paused');
  assert.equal(waitText('something_new'), 'Waits: something new');
});

test('a refusal offers its other times once, in order, and none that is over', () => {
  const problem = {
    allowedAt: inHours(2),
    latestAt: inHours(-1),
    evidence: { alternatives: [inHours(3), inHours(2)] },
  } as unknown as Problem;
  assert.deepEqual(offeredTimes(problem, NOON), [inHours(2), inHours(3)]);
  assert.deepEqual(offeredTimes({} as Problem, NOON), []);
});

test('times go into a field of the browser and come back', () => {
  const text = localInput(NOON);
  assert.equal(text, '2026-06-03T12:00');
  assert.equal(fromLocalInput(text), new Date(NOON).toISOString());
  assert.equal(fromLocalInput(''), null);
});
