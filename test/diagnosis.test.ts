import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isProblem } from '../src/cli/api-client.ts';
import { runDiagnose } from '../src/cli/diagnose.ts';
import type { Check, Diagnosis } from '../src/diagnosis/diagnosis.ts';
import { assertProblem, secondAccount, send } from './api-peer.ts';
import { openStory, type Story } from './harness.ts';
import {
  PURPOSE,
  ask,
  consentStatus,
  contactOf,
  getYes,
  newPerson,
  person,
  placed,
  reach,
} from './story-people.ts';

/** The page's four problems, each brought about through the simulator and then diagnosed. */
let story: Story;

before(async () => {
  story = await openStory({ seed: 44 });
});
after(() => story.close());

async function diagnose(problem: string, more: Record<string, string> = {}): Promise<Diagnosis> {
  const query = new URLSearchParams({ problem, ...more });
  const answer = await story.api.get<Diagnosis>(`/v1/diagnose?${query.toString()}`);
  assert.ok(!isProblem(answer), JSON.stringify(answer));
  return answer;
}

const causeOf = async (problem: string, to: string): Promise<Check | null> =>
  (await diagnose(problem, { to })).cause;

const of = ({ checks }: Diagnosis, id: string): Check => {
  const found = checks.find((check) => check.id === id);
  assert.ok(found !== undefined, `no check ${id}`);
  return found;
};

test('permission denied: nobody asked, asked and silent, declined', async () => {
  const number = newPerson(story, '601', '103');
  assert.equal((await causeOf('call_denied', number))?.id, 'permission_granted');
  await ask(story, number);
  const silent = await diagnose('call_denied', { to: number });
  assert.deepEqual(
    [silent.cause?.id, silent.cause?.evidence['code']],
    ['permission_granted', 'permission_pending'],
  );
  const declines = newPerson(story, '602', '102');
  await ask(story, declines);
  await story.until('a no', async () => (await consentStatus(story, declines)) === 'declined');
  const declined = await diagnose('call_denied', { to: declines });
  assert.equal(declined.cause?.evidence['code'], 'permission_declined');
});

test('permission denied: used up, listed, and a number that is none', async () => {
  const number = newPerson(story, '603', '101');
  await getYes(story, number);
  const fine = await diagnose('call_denied', { to: number, purpose: PURPOSE });
  assert.equal(fine.cause, null, JSON.stringify(fine.cause));
  assert.equal(of(fine, 'meta_agrees').result, 'ok');
  const { id } = await placed(story, number);
  await reach(story, id, 'ended');
  assert.equal((await causeOf('call_denied', number))?.id, 'permission_unused');
  const listed = newPerson(story, '604', '101');
  await getYes(story, listed);
  await story.api.post('/v1/do-not-call', { to: listed, reason: 'by letter' });
  const denied = await diagnose('call_denied', { to: listed });
  assert.equal(denied.cause?.id, 'permission_not_revoked');
  assert.equal(of(denied, 'other_rules').result, 'fault');
  assert.equal((await causeOf('call_denied', '07700 900123'))?.id, 'number_right');
});

test('permission denied: revoked at Meta, with no webhook that tells it', async () => {
  const number = newPerson(story, '605', '101');
  await getYes(story, number);
  story.simulator.setFault({ kind: 'wrong_signature' });
  story.simulator.act(number, { action: 'revoke' });
  await story.pass(200);
  assert.equal(await consentStatus(story, number), 'granted');
  assert.equal((await causeOf('call_denied', number))?.id, 'meta_agrees');
  story.simulator.clearFaults();
});

