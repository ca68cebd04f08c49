import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertProblem, secondAccount, send, type Answer } from './api-peer.ts';
import { verify } from './audit-verifier.ts';
import { openStory, type Story } from './harness.ts';
import {
  ask,
  call,
  consentStatus,
  contactOf,
  getYes,
  newPerson,
  person,
  placed,
  reach,
} from './story-people.ts';

/** Meta's page names six kinds of events that the audit trail of each customer must have. */
type Entry = { type: string; at: string; data: Record<string, unknown> };
type Bundle = {
  requests: Array<Record<string, unknown>>;
  answers: Entry[];
  permissions: Array<Record<string, unknown>>;
  calls: Array<Record<string, unknown> & { cdr: Record<string, unknown> }>;
  optOuts: Entry[];
  refusals: Entry[];
  checkpoint: { note: string | null };
  proofs: Array<{ sequence: number }>;
  ledger: Entry[];
};

const EVIL_NAME = `<script>alert(1)</script>&"'`;
const EVIL_PURPOSE = `order <img src=x onerror=alert(1)> 1042 \u202Etxt`;

let story: Story;
let caller: string;
let decliner: string;

before(async () => {
  story = await openStory({ seed: 41 });
  caller = person('101');
  decliner = person('102');
  await getYes(story, caller, { name: EVIL_NAME, purpose: EVIL_PURPOSE });
  const { id } = await placed(story, caller, { purpose: EVIL_PURPOSE });
  await reach(story, id, 'ended');
  await call(story, caller, { purpose: EVIL_PURPOSE });
  story.simulator.act(caller, { action: 'write', text: 'STOP' });
  await story.until('a stop', async () => (await contactOf(story, caller)).doNotCall);
  await ask(story, decliner);
  await story.until('a no', async () => (await consentStatus(story, decliner)) === 'declined');
});
after(() => story.close());

async function bundleOf(number: string): Promise<Bundle> {
  const { id } = await contactOf(story, number);
  const { text } = await send(story, 'GET', `/v1/contacts/${id}/evidence`);
  assert.deepEqual((await verify(text)).problems, []);
  return JSON.parse(text) as Bundle;
}

async function pageOf(number: string): Promise<Answer> {
  const { id } = await contactOf(story, number);
  return send(story, 'GET', `/v1/contacts/${id}/evidence.html`);
}

const utc = (at: unknown): string => String(at).replace('T', ' ').slice(0, 19);

test('when permission was requested, and for what purpose', async () => {
  const { requests } = await bundleOf(caller);
  assert.equal(requests[0]?.['purpose'], EVIL_PURPOSE);
  const { text } = await pageOf(caller);
  assert.ok(text.includes(`Asked on <time datetime="${String(requests[0]?.['createdAt'])}">`));
  assert.match(text, /The text as the customer saw it:<\/p>\s*<blockquote dir="auto">[^<]{20,}/);
});

test('when permission was granted or denied', async () => {
  const granted = await bundleOf(caller);
  assert.ok(granted.answers.some(({ type }) => type === 'PermissionGranted'));
  assert.match((await pageOf(caller)).text, /<td>Permission granted<td><bdi>customer/);
  const denied = await bundleOf(decliner);
  assert.ok(denied.answers.some(({ type }) => type === 'PermissionDeclined'));
  assert.match((await pageOf(decliner)).text, /<td>Permission declined</);
});

test('when permission expires', async () => {
  const [permission] = (await bundleOf(caller)).permissions;
  const expiresAt = String(permission?.['expiresAt']);
  assert.match(expiresAt, /^2026-06-0\dT/);
  const { text } = await pageOf(caller);
  assert.ok(
    text.includes(`<dt>Expires</dt><dd><time datetime="${expiresAt}">${utc(expiresAt)} UTC`),
  );
});

test('when calls were initiated and completed', async () => {
  const [made] = (await bundleOf(caller)).calls;
  const { text } = await pageOf(caller);
  for (const [name, field] of [
    ['Initiated', 'initiatedAt'],
    ['Completed', 'endedAt'],
  ] as const) {
    const at = String(made?.[field]);
    assert.match(at, /^2026-/);
    assert.ok(text.includes(`<dt>${name}</dt><dd><time datetime="${at}">`), name);
  }
});

test('duration and outcome of calls', async () => {
  const [made] = (await bundleOf(caller)).calls;
  assert.equal(made?.['outcome'], 'completed');
  const seconds = Number(made.cdr['billableSeconds']);
  assert.ok(seconds > 0);
  const { text } = await pageOf(caller);
  assert.ok(text.includes(`<dt>Duration</dt><dd>${seconds} s from the pick-up`));
  assert.match(text, /<dt>Outcome<\/dt><dd><bdi>completed<\/bdi>/);
});

test('opt-outs and revocations, and every refusal with its pack', async () => {
  const { optOuts, refusals } = await bundleOf(caller);
  assert.ok(optOuts.some(({ type }) => type === 'OptedOut'));
  assert.ok(refusals.length > 0);
  for (const { data } of refusals) assert.equal(data['policyPack'], 'strict-2026-01');
  const { text } = await pageOf(caller);
  assert.match(text, /<td>Opted out</);
  assert.match(text, /<td>Call blocked<td>.*policyPack: <bdi>strict-2026-01/);
});

test('a minute later each of these entries is proven under a signed checkpoint', async () => {
  story.clock.advance(61_000);
  const proven = await story.until('proofs for all', async () => {
    const bundle = await bundleOf(caller);
    return bundle.proofs.length === bundle.ledger.length ? bundle : null;
  });
  assert.match(proven.checkpoint.note ?? '', /^askfirst\/acct_/);
  const { text } = await pageOf(caller);
  assert.doesNotMatch(text, /not yet under a checkpoint/);
  assert.match(text, /<h3>Signed checkpoint<\/h3><pre>askfirst\/acct_/);
});

test('the page runs and loads nothing, and shows what people typed as text', async () => {
  const { text, headers } = await pageOf(caller);
  const policy = String(headers['content-security-policy']);
  assert.match(policy, /^default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'/);
  assert.doesNotMatch(policy, /unsafe|\*|self/);
  assert.equal(headers['content-type'], 'text/html; charset=utf-8');
  assert.equal(headers['cache-control'], 'no-store');
  assert.doesNotMatch(String(headers['content-disposition']), /447700/);
  const tags = text.match(/<[^>]*>/g)?.join('') ?? '';
  assert.doesNotMatch(tags, /<(script|img|link|iframe|form)|\son\w+=|script:|\b(src|href)=/i);
  assert.ok(text.includes('&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;&#39;'));
  assert.ok(text.includes('order &lt;img src=x onerror=alert(1)&gt; 1042'));
  assert.match(text, /UTC<\/time> <small>\(\d\d:\d\d on 2026-06-03 in Europe\/London/);
  assert.match(text, /<\/html>\s*$/);
});

test('no key, another account, no such contact: no page', async () => {
  const { id } = await contactOf(story, caller);
  const path = `/v1/contacts/${id}/evidence.html`;
  assertProblem(await send(story, 'GET', path, { key: null }), 401);
  const other = await secondAccount(story);
  assertProblem(await send(story, 'GET', path, { key: other.key }), 404);
  assertProblem(await send(story, 'GET', '/v1/contacts/nobody/evidence.html'), 404);
});

test('somebody who was only asked has a page too', async () => {
  const number = newPerson(story, '915', '104');
  await ask(story, number);
  const { text } = await pageOf(number);
  assert.match(text, /<h2>Calls<\/h2>\s*<p>None\.<\/p>/);
});
