import assert from 'node:assert/strict';
import { request } from 'undici';
import { ensureAccount } from '../src/accounts/account-store.ts';
import { createApiKey } from '../src/http/api-keys-store.ts';
import type { Problem } from '../src/http/api-types.ts';
import { makeIds, type AccountId } from '../src/platform/ids.ts';
import { seededRandom } from '../src/platform/random.ts';
import type { Story } from './harness.ts';

/** What tests of the API's border need: raw requests, a second account, and what is a good "no". */
export type Answer = {
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  text: string;
};

export type Sent = {
  /** Null: no Authorization header. */
  key?: string | null;
  headers?: Record<string, string>;
  /** Text and bytes go as they are, anything else as JSON. */
  body?: unknown;
};

let sentKeys = 0;

/** One request as a stranger would write it; POST gets a fresh Idempotency-Key unless told. */
export async function send(
  story: Story,
  method: string,
  path: string,
  sent: Sent = {},
): Promise<Answer> {
  const { key = story.apiKey, body } = sent;
  const isRaw = typeof body === 'string' || body instanceof Uint8Array;
  sentKeys += 1;
  const answer = await request(`${story.server.url}${path}`, {
    method: method as 'GET',
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(method === 'POST' ? { 'idempotency-key': `test-${sentKeys}` } : {}),
      ...sent.headers,
    },
    ...(body === undefined ? {} : { body: isRaw ? body : JSON.stringify(body) }),
  });
  const text = await answer.body.text();
  return { status: answer.statusCode, headers: answer.headers, text };
}

/** Another account with a key of its own. */
export async function secondAccount(
  story: Story,
  name = 'Somebody else',
): Promise<{ accountId: AccountId; key: string }> {
  const random = seededRandom(99);
  const ids = makeIds(story.clock, random);
  return story.database.transaction(async (tx) => {
    const accountId = await ensureAccount(tx, ids, name);
    const spec = { accountId, name, mode: 'test' as const, now: story.clock.now() };
    const { key } = await createApiKey(tx, spec, { ids, random });
    return { accountId, key };
  });
}

const MEMBERS = ['type', 'title', 'code', 'detail', 'fix', 'docs_url', 'request_id'] as const;
/** What only programmers of this server could make sense of. */
const INSIDES = /\bat .*\.(ts|js):\d|node_modules|invalid_type|too_small|ZodError|SQLSTATE/;

/** A good "no": every member, a fix in words, nothing from inside. */
export function assertProblem(answer: Answer, status?: number): Problem {
  const shown = `${answer.status} ${answer.text.slice(0, 500)}`;
  assert.match(String(answer.headers['content-type']), /^application\/problem\+json/, shown);
  const problem = JSON.parse(answer.text) as Problem;
  if (status !== undefined) assert.equal(answer.status, status, shown);
  assert.ok(answer.status >= 400 && answer.status < 500, shown);
  assert.equal(problem.status, answer.status);
  for (const name of MEMBERS) {
    assert.ok(typeof problem[name] === 'string' && problem[name].length > 0, `${name}: ${shown}`);
  }
  assert.match(problem.title, /^[A-Z].*\.$/, shown);
  assert.match(problem.docs_url, new RegExp(`#${problem.code}$`));
  assert.match(problem.request_id, /^req_/);
  assert.doesNotMatch(answer.text, INSIDES, shown);
  for (const { field, rule, fix } of problem.fields ?? []) {
    assert.ok(field !== '' && rule !== '' && fix !== '', shown);
  }
  return problem;
}
