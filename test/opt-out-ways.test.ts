import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isProblem } from '../src/cli/api-client.ts';
import type { Page, TimelineEntry } from '../src/http/api-types.ts';
import { openStory, type Story } from './harness.ts';
import {
  assertOneEnd,
  call,
  consentStatus,
  contactOf,
  getYes,
  newPerson,
  placed,
  PURPOSE,
  reach,
} from './story-people.ts';

/** Every way to say stop, and every way back, through the whole product. */
let story: Story;

before(async () => {
  story = await openStory({ seed: 51 });
});
after(() => story.close());

type Stopped = { contactId: string; optedOutAt: string; already: boolean; endedCalls: string[] };
type Link = { url: string; expiresAt: string };

const KEY_9 = { optOutKey: '9' };

async function lineWith(settings: object): Promise<void> {
  const set = 'update lines set opt_out_key = $1';
  const { optOutKey = null } = settings as { optOutKey?: string };
  await story.database.run({ name: '', text: set }, [optOutKey]);
}

async function timeline(number: string): Promise<TimelineEntry[]> {
  const { id } = await contactOf(story, number);
  const path = `/v1/contacts/${id}/timeline?limit=500`;
  return (await story.api.get<Page<TimelineEntry>>(path)).items;
}

async function entry(number: string, type: string): Promise<TimelineEntry | undefined> {
  return (await timeline(number)).findLast((it) => it.type === type);
}

async function events(number: string): Promise<string[]> {
  const { id } = await contactOf(story, number);
  const text = 'select type from events where contact_id = $1';
  const rows = await story.database.run<{ type: string }>({ name: '', text }, [id]);
  return rows.map(({ type }) => type);
}

async function refusalOfCall(number: string): Promise<string | null> {
  const answer = await call(story, number);
  return isProblem(answer) ? answer.code : null;
}

function heard(number: string, words: string): number {
  const { messages } = story.simulator.person(number);
  return messages.filter(({ from, text }) => from === 'business' && text.includes(words)).length;
}

/** All that the issue asks of a stop: one transaction, told once, and no call afterwards. */
async function assertStopped(number: string, way: string): Promise<void> {
  const all = await timeline(number);
  const said = all.filter(({ type }) => type === 'OptedOut');
  assert.equal(said.length, 1);
  assert.equal(said[0]?.data['way'], way);
  assert.equal(await consentStatus(story, number), 'revoked');
  const contact = await contactOf(story, number);
  assert.ok(contact.doNotCall && contact.optedOutAt !== null);
  assert.equal(await refusalOfCall(number), 'opted_out');
  const told = await events(number);
  for (const type of ['optout.received', 'dnc.added', 'permission.revoked']) {
    assert.equal(told.filter((it) => it === type).length, 1, type);
  }
  const ask = { to: number, purpose: PURPOSE };
  const asked = await story.api.post<object>('/v1/permission-requests', ask);
  assert.ok(isProblem(asked) && asked.code === 'opted_out');
}

async function bridged(last3: string): Promise<{ number: string; id: string }> {
  const number = newPerson(story, last3, '100');
  await getYes(story, number);
  const { id } = await placed(story, number);
  await reach(story, id, 'bridged');
  return { number, id };
}

test('the announced key ends the call, for good', async () => {
  await lineWith(KEY_9);
  const { number, id } = await bridged('601');
  story.media.press(id, '9');
  const ended = await reach(story, id, 'ended');
  await lineWith({});
  assert.deepEqual([ended.outcome, ended.endReason], ['completed', 'opted_out']);
  await assertOneEnd(story, id);
  await assertStopped(number, 'key_press');
  assert.equal((await entry(number, 'OptedOut'))?.data['callId'], id);
});

test('a key that was not announced, and another key, mean nothing', async () => {
  const { number, id } = await bridged('602');
  story.media.press(id, '9');
  await story.pass(1_000);
  await lineWith(KEY_9);
  story.media.press(id, '5');
  await story.pass(1_000);
  await lineWith({});
  assert.equal(await entry(number, 'OptedOut'), undefined);
  story.simulator.act(number, { action: 'hang_up' });
  await reach(story, id, 'ended');
});

test("an agent's button in a call ends it, and keeps who wrote it down sealed", async () => {
  const { number, id } = await bridged('603');
  const body = { reason: 'asked me twice, in German', by: 'Agent Meier' };
  const done = await story.api.post<Stopped>(`/v1/calls/${id}/opt-out`, body);
  assert.ok(!isProblem(done), JSON.stringify(done));
  assert.deepEqual([done.already, done.endedCalls], [false, [id]]);
  await reach(story, id, 'ended');
  await assertStopped(number, 'agent');
  const said = await entry(number, 'OptedOut');
  assert.match(said?.actor ?? '', /^api:key_/);
  assert.equal(JSON.stringify(said?.data).includes('Meier'), false);
  assert.deepEqual(said?.personal, { reason: body.reason, by: body.by });
  const again = await story.api.post<Stopped>(`/v1/calls/${id}/opt-out`, body);
  assert.ok(!isProblem(again) && again.already);
});

