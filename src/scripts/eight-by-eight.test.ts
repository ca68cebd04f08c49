import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { fromEightByEight } from './eight-by-eight.ts';
import { checkScript } from './script-check.ts';

const FLOW = {
  validUntil: '2027-01-01T00:00:00Z',
  callflow: [
    { action: 'makeCall', params: { source: '4415', destination: '4477' } },
    { action: 'say', params: { text: 'Hello.', language: 'en_US', voiceProfile: 'x' } },
    { action: 'playFile', params: { fileUrl: 'https://example.com/a/Hello%20There.wav?x=1' } },
    {
      action: 'sayAndCapture',
      params: {
        promptMessage: 'Your number, please.',
        minDigits: 2,
        maxDigits: 6,
        completeOnHash: true,
        digitTimeout: 4,
        overallTimeout: 10,
        noOfTries: 2,
      },
    },
    { action: 'makeCall', params: { destination: '4455' } },
  ],
};

test('each action becomes one step with the same meaning', () => {
  const { script, problems } = fromEightByEight(FLOW, 'Moved');
  assert.deepEqual(problems, []);
  assert.deepEqual(script, {
    name: 'Moved',
    steps: [
      { name: 'action1', do: 'say', text: 'Hello.', language: 'en-US' },
      { name: 'action2', do: 'play', prompt: 'hello-there' },
      {
        name: 'action3',
        do: 'gather',
        prompt: { say: 'Your number, please.' },
        minDigits: 2,
        maxDigits: 6,
        terminator: '#',
        firstDigitTimeoutMs: 10_000,
        betweenDigitsTimeoutMs: 4_000,
        tries: 2,
      },
      { name: 'action4', do: 'connect', onFail: 'unanswered' },
      { name: 'unanswered', do: 'hangup' },
    ],
  });
  assert.ok(checkScript(script).ok);
});

test('the answer of a VCA webhook, which begins without makeCall, is taken as well', () => {
  const callflow = [{ action: 'say', params: { text: 'Hi.' } }, { action: 'hangup' }];
  const { script, problems } = fromEightByEight({ callflow }, 'VCA');
  assert.deepEqual(problems, []);
  assert.ok(checkScript(script).ok);
});

test('what has no meaning here is named, never dropped', () => {
  const callflow = [
    { action: 'makeCall' },
    { action: 'sing' },
    { action: 'say', params: { text: 'x' } },
  ];
  const { problems } = fromEightByEight({ callflow }, 'x');
  assert.deepEqual(
    problems.map(({ step, field }) => [step, field]),
    [['action1', 'action']],
  );
  const three = Array.from({ length: 3 }, () => ({ action: 'makeCall' }));
  assert.match(fromEightByEight({ callflow: three }, 'x').problems[0]?.rule ?? '', /at most two/);
});

test('nothing that is sent does more than be refused', () => {
  fc.assert(
    fc.property(fc.anything(), (input) => {
      fromEightByEight(input, 'x');
      fromEightByEight({ callflow: input }, 'x');
      checkScript(input);
    }),
    { numRuns: 500, seed: 4 },
  );
});
