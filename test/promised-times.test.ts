import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isProblem } from '../src/cli/api-client.ts';
import type { CallView, EligibilityView, Page, Problem } from '../src/http/api-types.ts';
import { isoTime } from '../src/platform/clock.ts';
import { assertProblem, send } from './api-peer.ts';
import { openStory, type Story } from './harness.ts';
import {
  PURPOSE,
  ask,
  call,
  consentStatus,
  getYes,
  newPerson,
  placed,
  reach,
} from './story-people.ts';

/** Calls come when the customer expects them, and people who do not pick up are left alone. */
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
let story: Story;
let next = 200;

before(async () => {
  story = await openStory({ seed: 22 });
});
after(() => story.close());

const somebody = (like: string): string => newPerson(story, String(next++), like);
const inMs = (ms: number): string => isoTime(story.clock.now() + ms);
const eligible = (to: string, at?: string): Promise<EligibilityView> => {
  const query = new URLSearchParams({ to, purpose: PURPOSE, ...(at === undefined ? {} : { at }) });
  return story.api.get<EligibilityView>(`/v1/eligibility?${query.toString()}`);
};
const refusedCall = async (to: string, more: object): Promise<Problem> => {
  const answer = await call(story, to, more);
  assert.ok(isProblem(answer));
  return answer;
};

test('a call is scheduled within an hour of the yes, dialled, or cancelled', async () => {
  const number = somebody('101');
  await getYes(story, number);
  const scheduledAt = inMs(30 * MINUTE);
  const { id, dueAt, status } = await placed(story, number, { scheduledAt });
  assert.deepEqual([dueAt, status], [scheduledAt, 'queued']);
  await story.pass(10_000);
  assert.equal(story.simulator.person(number).call, null);
  story.clock.advance(30 * MINUTE - 20_000);
  const ended = await reach(story, id, 'ended');
  assert.equal(ended.outcome, 'completed');
  assert.ok(Date.parse(ended.initiatedAt ?? '') >= Date.parse(scheduledAt));

  const other = somebody('101');
  await getYes(story, other);
  const waiting = await placed(story, other, { scheduledAt: inMs(30 * MINUTE) });
  const listed = await story.api.get<Page<CallView>>('/v1/calls?limit=1');
  assert.equal(listed.items[0]?.id, waiting.id);
  await story.api.post(`/v1/calls/${waiting.id}/hangup`, {});
  assert.equal((await reach(story, waiting.id, 'ended')).outcome, 'canceled');
});

test('a call that is scheduled too late is refused with the latest right time', async () => {
  const number = somebody('101');
  await getYes(story, number);
  const { grantedAt } = await grantOf(number);
  const late = await refusedCall(number, { scheduledAt: inMs(2 * HOUR) });
  assert.equal(late.code, 'promise_missed');
  assert.equal(late.latestAt, isoTime(grantedAt + HOUR - 1));
  const tomorrow = await refusedCall(number, { scheduledAt: inMs(30 * HOUR) });
  assert.equal(tomorrow.code, 'permission_expired');
  assert.equal(tomorrow.latestAt, isoTime(grantedAt + HOUR - 1));
  // The latest time itself is right.
  const { id } = await placed(story, number, { scheduledAt: late.latestAt });
  await story.api.post(`/v1/calls/${id}/hangup`, {});
});

test('where only time stands in the way, the call waits for the first right minute', async () => {
  const number = somebody('101');
  await getYes(story, number, { promisedAt: inMs(2 * HOUR) });
  const early = await refusedCall(number, {});
  assert.equal(early.code, 'promise_not_due');
  const { id, dueAt } = await placed(story, number, { onBlocked: 'schedule' });
  assert.equal(dueAt, early.allowedAt);
  assert.ok(Date.parse(dueAt) > story.clock.now());
  story.clock.advance(Date.parse(dueAt) - story.clock.now() - 10_000);
  assert.equal(story.simulator.person(number).call, null);
  assert.equal((await reach(story, id, 'ended')).outcome, 'completed');

  // No time heals a no.
  const stranger = somebody('101');
  const refused = await refusedCall(stranger, { onBlocked: 'schedule' });
  assert.equal(refused.code, 'permission_missing');
});

