import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { SCRIPT_SAMPLES } from '../scripts/script-samples.ts';

const MAIN = join(import.meta.dirname, 'main.ts');

function check(input: string, ...more: string[]): { code: number | null; text: string } {
  const args = [MAIN, 'script', 'check', '-', ...more];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { input, encoding: 'utf8' });
  return { code: status, text: stdout + stderr };
}

test('a script is checked and played dry, with the keys that are given', () => {
  const { code, text } = check(JSON.stringify(SCRIPT_SAMPLES[0]), '--keys', '2');
  assert.equal(code, 0, text);
  assert.match(text, /key {6}2/);
  assert.match(text, /end {6}finished reschedule/);
  assert.match(text, /can run/);
});

test('what is wrong is said by step and field; what is no JSON gets another code', () => {
  const { code, text } = check('{"name":"x","steps":[{"name":"a","do":"say"}]}');
  assert.equal(code, 1);
  assert.match(text, /a text: is required/);
  assert.equal(check('{').code, 2);
});

test('an 8x8 call flow is turned into a script of ours', () => {
  const flow = { callflow: [{ action: 'makeCall' }, { action: 'say', params: { text: 'Hi' } }] };
  const { code, text } = check(JSON.stringify(flow), '--json');
  assert.equal(code, 0, text);
  const { script } = JSON.parse(text) as { script: { steps: Array<{ do: string }> } };
  assert.deepEqual(
    script.steps.map((step) => step.do),
    ['say'],
  );
});
