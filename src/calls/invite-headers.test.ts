import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CallId, PermissionId } from '../platform/ids.ts';
import type { CallState } from './call.ts';
import { inviteHeaders } from './invite-headers.ts';

const corpus = join(import.meta.dirname, '../../../shared/corpora/naughty-strings.json');

const headersOf = (
  purpose: string,
  clientReference: string | null,
  userToUser: 'off' | 'reference' | 'call_id' = 'reference',
): Record<string, string> => {
  const plan = { id: 'call_1' as CallId, purpose, clientReference } as CallState['plan'];
  const facts = { permissionId: 'perm_1' as PermissionId } as CallState['facts'];
  return inviteHeaders({ plan, facts }, { userToUser });
};

test('an INVITE tells call, purpose, permission and reference', () => {
  const headers = headersOf('your order 1042', 'order-1042');
  assert.deepEqual(headers, {
    'X-WA-Call-Id': 'call_1',
    'X-WA-Purpose': 'your%20order%201042',
    'X-WA-Permission-Id': 'perm_1',
    'X-WA-Customer-Ref': 'order-1042',
    'User-to-User': `${Buffer.from('order-1042').toString('hex')};encoding=hex`,
  });
});

test('User-to-User carries the call id without a reference, or nothing where it is off', () => {
  const callId = `${Buffer.from('call_1').toString('hex')};encoding=hex`;
  assert.equal(headersOf('x', null)['User-to-User'], callId);
  assert.equal(headersOf('x', 'ref', 'call_id')['User-to-User'], callId);
  assert.equal(headersOf('x', 'ref', 'off')['User-to-User'], undefined);
  assert.equal(headersOf('x', null)['X-WA-Customer-Ref'], undefined);
});

test('User-to-User is cut at 128 octets, between characters', () => {
  const value = headersOf('x', '€'.repeat(100))['User-to-User']?.split(';')[0] ?? '';
  const text = Buffer.from(value, 'hex').toString('utf8');
  assert.equal(text, '€'.repeat(42));
});

const HOSTILE = [
  'a\r\nRoute: <sip:evil@example.net>',
  'a\nX: y',
  '\u0000\u000b\u000c',
  '\ud800 half a pair',
  '" <sip:a@b>;tag=x',
  '%0d%0aVia: x',
  '\u2028\u2029\u0085',
];

for (const text of HOSTILE) {
  test(`${JSON.stringify(text)} begins no header of its own`, () => assertHarmless(text));
}

const absent = existsSync(corpus) ? false : 'The corpus of naughty strings is not on this machine.';
test('no naughty string leaves its header', { skip: absent }, () => {
  const strings = JSON.parse(readFileSync(corpus, 'utf8')) as string[];
  assert.ok(strings.length > 100);
  for (const text of strings) assertHarmless(text);
});

function assertHarmless(text: string): void {
  const headers = headersOf(text, text);
  for (const [name, value] of Object.entries(headers)) {
    assert.match(name, /^[A-Za-z-]+$/);
    assert.match(value, /^[!#-;=?-~]*$/, `${name}: ${JSON.stringify(value)}`);
  }
  assert.equal(decodeURIComponent(headers['X-WA-Purpose'] ?? ''), text.toWellFormed());
}
