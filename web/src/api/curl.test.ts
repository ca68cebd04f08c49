import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { asCurl } from './curl.ts';

test('a shell reads back exactly what the page would have sent', () => {
  const body = { to: '+447700900001', purpose: 'the owner\'s $HOME `order` \\ "A"' };
  const command = asCurl({
    url: 'http://127.0.0.1:4000/v1/calls',
    apiKey: 'test_key',
    idempotencyKey: 'k-1',
    body,
  });
  // printf stands in for curl and prints each argument on its own, ended by a zero byte.
  const printed = execFileSync('/bin/sh', ['-c', command.replace('curl', "printf '%s\\0'")]);
  const args = printed.toString().split('\0');
  assert.equal(args[3], 'http://127.0.0.1:4000/v1/calls');
  assert.equal(args[5], 'Authorization: Bearer test_key');
  assert.deepEqual(JSON.parse(args[11] ?? ''), body);
});
