import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from 'commander';
import type { Problem } from '../http/api-types.ts';
import { ManualClock } from '../platform/clock.ts';
import type { ApiClient } from './api-client.ts';
import { addCallCommands } from './call-commands.ts';
import { addCampaignCommands } from './campaign-commands.ts';

type Asked = { method: string; path: string; body?: unknown; key?: string | undefined };

/** The command as somebody types it, with an API that gives these answers in turn. */
async function typed(words: string, ...answers: object[]) {
  const asked: Asked[] = [];
  let [out, err, code] = ['', '', -1];
  const next = (): Promise<never> => {
    const answer = answers[asked.length - 1];
    return answer === undefined ? Promise.reject(new Error('ECONNREFUSED')) : (answer as never);
  };
  const api: ApiClient = {
    get: (path) => (asked.push({ method: 'GET', path }), next()),
    post: (path, body, key) => (asked.push({ method: 'POST', path, body, key }), next()),
  };
  const output = {
    clock: new ManualClock(0),
    connect: () => api,
    print: (text: string) => void (out += text),
    say: (text: string) => void (err += text),
    exit: (given: number) => void (code = given),
  };
  const program = new Command('askfirst').exitOverride();
  addCallCommands(program, 'http://localhost', output);
  addCampaignCommands(program, 'http://localhost', output);
  await program.parseAsync(words.split(' '), { from: 'user' });
  return { asked, out, err, code };
}

const WAITS = { id: 'call_1', status: 'queued', dueAt: '09:30', latestAt: '09:35' };
const ENDED = { ...WAITS, status: 'ended', endReason: 'business_hung_up' };
const PROBLEM: Omit<Problem, 'type' | 'title' | 'docs_url' | 'request_id'> = {
  status: 409,
  code: 'promise_not_due',
  detail: 'The call was promised for later.',
  fix: 'Call at the promised time.',
  allowedAt: '12:45',
};

test('a call is planned at a time, in a window, or as soon as it is allowed', async () => {
  const to = 'calls schedule --to +447700900100 --purpose order';
  const wish = { to: '+447700900100', purpose: 'order' };
  const at = await typed(`${to} --at 09:30 --priority 7 --reference r1`, WAITS);
  const more = { priority: 7, clientReference: 'r1', scheduledAt: '09:30' };
  assert.deepEqual(at.asked[0]?.body, { ...wish, ...more });
  assert.deepEqual([at.out, at.code], ['call_1 is dialled at 09:30, and not after 09:35\n', 0]);
  const window = await typed(`${to} --from 09:00 --until 10:00 --idempotency-key k1`, WAITS);
  const [asked] = window.asked;
  assert.deepEqual(asked?.body, { ...wish, window: { from: '09:00', until: '10:00' } });
  assert.deepEqual([asked?.path, asked?.key], ['/v1/calls', 'k1']);
  const soon = await typed(`${to} --as-soon-as-allowed`, WAITS);
  assert.deepEqual(soon.asked[0]?.body, { ...wish, onBlocked: 'schedule' });
});

test('a refusal is told with its fix and its times, and as JSON for programs', async () => {
  const words = 'calls reschedule call_1 --at 09:30';
  const told = await typed(words, PROBLEM);
  assert.equal(told.asked[0]?.path, '/v1/calls/call_1/reschedule');
  assert.equal(told.code, 1);
  assert.match(told.err, /promised for later[^]*Fix: Call at the promised time[^]*from 12:45/);
  assert.equal(told.out, '');
  const json = await typed(`${words} --json`, PROBLEM);
  assert.equal((JSON.parse(json.out) as Problem).code, 'promise_not_due');
});

test('whoever has no server or no key is told so, which is not a refusal', async () => {
  const gone = await typed('calls list');
  assert.equal(gone.code, 2);
  assert.match(gone.err, /ECONNREFUSED\nFix: Start the server/);
  assert.equal((await typed('campaigns list', { ...PROBLEM, status: 401 })).code, 2);
});

test('a cancel takes what waits, and does not cut off a conversation', async () => {
  const waits = await typed('calls cancel call_1', WAITS, ENDED);
  assert.deepEqual(
    waits.asked.map(({ method, path }) => `${method} ${path}`),
    ['GET /v1/calls/call_1', 'POST /v1/calls/call_1/hangup'],
  );
  assert.equal(waits.out, 'call_1 has ended: business_hung_up\n');
  const talks = await typed('calls cancel call_1', { ...WAITS, status: 'bridged' });
  assert.deepEqual([talks.asked.length, talks.code], [1, 1]);
  assert.match(talks.err, /being made already[^]*--ringing/);
  const rung = await typed('calls cancel call_1 --ringing', { ...WAITS, status: 'ringing' }, ENDED);
  assert.equal(rung.code, 0);
  const over = await typed('calls cancel call_1 --ringing', ENDED);
  assert.match(over.err, /has ended already/);
});

test('what waits is listed page by page', async () => {
  const item = { ...WAITS, priority: 5, waitsFor: 'line_busy', contactId: 'ct_1' };
  const page = { items: [item], next: 'abc' };
  const { asked, out } = await typed('calls list --line line_1 --limit 1', page);
  assert.equal(asked[0]?.path, '/v1/scheduled-calls?lineId=line_1&limit=1');
  assert.match(out, /call_1 +09:30 +09:35 +5 +line_busy +ct_1[^]*--after abc/);
  const none = await typed('calls list', { items: [], next: null });
  assert.equal(none.out, 'No call waits.\n');
});

const CAMPAIGN = {
  id: 'cmp_1',
  name: 'Spring',
  state: 'running',
  people: { total: 10, waiting: 4, running: 3, done: 2, skipped: 1 },
  progress: { share: 0.3, perMinute: 1, secondsLeft: 60 },
  rests: null,
  gathering: false,
  waiting: [],
  ends: [{ end: 'done', people: 2 }],
  skipped: [{ code: 'do_not_call', people: 1, fix: 'Nothing.' }],
  preview: null,
};
const COUNTED = {
  state: 'done',
  looked: 10,
  reachable: 4,
  askable: 5,
  later: 0,
  blocked: [],
  expected: null,
};

test('a campaign is shown in words, moved, and listed', async () => {
  const shown = await typed('campaigns show cmp_1', CAMPAIGN);
  assert.match(shown.out, /^Spring \(cmp_1\): running\n10 people: 4 wait, 3 on the way/);
  assert.match(shown.out, /left out do_not_call: 1\n +fix: Nothing\./);
  for (const move of ['start', 'pause', 'resume', 'stop']) {
    const { asked, code } = await typed(`campaigns ${move} cmp_1`, CAMPAIGN);
    assert.deepEqual(asked[0]?.path, `/v1/campaigns/cmp_1/${move}`);
    assert.equal(code, 0);
  }
  const rests = { why: 'paused', until: null };
  const paused = await typed('campaigns pause cmp_1', { ...CAMPAIGN, state: 'paused', rests });
  assert.match(paused.out, /until it is resumed/);
  const listed = await typed('campaigns list', { items: [CAMPAIGN], next: null });
  assert.match(listed.out, /cmp_1 +running +30 % +10 +Spring/);
});

test('a preview is waited for', async () => {
  const counted = { ...CAMPAIGN, preview: COUNTED };
  const { asked, out } = await typed('campaigns preview cmp_1', counted);
  assert.deepEqual([asked[0]?.method, asked[0]?.path], ['POST', '/v1/campaigns/cmp_1/preview']);
  assert.match(out, /Preview:\n {2}may be called now: 4; may be asked now: 5; later: 0/);
});
