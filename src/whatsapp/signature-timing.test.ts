import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { sign as signDelivery, verify } from '../webhooks/signing.ts';
import { sign, verifySignature } from './signature.ts';

/**
 * M-01, the part that can be proven without a stopwatch: whatever is wrong with a digest, and
 * wherever, the same comparisons are made, each over all its bytes, by the function that OpenSSL
 * makes for this. `npm run bench -- signature` measures the rest (Welch's t over 100,000 tries).
 */
const BODY = Buffer.from('{"object":"whatsapp_business_account","entry":[]}');
const SECRETS = ['app-secret-one', 'app-secret-two', 'app-secret-three'];
const DIGEST_BYTES = 32;

type Comparison = { lengths: [number, number] };

/** Runs `work` and tells every comparison that it made in constant time. */
function comparisonsOf(work: () => void): Comparison[] {
  const made: Comparison[] = [];
  const real = crypto.timingSafeEqual;
  const spy: typeof real = (a, b) => {
    made.push({ lengths: [a.byteLength, b.byteLength] });
    return real(a, b);
  };
  crypto.timingSafeEqual = spy;
  syncBuiltinESMExports();
  try {
    work();
  } finally {
    crypto.timingSafeEqual = real;
    syncBuiltinESMExports();
  }
  return made;
}

/** The header with one hex digit changed; `nth` counts from the first digit of the digest. */
function bent(header: string, nth: number): string {
  const at = header.indexOf('=') + 1 + nth;
  const digit = header[at] === '0' ? '1' : '0';
  return header.slice(0, at) + digit + header.slice(at + 1);
}

test('a digest that is wrong anywhere is compared as often and as long as the right one', () => {
  const good = sign(BODY, 'app-secret-one');
  const right = comparisonsOf(() => assert.equal(verifySignature(BODY, good, SECRETS), true));
  assert.deepEqual(
    right,
    SECRETS.map(() => ({ lengths: [DIGEST_BYTES, DIGEST_BYTES] })),
  );
  for (let nth = 0; nth < 2 * DIGEST_BYTES; nth += 1) {
    const header = bent(good, nth);
    const wrong = comparisonsOf(() => assert.equal(verifySignature(BODY, header, SECRETS), false));
    assert.deepEqual(wrong, right, `digit ${nth}`);
  }
});

test('which of several secrets is the right one does not show', () => {
  for (const secret of SECRETS) {
    const header = sign(BODY, secret);
    const made = comparisonsOf(() => assert.equal(verifySignature(BODY, header, SECRETS), true));
    assert.equal(made.length, SECRETS.length, secret);
  }
});

test("a receiver's check of our own deliveries compares whole digests only", () => {
  const secret = `whsec_${Buffer.alloc(32, 3).toString('base64')}`;
  const now = 1_780_000_000_000;
  const headers = signDelivery([secret], { id: 'evt_1', at: now, body: '{}' });
  const check = (signature: string): Comparison[] =>
    comparisonsOf(() => {
      const given = { ...headers, 'webhook-signature': signature };
      verify([secret], { headers: given, body: '{}', now });
    });
  const right = check(headers['webhook-signature']);
  assert.deepEqual(right, [{ lengths: [DIGEST_BYTES, DIGEST_BYTES] }]);
  const bytes = Buffer.from(headers['webhook-signature'].slice(3), 'base64');
  for (let nth = 0; nth < DIGEST_BYTES; nth += 1) {
    const other = Buffer.from(bytes);
    other.writeUInt8(other.readUInt8(nth) ^ 1, nth);
    assert.deepEqual(check(`v1,${other.toString('base64')}`), right, `byte ${nth}`);
  }
});

/** Files that compute a MAC or look up a secret, and how they may not compare it. */
const SECRET_WORDS = 'expected|given|hmac|mac|tag|digest|signature|token';
const EARLY_EXIT = new RegExp(
  String.raw`\.equals\(|\.compare\(` +
    String.raw`|[!=]==\s*(?:${SECRET_WORDS}|secret)\b(?!\.)` +
    String.raw`|\b(?:${SECRET_WORDS})\s*[!=]==(?!\s*(?:undefined|null|''))`,
);

test('no file that checks a secret compares it in a way that stops at the first difference', () => {
  const root = join(import.meta.dirname, '../..');
  const checking = globSync('src/**/*.ts', { cwd: root })
    .filter((file) => !file.endsWith('.test.ts'))
    .map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }))
    .filter(({ text }) => text.includes('timingSafeEqual'));
  assert.ok(checking.length >= 5, `only ${checking.length} files check a secret`);
  for (const { file, text } of checking) {
    const line = text.split('\n').find((each) => EARLY_EXIT.test(each.replace(/typeof \w+/g, '')));
    assert.equal(line, undefined, `${file}: ${line}`);
  }
});

test('the rule above sees what it forbids', () => {
  for (const line of [
    'if (given.equals(expected)) return true;',
    'return hmac === expected;',
    'if (token !== secret) return;',
    'return signature === wanted;',
  ]) {
    assert.match(line, EARLY_EXIT);
  }
});