test('a stop for a contact calls off what rings, within a second', async () => {
  const number = newPerson(story, '604', '101');
  await getYes(story, number);
  const { id } = await placed(story, number);
  await reach(story, id, 'ringing');
  const contact = await contactOf(story, number);
  const saidAt = story.clock.now();
  await story.api.post(`/v1/contacts/${contact.id}/opt-out`, { reason: 'by letter' });
  await story.until('silence', () => story.simulator.person(number).call === null, 1_000);
  assert.ok(story.clock.now() - saidAt <= 1_000);
  await reach(story, id, 'ended');
  await assertStopped(number, 'agent');
});

test('a number that nobody knows can be stopped too', async () => {
  const number = newPerson(story, '605', '100');
  const done = await story.api.post<Stopped>('/v1/opt-outs', { to: number, reason: 'by phone' });
  assert.ok(!isProblem(done) && !done.already);
  assert.equal(await refusalOfCall(number), 'opted_out');
  // Meta takes no free text to somebody who has not written, so none is tried.
  assert.equal((await entry(number, 'OptedOut'))?.data['confirmation'], false);
});

test('"Don\'t allow calls" in the profile is a stop, and a later "Allow" lifts it', async () => {
  const number = newPerson(story, '606', '100');
  await getYes(story, number);
  story.simulator.act(number, { action: 'revoke' });
  await story.until('the stop', async () => (await contactOf(story, number)).doNotCall);
  await assertStopped(number, 'whatsapp');
  await story.pass(2_000);
  story.simulator.act(number, { action: 'allow_in_profile' });
  await story.until('the lift', async () => !(await contactOf(story, number)).doNotCall);
  assert.ok((await events(number)).includes('optout.lifted'));
});

test('START lifts the stop and no more: no permission is back; one answer is sent', async () => {
  const number = newPerson(story, '607', '100');
  await getYes(story, number);
  story.simulator.act(number, { action: 'write', text: 'STOP' });
  await story.until('the confirmation', () => heard(number, 'removed') > 0);
  await assertStopped(number, 'message');
  await story.pass(2_000);
  story.simulator.act(number, { action: 'write', text: 'yes please' });
  await story.pass(2_000);
  assert.equal(await refusalOfCall(number), 'opted_out');
  story.simulator.act(number, { action: 'write', text: 'START' });
  await story.until('the answer', () => heard(number, 'ask you again') > 0);
  const contact = await contactOf(story, number);
  assert.deepEqual([contact.doNotCall, contact.optedOutAt], [false, null]);
  assert.equal(await consentStatus(story, number), 'revoked');
  assert.ok((await refusalOfCall(number))?.startsWith('permission_'));
  const told = await events(number);
  assert.equal(told.filter((type) => type === 'optout.lifted').length, 1);
  assert.equal(heard(number, 'removed'), 1);
});

test('START leaves the list of the business alone, which cannot lift a stop itself', async () => {
  const number = newPerson(story, '608', '100');
  await getYes(story, number);
  await story.api.post('/v1/do-not-call', { to: number, reason: 'complained to us' });
  story.simulator.act(number, { action: 'write', text: 'stop' });
  await story.until('the stop', async () => (await contactOf(story, number)).optedOutAt !== null);
  for (const list of ['opt_out', undefined]) {
    const lift = {
      to: number,
      reason: 'we would like to',
      ...(list === undefined ? {} : { list }),
    };
    const answer = await story.api.post<object>('/v1/do-not-call/remove', lift);
    assert.ok(isProblem(answer));
    assert.notEqual(answer.status, 200);
  }
  await story.pass(2_000);
  story.simulator.act(number, { action: 'write', text: 'you may call me again' });
  await story.until('the lift', async () => (await contactOf(story, number)).optedOutAt === null);
  assert.equal(await refusalOfCall(number), 'do_not_call');
});

test('a START that was said before the STOP, and comes after it, lifts nothing', async () => {
  const number = newPerson(story, '609', '100');
  await getYes(story, number);
  story.simulator.setFault({ kind: 'delay_webhook', times: 1, delayMs: 5_000 });
  story.simulator.act(number, { action: 'write', text: 'START' });
  await story.pass(2_000);
  story.simulator.act(number, { action: 'write', text: 'STOP' });
  await story.until('the stop', async () => (await contactOf(story, number)).optedOutAt !== null);
  await story.pass(10_000);
  story.simulator.clearFaults();
  assert.equal(await refusalOfCall(number), 'opted_out');
});

