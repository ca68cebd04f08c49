import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const MAIN = join(import.meta.dirname, 'main.ts');

function lint(input: string, ...more: string[]) {
  const args = [MAIN, 'template', 'lint', '-', ...more];
  return spawnSync(process.execPath, args, { input, encoding: 'utf8' });
}

const GOOD = {
  name: 'order_callback',
  language: 'en_US',
  body: 'Hello {{1}}, may we call you on WhatsApp, free over data/WiFi, about {{2}} today?',
  samples: ['Maria', 'your order 1042'],
  nativePermissionRequest: true,
};

test('a good template ends with 0, a bad one with 1 and what to change', () => {
  const good = lint(JSON.stringify(GOOD));
  assert.equal(good.status, 0, good.stderr);
  assert.match(good.stdout, /nothing stands against/);
  const bad = lint(JSON.stringify({ ...GOOD, samples: [] }));
  assert.equal(bad.status, 1);
  assert.match(bad.stdout, /✗ samples: .*one sample for each/);
});

test("Meta's own form is read too, and --json prints one object", () => {
  const { name, language, body } = GOOD;
  const components = [
    { type: 'BODY', text: body, example: { body_text: [GOOD.samples] } },
    { type: 'BUTTONS', buttons: [{ type: 'QUICK_REPLY', text: 'Yes, call me' }] },
  ];
  const form = { name, language, category: 'UTILITY', components };
  const { status, stdout } = lint(JSON.stringify(form), '--json');
  assert.equal(status, 1);
  const { findings } = JSON.parse(stdout) as { findings: Array<{ rule: string }> };
  assert.ok(findings.some(({ rule }) => rule === 'no_decline_option'));
});

test('what is no template ends with 2 and says why', () => {
  const { status, stderr } = lint('{"name":1}');
  assert.equal(status, 2);
  assert.match(stderr, /name/);
});
