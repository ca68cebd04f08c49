import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../platform/clock.ts';
import { seededRandom } from '../platform/random.ts';
import type { Egress } from '../webhooks/egress.ts';
import { makeSecret, verify } from '../webhooks/signing.ts';
import { askNextStep, readAnswer } from './script-asking.ts';
import { checkScript } from './script-check.ts';
import type { Step } from './script.ts';

const secret = makeSecret(seededRandom(1));
type Answer = Awaited<ReturnType<Egress['ask']>>;
const answered = (status: number, text: string): Answer => ({
  status,
  error: null,
  retryAfter: null,
  text,
});
const silent: Answer = { status: null, error: 'timed_out', retryAfter: null, text: null };

function askStep(): Extract<Step, { do: 'url' }> {
  const steps = [{ name: 'ask', do: 'url', url: 'https://example.com/x', tries: 3, onFail: 'end' }];
  const checked = checkScript({ name: 'x', steps });
  assert.ok(checked.ok);
  const step = checked.script.steps.get('ask');
  assert.ok(step?.do === 'url');
  return step;
}

/** Asks a service that gives these answers, one after the other. */
async function ask(...answers: Answer[]) {
  const clock = new ManualClock();
  const asked: Array<{ headers: Readonly<Record<string, string>>; body: string }> = [];
  const egress = {
    ask: async (_url: string, headers: Readonly<Record<string, string>>, body: string) => {
      asked.push({ headers, body });
      return answers[asked.length - 1] ?? silent;
    },
  } as unknown as Egress;
  const question = { id: 'call_1-1', step: askStep(), secret, data: { callId: 'call_1' } };
  const asking = askNextStep({ egress, clock }, question);
  for (let turn = 0; turn < 5; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(300);
  }
  return { told: await asking, asked, now: clock.now() };
}

test('the question is signed as our webhooks are, and tells the call', async () => {
  const { told, asked, now } = await ask(answered(200, '{"next":"b","set":{"x":"1"}}'));
  assert.deepEqual(told, { answer: { next: 'b', set: { x: '1' } }, problem: '' });
  const [first] = asked;
  assert.ok(first !== undefined);
  assert.deepEqual(verify([secret], { ...first, now }), { ok: true });
});

test('a service that is silent or broken is asked again, with the same id', async () => {
  const { told, asked } = await ask(silent, answered(503, ''), answered(200, ''));
  assert.deepEqual(told, { answer: {}, problem: '' });
  assert.equal(new Set(asked.map(({ headers }) => headers['webhook-id'])).size, 1);
});

test('it is given up after its tries, and at once where it says no', async () => {
  const tired = await ask(silent, silent, silent, answered(200, ''));
  assert.deepEqual(tired.told, { answer: null, problem: 'timed_out' });
  const refused = await ask(answered(404, ''));
  assert.deepEqual([refused.told.problem, refused.asked.length], ['http_404', 1]);
  const moved = await ask(answered(302, ''));
  assert.equal(moved.told.problem, 'http_302', 'redirects are not followed');
});

test('an answer that is none is not believed, and not asked for again', async () => {
  for (const text of ['<html>', '[]', '{"go":"b"}', '{"steps":[]}', '{"set":{"A B":"x"}}']) {
    const { told, asked } = await ask(answered(200, text));
    assert.deepEqual([told.problem, asked.length], ['answer_unusable', 1], text);
  }
  assert.deepEqual(readAnswer('{}'), {});
});
