import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Command } from 'commander';
import { addPolicyCommands } from '../src/cli/policy-commands.ts';
import type { CallView, EligibilityView, LineView, Page } from '../src/http/api-types.ts';
import type { ReportView } from '../src/rulebook/rulebook-views.ts';
import { assertProblem, secondAccount, send, type Answer } from './api-peer.ts';
import { openStory, type Story } from './harness.ts';
import { contactOf, getYes, newPerson, person } from './story-people.ts';

/** What a business sets for itself, and what it is told before it switches its rules. */
let story: Story;
let lineId: string;

before(async () => {
  story = await openStory({ seed: 12 });
  lineId = (await story.api.get<Page<LineView>>('/v1/lines')).items[0]?.id ?? '';
});
after(() => story.close());

const read = (answer: Answer): unknown => {
  assert.ok(answer.status < 300, answer.text);
  return JSON.parse(answer.text);
};
const patch = (path: string, body: object): Promise<Answer> => send(story, 'PATCH', path, { body });
const report = async (body: object): Promise<ReportView> =>
  read(await send(story, 'POST', '/v1/policy/switch-report', { body })) as ReportView;

const NIGHT = { monday: [['03:00', '04:00']] };

test('own calling hours bind from the next decision on, and are taken away again', async () => {
  await getYes(story, newPerson(story, '201', '101'));
  const ask = async (): Promise<EligibilityView> => {
    const query = `to=${encodeURIComponent(person('201'))}&purpose=your%20order%201042`;
    return story.api.get<EligibilityView>(`/v1/eligibility?${query}`);
  };
  assert.equal((await ask()).allowed, true);
  const set = read(await patch('/v1/policy', { callingHours: NIGHT })) as Record<string, unknown>;
  assert.deepEqual((set['callingHours'] as Record<string, unknown>)['monday'], [
    ['03:00', '04:00'],
  ]);
  const refused = await ask();
  assert.equal(refused.allowed, false);
  const verdict = refused.rules.find(({ verdict: said }) => said === 'refuse');
  assert.equal(verdict?.code, 'outside_calling_hours');
  assert.equal(verdict?.layer, 'account');
  await patch('/v1/policy', { callingHours: null });
  assert.equal((await ask()).allowed, true);
});

test('a line may be narrower than its account, and says so by its own name', async () => {
  const path = `/v1/lines/${lineId}/policy`;
  read(await patch(path, { closedDates: ['2026-06-03'] }));
  await getYes(story, newPerson(story, '202', '101'));
  const body = { to: person('202'), purpose: 'your order 1042' };
  const problem = assertProblem(await send(story, 'POST', '/v1/calls', { body }), 409);
  assert.equal(problem.code, 'outside_calling_hours');
  const shown = await story.api.get<Record<string, unknown>>(path);
  assert.deepEqual(shown['closedDates'], ['2026-06-03']);
  read(await patch(path, { closedDates: null }));
});

test('a limit that changes nothing is told as idle, with the layer that is as strict', async () => {
  type Shown = { idle: Array<{ field: string; because: string }> };
  const set = read(await patch('/v1/policy', { callWithinMs: 7_200_000 })) as Shown;
  assert.deepEqual(set.idle, [{ field: 'callWithinMs', because: 'strict-2026-01' }]);
  const narrower = read(await patch('/v1/policy', { callWithinMs: 1_800_000 })) as Shown;
  assert.deepEqual(narrower.idle, []);
  const path = `/v1/lines/${lineId}/policy`;
  const line = read(await patch(path, { callWithinMs: 1_800_000 })) as Shown;
  assert.deepEqual(line.idle, [{ field: 'callWithinMs', because: 'account' }]);
  read(await patch(path, { callWithinMs: null }));
  read(await patch('/v1/policy', { callWithinMs: null }));
});

test('every change is kept with who, when, before and after', async () => {
  read(await patch('/v1/policy', { lineCallsMax: 7 }));
  type Change = Record<'kind' | 'actor', string> &
    Record<'before' | 'after', { lineCallsMax: unknown }>;
  const { items } = await story.api.get<Page<Change>>('/v1/policy/changes');
  const [newest] = items;
  assert.equal(newest?.kind, 'account_policy');
  assert.match(newest?.actor ?? '', /^api:key_/);
  assert.deepEqual([newest?.before.lineCallsMax, newest?.after.lineCallsMax], [null, 7]);
  assert.equal(items.filter(({ kind }) => kind === 'line_policy').length, 4);
  read(await patch('/v1/policy', { lineCallsMax: null }));
});

test('settings that mean nothing are refused with the field and the rule', async () => {
  const bad: Array<[object, string]> = [
    [{ callingHours: { monday: [['17:00', '09:00']] } }, 'callingHours'],
    [{ lawOverlays: ['law-atlantis'] }, 'lawOverlays'],
    [{ unanswered: { warnAt: 1, stopAt: 2, restMs: 1, hardStopAt: 4 } }, 'unanswered'],
    [{ nightShift: true }, 'nightShift'],
  ];
  for (const [body, field] of bad) {
    const problem = assertProblem(await patch('/v1/policy', body), 400);
    assert.equal(problem.code, 'invalid_request', JSON.stringify(body));
    assert.match(problem.fields?.[0]?.field ?? '', new RegExp(`^${field}`), JSON.stringify(body));
  }
});