test('not received: never asked, refused by us, undeliverable, and on its way', async () => {
  const number = newPerson(story, '606', '103');
  assert.equal((await causeOf('request_not_received', number))?.id, 'request_made');
  const gone = newPerson(story, '607', '110');
  await ask(story, gone);
  await story.until('the failure', async () => {
    const cause = await causeOf('request_not_received', gone);
    return cause?.id === 'number_active';
  });
  const cause = await causeOf('request_not_received', gone);
  assert.equal(cause?.evidence['code'], 'meta_undeliverable');
  await ask(story, number);
  await story.until('the delivery', async () => {
    const { checks } = await diagnose('request_not_received', { to: number });
    return checks.find(({ id }) => id === 'delivery')?.result === 'ok';
  });
  const arrived = await diagnose('request_not_received', { to: number });
  assert.equal(arrived.cause, null, JSON.stringify(arrived.cause));
  assert.equal(of(arrived, 'template_approved').evidence['status'], 'approved');
  await story.api.post('/v1/do-not-call', { to: number, reason: 'by letter' });
  await story.api.post('/v1/permission-requests', { to: number, purpose: PURPOSE });
  const refused = await diagnose('request_not_received', { to: number });
  assert.deepEqual(
    [refused.cause?.id, refused.cause?.evidence['code']],
    ['request_made', 'do_not_call'],
  );
});

test('the rates are counted exactly, by account, by line and by days', async () => {
  const before = of(await diagnose('low_grant_rate'), 'grant_rate').evidence;
  for (const [last3, like] of [
    ['611', '101'],
    ['612', '101'],
    ['613', '102'],
    ['614', '103'],
  ] as const) {
    await ask(story, newPerson(story, last3, like));
  }
  await story.until('the answers', async () => {
    const now = of(await diagnose('low_grant_rate'), 'grant_rate').evidence;
    const grown = (field: string): number => Number(now[field]) - Number(before[field]);
    return grown('granted') === 2 && grown('declined') === 1 && grown('sent') === 4;
  });
  const { id } = await contactOf(story, person('611'));
  assert.ok(id.startsWith('cont_'));
  // Who stops within a day after a call is counted by itself.
  await reach(story, (await placed(story, person('611'))).id, 'ended');
  const left = of(await diagnose('high_opt_out_rate'), 'opt_out_rate').evidence;
  story.simulator.act(person('611'), { action: 'write', text: 'STOP' });
  await story.until('the stop', async () => {
    const now = of(await diagnose('high_opt_out_rate'), 'opt_out_rate').evidence;
    return Number(now['optOuts']) === Number(left['optOuts']) + 1;
  });
  const found = await diagnose('high_opt_out_rate');
  assert.equal(of(found, 'calls_give_value').evidence['soonAfterCall'], 1);
  const { ways } = of(found, 'asked_why').evidence;
  // The revocation of an earlier story was tapped in WhatsApp itself.
  assert.deepEqual(ways, [
    { way: 'message', optOuts: 1 },
    { way: 'whatsapp', optOuts: 1 },
  ]);
  // Another account has none of it.
  const { key } = await secondAccount(story, 'Somebody without customers');
  for (const problem of ['low_grant_rate', 'high_opt_out_rate']) {
    const { text } = await send(story, 'GET', `/v1/diagnose?problem=${problem}`, { key });
    const [first] = (JSON.parse(text) as Diagnosis).checks;
    assert.equal(first?.result, 'unknown');
    assert.equal(first?.evidence['sent'] ?? first?.evidence['reached'], 0);
  }
});

test('a customer must be named where the problem is about one', async () => {
  const path = '/v1/diagnose?problem=call_denied';
  const problem = assertProblem(await send(story, 'GET', path), 400);
  assert.equal(problem.fields?.[0]?.field, 'to');
  assertProblem(await send(story, 'GET', '/v1/diagnose?problem=bad_luck'), 400);
  assertProblem(await send(story, 'GET', path, { key: null }), 401);
});

test('the command says the cause in words, and all of it as JSON', async () => {
  const number = newPerson(story, '620', '103');
  const url = story.server.url ?? '';
  const run = async (json: boolean, problem = 'call_denied'): Promise<[number, string]> => {
    let text = '';
    const write = (part: string): void => void (text += part);
    const options = { url, apiKey: story.apiKey, problem, to: number, json, write };
    return [await runDiagnose(options), text];
  };
  const [code, words] = await run(false);
  assert.equal(code, 1);
  assert.match(words, /call_denied: The customer has not allowed a call\./);
  assert.match(words, /fix: /);
  const [, json] = await run(true);
  assert.equal((JSON.parse(json) as Diagnosis).cause?.id, 'permission_granted');
  assert.equal((await run(true, 'bad_luck'))[0], 2);
});
