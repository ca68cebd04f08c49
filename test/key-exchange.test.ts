import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { PRESET } from '../simulator/simulator.ts';
import { isProblem } from '../src/cli/api-client.ts';
import type { Checklist } from '../src/golive/golive.ts';
import type { LineView, Page, TimelineEntry } from '../src/http/api-types.ts';
import { openStory, type Story } from './harness.ts';
import { assertOneEnd, consentStatus, getYes, newPerson, placed, reach } from './story-people.ts';

/** Line and number with the same key exchange, and with different ones. */
let story: Story;
let lineId: string;
let next = 600;

before(async () => {
  story = await openStory({ seed: 45 });
  lineId = (await line()).id;
});
after(() => story.close());
afterEach(() => story.simulator.clearFaults());

const line = async (): Promise<LineView> => {
  const { items } = await story.api.get<Page<LineView>>('/v1/lines');
  assert.ok(items[0] !== undefined);
  return items[0];
};
const set = (keyExchange: string, id = lineId) =>
  story.api.post<LineView>(`/v1/lines/${id}/key-exchange`, { keyExchange });

/** As somebody in WhatsApp Manager would. */
async function setAtMeta(protocol: 'DTLS' | 'SDES'): Promise<void> {
  const { status } = await story.simulator.inject({
    method: 'POST',
    url: `/v23.0/${PRESET.phoneNumberId}/settings`,
    headers: { authorization: `Bearer ${PRESET.accessToken}` },
    payload: { calling: { srtp_key_exchange_protocol: protocol } },
  });
  assert.equal(status, 200);
}

async function check(): Promise<Checklist['checks'][number]> {
  let found: Checklist['checks'][number] | undefined;
  const asking = story.api.get<Checklist>(`/v1/lines/${lineId}/go-live`).then(({ checks }) => {
    found = checks.find(({ id }) => id === 'key_exchange');
  });
  await story.until('the checks', () => found !== undefined, 30_000);
  await asking;
  assert.ok(found !== undefined);
  return found;
}

/** A call to somebody who picks up, from its yes to its end. */
async function wholeCall() {
  const number = newPerson(story, String(next++), '101');
  await getYes(story, number);
  const { id } = await placed(story, number);
  const ended = await reach(story, id, 'ended');
  return { number, id, ended, cdr: await assertOneEnd(story, id) };
}

test('a line is on DTLS until it is set otherwise, and both sides are set together', async () => {
  assert.equal((await line()).keyExchange, 'dtls');
  assert.deepEqual([(await check()).state, (await check()).fix], ['ok', null]);
  const answer = await set('sdes');
  assert.ok(!isProblem(answer));
  assert.equal(answer.keyExchange, 'sdes');
  assert.equal((await line()).keyExchange, 'sdes');
  assert.equal((await check()).state, 'ok');
});

test('a call on a line with SDES goes through, and its record says so', async () => {
  const { id, ended, cdr } = await wholeCall();
  assert.equal(ended.outcome, 'completed');
  const steps = cdr.mediaProof.map(({ step }) => step);
  assert.ok(steps.includes('sdes_keyed') && !steps.includes('dtls_connected'), steps.join());
  const { items } = await story.api.get<Page<TimelineEntry>>(`/v1/calls/${id}/timeline`);
  const connected = items.find(({ type }) => type === 'CallMediaConnected');
  assert.equal(connected?.data['keyExchange'], 'sdes');
  assert.doesNotMatch(JSON.stringify([items, cdr]), /inline:|a=crypto/);
});

for (const kind of ['sdp_without_crypto', 'sdp_wrong_suite', 'sdp_short_key'] as const) {
  test(`an answer with ${kind} is refused, and Meta is told to terminate`, async () => {
    story.simulator.setFault({ kind, times: 1 });
    const { number, ended } = await wholeCall();
    assert.deepEqual([ended.outcome, ended.endReason], ['failed', 'meta_sdp_refused']);
    assert.equal(story.simulator.person(number).call, null);
  });
}

test('changed at Meta alone: no phone rings, the permission stays, the check tells', async () => {
  await setAtMeta('DTLS');
  const { state, fix } = await check();
  assert.equal(state, 'failed');
  assert.match(fix ?? '', /key-exchange with \{"keyExchange":"dtls"\}/);
  const { number, ended } = await wholeCall();
  assert.deepEqual([ended.outcome, ended.endReason], ['failed', 'meta_key_exchange_mismatch']);
  assert.equal(story.simulator.person(number).pastCalls.length, 0);
  assert.equal(await consentStatus(story, number), 'granted');
  await set('dtls');
  assert.equal((await check()).state, 'ok');
  assert.equal((await wholeCall()).ended.outcome, 'completed');
  await setAtMeta('SDES');
  assert.equal((await wholeCall()).ended.endReason, 'meta_key_exchange_mismatch');
  await setAtMeta('DTLS');
});

test('what Meta refuses leaves the line as it was; other words are refused here', async () => {
  const wrong = await set('plain');
  assert.ok(isProblem(wrong) && wrong.status === 400);
  story.simulator.setFault({ kind: 'server_error', on: 'settings' });
  assert.ok(isProblem(await set('sdes')));
  assert.equal((await line()).keyExchange, 'dtls');
  const stranger = await set('sdes', 'line_00000000-0000-7000-8000-000000000000');
  assert.ok(isProblem(stranger) && stranger.status === 404);
});

test('saving a line again keeps its key exchange unless another one is named', async () => {
  const values = {
    name: 'Second line',
    displayNumber: '+442079460045',
    phoneNumberId: '100000000000045',
    wabaId: PRESET.wabaId,
    graphBaseUrl: story.simulator.url,
    accessToken: PRESET.accessToken,
    appSecret: PRESET.appSecret,
    verifyToken: PRESET.verifyToken,
  };
  const save = async (more: object): Promise<string> => {
    const saved = await story.api.post<LineView>('/v1/lines', { ...values, ...more });
    assert.ok(!isProblem(saved), JSON.stringify(saved));
    return saved.keyExchange;
  };
  assert.equal(await save({}), 'dtls');
  assert.equal(await save({ keyExchange: 'sdes' }), 'sdes');
  assert.equal(await save({ accessToken: 'renewed' }), 'sdes');
  assert.equal(await save({ keyExchange: 'dtls' }), 'dtls');
});