test('packs and laws are listed with their values and sources, and compared', async () => {
  type Pack = { name: string; kind: string; values: object; usedByLines: string[] };
  const { items } = await story.api.get<Page<Pack>>('/v1/policy/packs');
  const strict = items.find(({ name }) => name === 'strict-2026-01');
  assert.deepEqual(strict?.usedByLines, [lineId]);
  assert.ok(items.some(({ name, kind }) => name === 'law-fr-2023' && kind === 'law'));
  type Diff = { differences: Array<{ path: string; from: unknown; to: unknown }> };
  const diff = await story.api.get<Diff>('/v1/policy/diff?from=law-us-fl&to=law-us-wa');
  assert.ok(diff.differences.some(({ path }) => path.startsWith('limits.frequency')));
  const unknown = await send(story, 'GET', '/v1/policy/diff?from=law-us-fl&to=law-x');
  assert.equal(assertProblem(unknown, 400).fields?.[0]?.field, 'to');
});

test('a report tells what laws would refuse, and changes nothing', async () => {
  // To half past eight in London, half an hour before the law ends the day.
  story.clock.advance(Date.parse('2026-06-03T19:30:00Z') - story.clock.now());
  await getYes(story, newPerson(story, '203', '101'));
  const late = new Date(story.clock.now() + 45 * 60_000).toISOString();
  const body = { to: person('203'), purpose: 'your order 1042', scheduledAt: late };
  const call = read(await send(story, 'POST', '/v1/calls', { body })) as CallView;
  const told = await report({ lawOverlays: 'automatic' });
  assert.ok(told.contactsChecked >= 3);
  const example = told.calls.examples.find(({ callId }) => callId === call.id);
  assert.equal(example?.rule, 'calling_hours', JSON.stringify(told));
  assert.equal(told.calls.byRule['calling_hours'], told.calls.refused);
  assert.equal((await story.api.get<{ lawOverlays: string }>('/v1/policy')).lawOverlays, 'off');
  const { id } = await contactOf(story, person('203'));
  assert.equal(example?.contactId, id);
});

test('a line is put under another pack only with a fresh report on that very switch', async () => {
  const names = (
    await story.api.get<Page<{ name: string; kind: string }>>('/v1/policy/packs')
  ).items
    .filter(({ kind }) => kind === 'pack')
    .map(({ name }) => name);
  const other = names.find((name) => name !== 'strict-2026-01');
  assert.ok(other !== undefined, 'there is a second pack');
  const path = `/v1/lines/${lineId}/policy-pack`;
  const told = await report({ lineId, policyPack: other });
  const wrong = await report({ lineId, policyPack: 'strict-2026-01' });
  const put = (reportId: string): Promise<Answer> =>
    send(story, 'POST', path, { body: { policyPack: other, reportId } });
  assert.equal(assertProblem(await put(wrong.id), 409).code, 'policy_report_needed');
  const stranger = await secondAccount(story);
  const theirs = { body: { policyPack: other, reportId: told.id }, key: stranger.key };
  assertProblem(await send(story, 'POST', path, theirs), 404);
  assert.equal((read(await put(told.id)) as LineView).policyPack, other);
  const again = await put(told.id);
  assert.equal(assertProblem(again, 409).code, 'policy_report_needed', 'it is another switch now');
});

test('a switch to a stricter pack ends permissions that an easier one gave', async () => {
  await getYes(story, newPerson(story, '204', '101'));
  const back = await report({ lineId, policyPack: 'strict-2026-01' });
  const { consents } = await contactOf(story, person('204'));
  const { permissionId } = consents[0] ?? {};
  const moved = back.permissions.examples.find((it) => it.permissionId === permissionId);
  assert.ok(moved !== undefined, JSON.stringify(back.permissions));
  assert.ok((moved.expiresAt ?? '9999') > moved.wouldExpireAt);
  story.clock.advance(3_600_001);
  const body = { policyPack: 'strict-2026-01', reportId: back.id };
  const stale = await send(story, 'POST', `/v1/lines/${lineId}/policy-pack`, { body });
  assert.equal(assertProblem(stale, 409).code, 'policy_report_needed');
  const fresh = await report({ lineId, policyPack: 'strict-2026-01' });
  const put = { body: { ...body, reportId: fresh.id } };
  read(await send(story, 'POST', `/v1/lines/${lineId}/policy-pack`, put));
  story.clock.advance(24 * 3_600_000);
  const query = `to=${encodeURIComponent(person('204'))}&purpose=your%20order%201042`;
  const { rules } = await story.api.get<EligibilityView>(`/v1/eligibility?${query}`);
  const verdict = rules.find(({ rule }) => rule === 'permission_live');
  assert.equal(verdict?.code, 'permission_expired', 'seven days were told, one is what counts now');
});

test('the command line compares packs, reports on a switch and makes it', async () => {
  const run = async (...words: string[]): Promise<string> => {
    let told = '';
    const program = new Command();
    addPolicyCommands(program, story.server.url ?? '', (text) => (told += text));
    const asked = words[0] === 'diff' ? words : [...words, '--key', story.apiKey];
    await program.parseAsync(['policy', ...asked], { from: 'user' });
    assert.equal(process.exitCode ?? 0, 0, words.join(' '));
    return told;
  };
  const other = 'meta-2026-06';
  assert.match(await run('diff', 'strict-2026-01', other), /grantValidMs: 86400000 → 604800000/);
  const json = await run('report', '--line', lineId, '--to', other, '--json');
  const { id } = JSON.parse(json) as ReportView;
  assert.match(await run('report', '--laws', 'law-fr-2023,law-es-2007'), /contacts looked at/);
  const done = await run('switch', '--line', lineId, '--to', other, '--report', id);
  assert.match(done, /is under meta-2026-06 now/);
});
