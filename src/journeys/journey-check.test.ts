import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SCRIPT_SAMPLES } from '../scripts/script-samples.ts';
import { checkJourney } from './journey-check.ts';
import { READY_JOURNEYS } from './ready-journeys.ts';

const ASK = { name: 'ask', do: 'ask', template: 't', purpose: 'your order 1042' };
const WAIT = { name: 'wait', do: 'wait', for: 'yes', until: { after: '1h' }, else: 'end' };
const CALL = { name: 'call', do: 'call' };
const WHOLE = [ASK, WAIT, CALL];

function problemsOf(steps: readonly object[], more: object = {}): string[] {
  const checked = checkJourney({ name: 'Test', steps, ...more });
  return checked.ok
    ? []
    : checked.problems.map((each) => `${each.step} ${each.field}: ${each.rule}`);
}

test('a journey that asks, waits and calls can run', () => {
  assert.deepEqual(problemsOf(WHOLE), []);
});

for (const { key, journey, scripts } of READY_JOURNEYS) {
  test(`the ready journey ${key} is whole`, () => {
    const checked = checkJourney(journey);
    assert.deepEqual(checked.ok ? [] : checked.problems, []);
    const samples: readonly string[] = SCRIPT_SAMPLES.map(({ name }) => name);
    assert.deepEqual(
      scripts.filter((name) => !samples.includes(name)),
      [],
    );
  });
}

/** What is wrong, and the words that tell it. */
const FAULTS: ReadonlyArray<[what: string, steps: object[], says: string, more?: object]> = [
  [
    'an unknown kind of step',
    [{ do: 'sing' }],
    'step1 do: is one of: ask, wait, call, branch, message, survey, split, end',
  ],
  ['a misspelt field', [{ ...ASK, purpos: 'x' }, WAIT, CALL], 'ask purpos: is not known here'],
  ['a missing field', [{ name: 'ask', do: 'ask', template: 't' }], 'ask purpose: is required'],
  [
    'a moment that is none',
    [ASK, { ...WAIT, until: 'tomorrow' }, CALL],
    'wait until: is "now", {"after": "20m"}, or {"relativeTo": "appointmentAt", "offset": "-1h"}',
  ],
  [
    'a duration without a unit',
    [ASK, { ...WAIT, until: { after: '20' } }, CALL],
    'wait until.after: is a whole number and a unit: 30s, 5m, 24h or 2d',
  ],
  [
    'a wait for the yes that says nothing of silence',
    [ASK, { name: 'wait', do: 'wait', for: 'yes', until: { after: '1h' } }, CALL],
    'wait else: is required',
  ],
  [
    'a way to nowhere',
    [ASK, { ...WAIT, else: 'nowhere' }, CALL],
    'wait else: leads to a step that exists, not to "nowhere"',
  ],
  [
    'two steps of one name',
    [ASK, { ...WAIT, name: 'ask' }, CALL],
    'ask name: is the only of its name',
  ],
  [
    'an undeclared variable',
    [{ ...ASK, purpose: 'your order {{order}}' }, WAIT, CALL],
    'ask purpose: uses "order", which is declared nowhere',
  ],
  [
    'a time relative to a text',
    [ASK, WAIT, { ...CALL, at: { relativeTo: 'day' } }],
    'call at: is relative to a variable of type instant; "day" is none',
    { variables: { day: {} } },
  ],
  [
    'a branch on nothing',
    [...WHOLE, { name: 'if', do: 'branch', on: 'weather', cases: {}, else: 'end' }],
    'if on: is a variable; "weather" is declared nowhere',
  ],
  [
    'a step that nothing leads to',
    [ASK, WAIT, { ...CALL, next: 'end' }, { name: 'lost', do: 'end' }],
    'lost step: is reached from the first step',
  ],
  [
    'a circle in which nothing takes time',
    [{ ...ASK, onRefused: 'ask' }, WAIT, CALL],
    'ask next: leads back to itself without a wait',
  ],
  [
    'a call without a question',
    [CALL],
    'call step: has an ask before it, and one of its own for every call',
  ],
  [
    'a call without a wait for the yes',
    [ASK, CALL],
    'call step: comes after a wait for the yes, on every way to it',
  ],
  [
    'a call after a no',
    [ASK, { ...WAIT, onNo: 'call' }, CALL],
    'call step: comes after a wait for the yes, on every way to it',
  ],
  [
    'a second call on one yes',
    [...WHOLE, { name: 'again', do: 'call' }],
    'again step: has an ask before it, and one of its own for every call',
  ],
  [
    'a wait that nobody was asked for',
    [WAIT, { name: 'x', do: 'end' }],
    'wait for: has an ask before it, on every way to it',
  ],
  [
    'a survey without a call',
    [{ name: 'how', do: 'survey' }],
    'how step: has a call before it, on every way to it',
  ],
  [
    'a wait that is longer than the promise',
    [{ ...ASK, promise: { after: '30m' } }, WAIT, CALL],
    'wait until: is over by the time that "ask" promises',
  ],
  [
    'a call later than promised',
    [
      { ...ASK, promise: { relativeTo: 'due', offset: '-2h' } },
      { ...WAIT, until: { relativeTo: 'due', offset: '-2h' } },
      { ...CALL, at: { relativeTo: 'due', offset: '-1h' } },
    ],
    'call at: is not later than "ask" promises',
    { variables: { due: { type: 'instant' } } },
  ],
  [
    'a message of two kinds',
    [{ name: 'm', do: 'message' }],
    'm text: stands alone: either "text" or "template"',
  ],
];

for (const [what, steps, says, more] of FAULTS) {
  test(`the check tells of ${what}, by step, field and rule`, () => {
    const problems = problemsOf(steps, more);
    assert.ok(problems.includes(says), `${problems.join('\n')}\nlacks: ${says}`);
  });
}

test('a circle with a wait in it is allowed', () => {
  const again = { name: 'later', do: 'wait', for: 'time', until: { after: '2d' }, next: 'ask' };
  assert.deepEqual(problemsOf([ASK, { ...WAIT, else: 'later' }, CALL, { do: 'end' }, again]), []);
});

test('every problem says what to do', () => {
  for (const [, steps, , more] of FAULTS) {
    const checked = checkJourney({ name: 'Test', steps, ...more });
    assert.ok(!checked.ok && checked.problems.every(({ fix }) => fix.endsWith('.')));
  }
});

test('what is no journey at all is told in the same way', () => {
  for (const input of [null, [], 'x', 7, {}, { steps: 'x' }, { name: 'x', steps: [] }]) {
    const checked = checkJourney(input);
    assert.ok(!checked.ok && checked.problems.length > 0);
  }
});