test('a call comes at the promised time, not before and not long after', async () => {
  const number = somebody('101');
  const promisedAt = inMs(3 * HOUR);
  await ask(story, number, { promisedAt });
  await story.until('a yes', async () => (await consentStatus(story, number)) === 'granted');
  const early = await refusedCall(number, {});
  assert.equal(early.code, 'promise_not_due');
  assert.equal(early.allowedAt, isoTime(Date.parse(promisedAt) - 15 * MINUTE));
  assert.equal((await eligible(number)).allowed, false);
  const then = await eligible(number, promisedAt);
  assert.equal(then.allowed, true);
  assert.equal(then.at, promisedAt);
  assert.equal(then.latestAt, isoTime(Date.parse(promisedAt) + HOUR - 1));
  story.clock.advance(4 * HOUR);
  const late = await refusedCall(number, {});
  assert.deepEqual([late.code, late.allowedAt], ['promise_missed', undefined]);
});

test('every verdict names its layer, its source and its evidence', async () => {
  const { rules, layers, policyPack } = await eligible(somebody('101'));
  assert.deepEqual(layers, [policyPack]);
  for (const { rule, layer, source, verdict } of rules) {
    if (layer === 'none') assert.equal(verdict, 'not_applicable', rule);
    else assert.ok(source.startsWith(`${layer}, `), `${rule}: ${source}`);
  }
  const asked = rules.find(({ rule }) => rule === 'permission_live');
  assert.equal(asked?.code, 'permission_missing');
});

test('outside a sandbox the law of the place binds: no calls to France on a Sunday', async () => {
  const answer = await send(story, 'PATCH', '/v1/policy', { body: { lawOverlays: 'automatic' } });
  assert.equal(answer.status, 200, answer.text);
  try {
    const sunday = '2026-06-07T12:00:00+02:00';
    const question = await eligible('+33612345678', sunday);
    const hours = question.rules.find(({ rule }) => rule === 'calling_hours');
    assert.equal(hours?.code, 'outside_calling_hours');
    assert.match(hours?.layer ?? '', /^law-fr/);
    assert.equal(hours?.allowedAt, '2026-06-08T08:00:00.000Z');
    assert.ok(question.layers.some((name) => name.startsWith('law-fr')));
  } finally {
    await send(story, 'PATCH', '/v1/policy', { body: { lawOverlays: 'off' } });
  }
});

test('C-11: after one unanswered call a warning, after two a rest, after three none', async () => {
  const number = somebody('105');
  const unanswered = async (): Promise<void> => {
    await getYes(story, number);
    const { id } = await placed(story, number, { ringTimeoutMs: 5_000 });
    assert.equal((await reach(story, id, 'ended')).outcome, 'no_answer');
  };
  const brake = async () => {
    const { rules } = await eligible(number);
    return rules.find(({ rule }) => rule === 'unanswered_brake');
  };
  await unanswered();
  assert.equal((await brake())?.verdict, 'warn');
  story.clock.advance(4 * DAY);
  await unanswered();
  const second = await brake();
  assert.deepEqual([second?.verdict, second?.code], ['refuse', 'unanswered_brake']);
  assert.match(second?.fix ?? '', /call button/);
  // Nobody is asked for a call that must not be placed.
  const asking = await send(story, 'POST', '/v1/permission-requests', {
    body: { to: number, purpose: PURPOSE },
  });
  assert.equal(assertProblem(asking, 409).code, 'request_limit_reached');
  story.clock.advance(7 * DAY - MINUTE);
  assert.equal((await brake())?.verdict, 'refuse');
  const resting = await send(story, 'POST', '/v1/permission-requests', {
    body: { to: number, purpose: PURPOSE },
  });
  assert.equal(assertProblem(resting, 409).code, 'unanswered_brake');
  story.clock.advance(2 * MINUTE);
  await unanswered();
  story.clock.advance(80 * DAY);
  const third = await brake();
  assert.deepEqual([third?.verdict, third?.allowedAt], ['refuse', null]);
  assert.equal(story.simulator.person(number).pastCalls.length, 3);
});

test('a call that is picked up sets the count of unanswered calls back', async () => {
  const number = somebody('105');
  await getYes(story, number);
  const { id } = await placed(story, number, { ringTimeoutMs: 5_000 });
  await reach(story, id, 'ended');
  story.clock.advance(4 * DAY);
  await getYes(story, number);
  const answered = await placed(story, number);
  await reach(story, answered.id, 'ringing');
  story.simulator.act(number, { action: 'answer' });
  await reach(story, answered.id, 'bridged');
  story.simulator.act(number, { action: 'hang_up' });
  await reach(story, answered.id, 'ended');
  const { rules } = await eligible(number);
  assert.equal(rules.find(({ rule }) => rule === 'unanswered_brake')?.verdict, 'pass');
});

async function grantOf(number: string): Promise<{ grantedAt: number }> {
  const { permissionId } = await eligible(number);
  const { grantedAt } = await story.api.get<{ grantedAt: string }>(
    `/v1/permissions/${permissionId}`,
  );
  return { grantedAt: Date.parse(grantedAt) };
}
