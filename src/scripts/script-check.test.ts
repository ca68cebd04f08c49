import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkScript, withAnsweredSteps } from './script-check.ts';
import { SCRIPT_SAMPLES } from './script-samples.ts';

const say = (name: string, more: object = {}) => ({ name, do: 'say', text: 'Hello.', ...more });
const problemsOf = (input: unknown) => {
  const checked = checkScript(input);
  return checked.ok ? [] : checked.problems;
};
const scriptOf = (input: unknown) => {
  const checked = checkScript(input);
  assert.ok(checked.ok, JSON.stringify(checked));
  return checked.script;
};

test('every sample is whole', () => {
  for (const sample of SCRIPT_SAMPLES) assert.deepEqual(problemsOf(sample), [], sample.name);
});

test('a step leads to the one below, the last one to the end', () => {
  const { first, steps } = scriptOf({
    name: 'two',
    steps: [
      { do: 'say', text: 'a' },
      { do: 'say', text: 'b' },
    ],
  });
  assert.equal(first, 'step1');
  assert.deepEqual(
    [...steps.values()].map(({ name, next }) => [name, next]),
    [
      ['step1', 'step2'],
      ['step2', 'end'],
    ],
  );
});

const FAULTS: ReadonlyArray<
  [what: string, steps: object[], problem: [string | null, string, RegExp]]
> = [
  ['an unknown kind of step', [{ do: 'sing' }], ['step1', 'do', /is one of: play, say/]],
  ['a missing field', [{ do: 'say' }], ['step1', 'text', /is required/]],
  ['an unknown field', [say('a', { txt: 1 })], ['a', 'txt', /not known/]],
  ['a field without a name', [say('a', { '': 1 })], ['a', '(no name)', /not known/]],
  ['a number as a text', [say('a', { text: 5 })], ['a', 'text', /type string/]],
  ['a step that leads nowhere', [say('a', { next: 'b' })], ['a', 'next', /not to "b"/]],
  ['two steps of one name', [say('a'), say('a')], ['a', 'name', /only of its name/]],
  ['a step named end', [say('end')], ['end', 'name', /end of the call/]],
  ['a step that nothing leads to', [say('a', { next: 'end' }), say('b')], ['b', 'step', /reached/]],
  ['an unknown variable', [say('a', { text: '{{day}}' })], ['a', 'text', /"day"/]],
  ['a placeholder that is none', [say('a', { text: '{{ }}' })], ['a', 'text', /double braces/]],
  [
    'a branch on what is never set',
    [{ name: 'a', do: 'branch', on: 'mood', cases: { good: 'end' } }],
    ['a', 'on', /"mood"/],
  ],
  [
    'a prompt that both says and plays',
    [{ name: 'a', do: 'gather', prompt: { say: 'x', play: 'y' } }],
    ['a', 'prompt', /either/],
  ],
  [
    'fewer digits than the least',
    [{ name: 'a', do: 'gather', minDigits: 4, maxDigits: 2 }],
    ['a', 'minDigits', /at most maxDigits/],
  ],
  [
    'a case that can never be typed',
    [{ name: 'a', do: 'gather', cases: { '12': 'end' } }],
    ['a', 'cases.12', /minDigits to maxDigits/],
  ],
  ['a connect without a way out', [{ name: 'a', do: 'connect' }], ['a', 'onFail', /required/]],
];

for (const [what, steps, [step, field, rule]] of FAULTS) {
  test(`${what} is named with step, field, rule and fix`, () => {
    const problems = problemsOf({ name: 'faulty', steps });
    const found = problems.find((each) => each.step === step && each.field === field);
    assert.ok(found !== undefined, JSON.stringify(problems));
    assert.match(found.rule, rule);
    assert.notEqual(found.fix, '');
  });
}

test('the key that means stop can be nothing else', () => {
  const gather = { name: 'a', do: 'gather' };
  const withKey = (steps: object[], optOutKey = '9') => problemsOf({ name: 'x', optOutKey, steps });
  assert.match(withKey([{ ...gather, cases: { '9': 'end' } }])[0]?.rule ?? '', /means stop/);
  assert.match(withKey([{ ...gather, maxDigits: 4 }])[0]?.rule ?? '', /means stop at any time/);
  assert.match(withKey([{ ...gather, maxDigits: 4, terminator: '*' }], '*')[0]?.rule ?? '', /not/);
  assert.deepEqual(withKey([{ ...gather, maxDigits: 4 }], '*'), []);
});

test('what is no script at all gets a plain answer', () => {
  for (const input of [null, 5, 'text', [], {}, { steps: {} }, { name: 'x', steps: [] }]) {
    assert.ok(problemsOf(input).length > 0);
  }
});

test('answered steps go in after the question, and lead on to where it would have led', () => {
  const script = scriptOf({
    name: 'asks',
    steps: [
      { name: 'ask', do: 'url', url: 'https://example.com/next', onFail: 'end' },
      say('after'),
    ],
  });
  const at = script.steps.get('ask');
  assert.ok(at !== undefined);
  const whole = withAnsweredSteps(script, at, [
    { do: 'say', text: 'one' },
    { do: 'say', text: 'two' },
  ]);
  assert.ok(whole.ok, JSON.stringify(whole));
  assert.equal(whole.first, 'ask-1');
  assert.equal(whole.script.steps.get('ask-1')?.next, 'ask-2');
  assert.equal(whole.script.steps.get('ask-2')?.next, 'after');
  assert.equal(whole.script.steps.get('after')?.next, 'end');
  assert.equal(withAnsweredSteps(script, at, [{ do: 'say' }]).ok, false);
  assert.equal(withAnsweredSteps(script, at, [null]).ok, false);
  assert.equal(withAnsweredSteps(script, at, []).ok, false);
});
