import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../platform/random.ts';
import { JITTER_SHARE, judgeAttempt, RETRY_SCHEDULE_MS, retryAfterMs } from './webhooks.ts';

const NOW = Date.UTC(2026, 0, 5, 12);
const random = seededRandom(2);
const answer = (status: number | null, retryAfter: string | null = null) => ({
  status,
  error: status === null ? 'ECONNRESET' : null,
  retryAfter,
});

test('only 2xx is success', () => {
  for (const status of [200, 201, 204, 299]) {
    assert.deepEqual(judgeAttempt(1, answer(status), NOW, random), { status: 'delivered' });
  }
  for (const status of [null, 100, 199, 300, 301, 304, 307, 400, 401, 404, 500, 503]) {
    assert.equal(judgeAttempt(1, answer(status), NOW, random).status, 'pending', `${status}`);
  }
});

test('each wait lies within 10 % of the table, and ten tries are all', () => {
  for (let tries = 1; tries < RETRY_SCHEDULE_MS.length; tries += 1) {
    const wait = RETRY_SCHEDULE_MS[tries] ?? 0;
    for (let round = 0; round < 200; round += 1) {
      const verdict = judgeAttempt(tries, answer(500), NOW, random);
      assert.ok(verdict.status === 'pending');
      const off = Math.abs(verdict.nextAttemptAt - NOW - wait);
      assert.ok(off <= wait * JITTER_SHARE + 1, `try ${tries}: ${off}`);
    }
  }
  const last = judgeAttempt(RETRY_SCHEDULE_MS.length, answer(500), NOW, random);
  assert.deepEqual(last, { status: 'failed', disable: false });
});

test('410 ends it at once and asks to disable the endpoint', () => {
  assert.deepEqual(judgeAttempt(1, answer(410), NOW, random), { status: 'failed', disable: true });
});

test('Retry-After is honoured where the receiver asks to slow down, never to hurry', () => {
  const next = (status: number, header: string) => {
    const verdict = judgeAttempt(1, answer(status, header), NOW, random);
    return verdict.status === 'pending' ? verdict.nextAttemptAt - NOW : undefined;
  };
  for (const status of [429, 502, 503, 504]) assert.equal(next(status, '3600'), 3_600_000);
  assert.ok((next(500, '3600') ?? 0) < 6_000, 'a plain 500 says nothing about when');
  assert.ok((next(503, '1') ?? 0) >= 4_500, 'sooner than the table is not taken');
});

const RETRY_AFTER: Array<[string | null, number]> = [
  [null, 0],
  ['', 0],
  ['0', 0],
  ['120', 120_000],
  [' 5 ', 5_000],
  ['-5', 0],
  ['1e9', 0],
  ['999999999', 86_400_000],
  ['99999999999999999999', 0],
  ['soon', 0],
  ['Mon, 05 Jan 2026 12:00:30 GMT', 30_000],
  ['Mon, 05 Jan 2026 11:00:00 GMT', 0],
  ['Fri, 31 Dec 2099 23:59:59 GMT', 86_400_000],
];
for (const [header, ms] of RETRY_AFTER) {
  test(`Retry-After ${JSON.stringify(header)} means ${ms} ms`, () => {
    assert.equal(retryAfterMs(header, NOW), ms);
  });
}