test('opening a self-service link changes nothing; its button stops, and lifts again', async () => {
  const number = newPerson(story, '610', '100');
  await getYes(story, number);
  const { id } = await contactOf(story, number);
  const link = await story.api.post<Link>(`/v1/contacts/${id}/self-service-link`, {});
  assert.ok(!isProblem(link), JSON.stringify(link));
  assert.ok(!link.url.includes(id) && !link.url.includes(number.slice(4)));
  const page = await fetch(link.url);
  assert.equal(page.status, 200);
  const html = await page.text();
  assert.ok(html.includes('<html lang="en" dir="ltr">') && html.includes('Stop all calls'));
  assert.ok(!html.includes('<script') && !html.includes(number.slice(4)));
  const policy = page.headers.get('content-security-policy') ?? '';
  assert.ok(policy.includes("default-src 'none'") && policy.includes("form-action 'self'"));
  assert.equal(page.headers.get('cache-control'), 'no-store');
  assert.equal(await consentStatus(story, number), 'granted');

  const stopped = await press(link.url, 'stop');
  assert.ok(stopped.includes('do-not-call list') && stopped.includes('may ask me again'));
  await assertStopped(number, 'self_service');
  await press(link.url, 'stop');
  await story.pass(1_000);
  const lifted = await press(link.url, 'again');
  assert.ok(lifted.includes('Stop all calls'));
  assert.equal((await entry(number, 'OptOutLifted'))?.actor, 'customer');
  assert.equal((await contactOf(story, number)).doNotCall, false);
});

test('a request may carry the link of whoever it goes to', async () => {
  const number = newPerson(story, '613', '100');
  const variables = ['Ada', '{stop_link}'];
  const ask = { to: number, purpose: PURPOSE, variables };
  const asked = await story.api.post<object>('/v1/permission-requests', ask);
  assert.ok(!isProblem(asked), JSON.stringify(asked));
  await story.until('the message', () => heard(number, '/o/') > 0);
  const { messages } = story.simulator.person(number);
  const url = /https?:\S+\/o\/[\w-]+/.exec(messages.map(({ text }) => text).join('\n'))?.[0];
  await press(url ?? '', 'stop');
  assert.equal(await refusalOfCall(number), 'opted_out');
});

test('made up, altered and old links get one and the same answer', async () => {
  const number = newPerson(story, '611', '100');
  await getYes(story, number);
  const { id } = await contactOf(story, number);
  const link = await story.api.post<Link>(`/v1/contacts/${id}/self-service-link`, { validDays: 1 });
  assert.ok(!isProblem(link));
  const base = link.url.slice(0, link.url.lastIndexOf('/') + 1);
  const token = link.url.slice(base.length);
  const flipped = `${token.startsWith('B') ? 'C' : 'B'}${token.slice(1)}`;
  const answers = new Set<string>();
  const broken = [flipped, token.slice(0, -4), 'x', 'a'.repeat(180), `${token}AA`, id];
  for (const bad of broken) {
    const answer = await fetch(`${base}${bad}`);
    answers.add(`${answer.status} ${await answer.text()}`);
    const form = new URLSearchParams({ wish: 'stop' });
    const post = await fetch(`${base}${bad}`, { method: 'POST', body: form });
    answers.add(`${post.status} ${await post.text()}`);
  }
  story.clock.advance(25 * 60 * 60 * 1000);
  const old = await fetch(link.url);
  answers.add(`${old.status} ${await old.text()}`);
  assert.equal(answers.size, 1, [...answers].join('\n'));
  assert.ok([...answers][0]?.startsWith('404'));
  assert.equal((await contactOf(story, number)).doNotCall, false);
});

test('contacts and calls of others are not there, and a reason is asked for', async () => {
  const nobody = 'con_00000000-0000-7000-8000-000000000000';
  for (const path of [`/v1/contacts/${nobody}/opt-out`, '/v1/calls/x/opt-out']) {
    const answer = await story.api.post<object>(path, { reason: 'x' });
    assert.ok(isProblem(answer) && answer.status === 404, path);
  }
  const bare = await story.api.post<object>('/v1/opt-outs', { to: '+447700900612' });
  assert.ok(isProblem(bare) && bare.code === 'invalid_request');
  const stranger = await fetch(new URL('/v1/opt-outs', story.server.url ?? ''), { method: 'POST' });
  assert.equal(stranger.status, 401);
});

test('the time from webhook to effect is a metric', async () => {
  const text = await (await fetch(new URL('/metrics', story.server.url ?? ''))).text();
  const count = /askfirst_opt_out_latency_seconds_count (\d+)/.exec(text)?.[1];
  assert.ok(Number(count) >= 8, count);
  assert.match(text, /askfirst_opt_outs_late_total 0/);
  assert.match(text, /askfirst_inbox_oldest_seconds 0/);
});

async function press(url: string, wish: 'stop' | 'again'): Promise<string> {
  const body = new URLSearchParams({ wish });
  const answer = await fetch(url, { method: 'POST', body, redirect: 'manual' });
  assert.equal(answer.status, 303);
  const target = new URL(answer.headers.get('location') ?? '', url);
  return (await fetch(target)).text();
}
