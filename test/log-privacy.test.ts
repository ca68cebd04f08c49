import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeLog } from '../src/platform/log.ts';
import { PRESET } from '../simulator/simulator.ts';
import { send } from './api-peer.ts';
import { openStory, type Story } from './harness.ts';
import { call, contactOf, getYes, newPerson, placed, reach } from './story-people.ts';

/** P-02: the log of a whole story at its most talkative names nobody and gives nothing away. */
let story: Story;
const lines: string[] = [];

before(async () => {
  const destination = { write: (line: string) => void lines.push(line) };
  story = await openStory({ seed: 53, log: makeLog({ level: 'trace', destination }) });
});
after(() => story.close());

const PURPOSE = 'your order WALRUS-77';
const REPLY = 'my zebra has hiccups today';

test('no number, token, secret, SDP or word of anybody is in the log', async () => {
  const numbers = ['101', '104'].map((like, i) => newPerson(story, `61${i}`, like));
  for (const number of numbers) {
    await getYes(story, number, { purpose: PURPOSE, variables: ['Zelda Quux', PURPOSE] });
    const { id } = await placed(story, number, { purpose: PURPOSE, clientReference: 'crm-zq-1' });
    await reach(story, id, 'ended');
    await call(story, number, { purpose: PURPOSE });
    story.simulator.act(number, { action: 'write', text: REPLY });
  }
  const [number = ''] = numbers;
  const query = `to=${encodeURIComponent(number)}&purpose=${encodeURIComponent(PURPOSE)}`;
  await send(story, 'GET', `/v1/eligibility?${query}`);
  await send(story, 'GET', `/v1/nowhere?number=${encodeURIComponent(number)}`);
  await send(story, 'POST', '/v1/calls', { body: { to: number, purpose: PURPOSE, extra: REPLY } });
  await send(story, 'GET', `/v1/contacts?number=${number}`, {
    key: 'af_test_wrongwrongwrongwrong',
  });
  const { id } = await contactOf(story, number);
  await send(story, 'GET', `/v1/contacts/${id}/export`);
  await story.crash();
  await story.pass(5_000);
  story.simulator.act(number, { action: 'write', text: 'STOP' });
  await story.until('a stop', async () => (await contactOf(story, number)).doNotCall);
  await send(story, 'POST', `/v1/contacts/${id}/erase`, { body: { confirm: id } });
  await story.pass(5_000);
  const log = lines.join('');
  assert.ok(lines.length > 10, 'something was logged');
  for (const it of numbers) assert.ok(!log.includes(it.slice(3)), 'a number');
  const secrets = [story.apiKey, PRESET.accessToken, PRESET.appSecret, PRESET.verifyToken];
  for (const secret of secrets) assert.ok(!log.includes(secret), 'a secret');
  for (const word of ['WALRUS', 'zebra', 'Quux', 'crm-zq', 'wrongwrong']) {
    assert.ok(!log.includes(word), word);
  }
  assert.doesNotMatch(log, /v=0\\r|a=ice-pwd|a=fingerprint|a=crypto/, 'SDP');
});
