import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isProblem } from '../src/cli/api-client.ts';
import type { CallView, PermissionRequestView, Problem } from '../src/http/api-types.ts';
import { statement } from '../src/database/database.ts';
import { send } from './api-peer.ts';
import { openStory, type Story } from './harness.ts';
import { PURPOSE, getYes, newPerson, reach } from './story-people.ts';

/**
 * Proof C-10: no cap is ever passed, not even by one, however many ask at once. A small round runs
 * with the tests; rounds of 200 by
 *
 *   ASKFIRST_CAP_ROUNDS=50 node --test test/caps.test.ts
 */
const ROUNDS = Number(process.env['ASKFIRST_CAP_ROUNDS'] ?? 1);
const AT_ONCE = ROUNDS > 1 ? 200 : 50;
/** A machine that is too busy to answer refuses as well, and that is no fault of a cap. */
const BUSY: readonly string[] = ['database_unreachable', 'temporarily_unavailable'];
let story: Story;
let next = 200;

before(async () => {
  story = await openStory({ seed: 21 });
});
after(() => story.close());

const somebody = (like: string): string => newPerson(story, String(next++), like);
const times = <T>(work: () => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: AT_ONCE }, work));
const limit = async (body: object): Promise<void> => {
  const answer = await send(story, 'PATCH', '/v1/policy', { body });
  assert.equal(answer.status, 200, answer.text);
};
const codesOf = (answers: ReadonlyArray<object>): string[] => {
  const problems = answers.filter((one): one is Problem => isProblem(one));
  return [...new Set(problems.map(({ code }) => code).filter((code) => !BUSY.includes(code)))];
};
const passed = <T extends object>(answers: ReadonlyArray<T | Problem>): T[] =>
  answers.filter((one): one is T => !isProblem(one));

test(`${ROUNDS} rounds: of ${AT_ONCE} requests at once to one person one is sent`, async () => {
  for (let round = 0; round < ROUNDS; round += 1) {
    const to = somebody('103');
    const body = { to, purpose: PURPOSE };
    const answers = await times(() =>
      story.api.post<PermissionRequestView>('/v1/permission-requests', body),
    );
    assert.equal(passed(answers).length, 1);
    assert.deepEqual(codesOf(answers), ['request_limit_reached']);
    await story.pass(2_000);
    assert.equal(story.simulator.person(to).messages.length, 1);
  }
});

test(`${ROUNDS} rounds: of ${AT_ONCE} calls at once to one person one is placed`, async () => {
  for (let round = 0; round < ROUNDS; round += 1) {
    const to = somebody('101');
    await getYes(story, to);
    const body = { to, purpose: PURPOSE };
    const answers = await times(() => story.api.post<CallView>('/v1/calls', body));
    const [call, ...others] = passed(answers);
    assert.ok(call !== undefined);
    assert.deepEqual(others, []);
    assert.deepEqual(codesOf(answers), ['call_in_progress']);
    await reach(story, call.id, 'ended');
    assert.equal(story.simulator.person(to).pastCalls.length, 1);
  }
});

test(`${ROUNDS} rounds: a cap on calls in a week lets just so many pass`, async () => {
  await limit({ callCaps: [{ callsMax: 1, windowMs: 7 * 86_400_000 }] });
  for (let round = 0; round < ROUNDS; round += 1) {
    const to = somebody('101');
    for (let yes = 0; yes < 2; yes += 1) {
      await getYes(story, to);
      const body = { to, purpose: PURPOSE };
      const answers = await times(() => story.api.post<CallView>('/v1/calls', body));
      assert.equal(passed(answers).length, yes === 0 ? 1 : 0);
      const [call] = passed(answers);
      if (call !== undefined) await reach(story, call.id, 'ended');
    }
    assert.equal(story.simulator.person(to).pastCalls.length, 1);
  }
  await limit({ callCaps: null });
});

const COUNTS = statement<{ live: number; waiting: number }>(
  'test_cap_counts',
  `select count(*) filter (where status <> 'queued')::int as live, count(*)::int as waiting
     from calls where status <> 'ended'`,
);

test('the live calls of a line never pass its cap, and those that wait are placed', async () => {
  const cap = 2;
  await limit({ lineCallsMax: cap });
  const people = Array.from({ length: 6 }, () => somebody('101'));
  for (const to of people) await getYes(story, to);
  const answers = await Promise.all(
    people.map((to) => story.api.post<CallView>('/v1/calls', { to, purpose: PURPOSE })),
  );
  assert.equal(passed(answers).length, people.length);
  let most = 0;
  await story.until('every call to end', async () => {
    const { live, waiting } = (await story.database.first(COUNTS)) ?? { live: 0, waiting: 0 };
    most = Math.max(most, live);
    assert.ok(live <= cap, `${live} live calls`);
    return waiting === 0;
  });
  assert.equal(most, cap);
  for (const to of people) assert.equal(story.simulator.person(to).pastCalls.length, 1);
  await limit({ lineCallsMax: null });
});
