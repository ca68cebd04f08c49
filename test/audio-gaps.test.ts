import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Cdr } from '../src/calls/cdr.ts';
import type { CallView, EventView, Page } from '../src/http/api-types.ts';
import { openStory, type Story } from './harness.ts';
import { getYes, newPerson, placed, reach } from './story-people.ts';

/** A side that nobody can hear: told while the call goes on, and kept in its record. */
let story: Story;

before(async () => {
  story = await openStory({ seed: 21 });
});
after(() => story.close());

const audioEvents = async (callId: string): Promise<string[]> => {
  const { items } = await story.api.get<Page<EventView>>(`/v1/events?callId=${callId}&limit=100`);
  return items.map(({ type }) => type).filter((type) => type.startsWith('call.audio'));
};

test('silence of one side is told with its cause, and its end too', async () => {
  const number = newPerson(story, '651', '101');
  await getYes(story, number);
  const { id } = await placed(story, number);
  await reach(story, id, 'bridged');
  story.media.tell(id, { kind: 'silent', leg: 'endpoint', silentMs: 3000, cause: 'wrong_address' });
  const told = await story.until('the gap in the call', async () => {
    const view = await story.api.get<CallView>(`/v1/calls/${id}`);
    return view.audioGaps.length === 1 ? view : null;
  });
  assert.equal(told.status, 'bridged');
  assert.deepEqual(
    [told.audioGaps[0]?.leg, told.audioGaps[0]?.cause, told.audioGaps[0]?.to],
    ['endpoint', 'wrong_address', null],
  );
  // The same again is no news.
  story.media.tell(id, { kind: 'silent', leg: 'endpoint', silentMs: 6000, cause: 'wrong_address' });
  story.media.tell(id, { kind: 'heard', leg: 'endpoint' });
  await story.until('the end of the gap', async () => {
    const { audioGaps } = await story.api.get<CallView>(`/v1/calls/${id}`);
    return audioGaps[0]?.to;
  });
  await reach(story, id, 'ended');
  const cdr = await story.api.get<Cdr>(`/v1/calls/${id}/cdr`);
  assert.equal(cdr.audioGaps.length, 1);
  assert.ok((cdr.audioGaps[0]?.to ?? '') > (cdr.audioGaps[0]?.from ?? ''));
  assert.deepEqual(await audioEvents(id), ['call.audio_lost', 'call.audio_found']);
});

test('nothing from an endpoint that repeats its answer is a lost ACK', async () => {
  const number = newPerson(story, '654', '101');
  await getYes(story, number);
  const { id } = await placed(story, number);
  await reach(story, id, 'bridged');
  for (let n = 0; n < 2; n += 1) story.sip.peers.at(-1)?.tell({ kind: 'answerRepeated' });
  story.media.tell(id, { kind: 'silent', leg: 'endpoint', silentMs: 3000, cause: 'never_sent' });
  await reach(story, id, 'ended');
  const cdr = await story.api.get<Cdr>(`/v1/calls/${id}/cdr`);
  assert.equal(cdr.audioGaps[0]?.cause, 'ack_lost');
});

test('two who are connected and say nothing are an alarm, counted in the record', async () => {
  const number = newPerson(story, '653', '101');
  await getYes(story, number);
  const { id } = await placed(story, number);
  await reach(story, id, 'bridged');
  story.media.tell(id, { kind: 'deadAir', silentMs: 10_000 });
  await reach(story, id, 'ended');
  const cdr = await story.api.get<Cdr>(`/v1/calls/${id}/cdr`);
  assert.equal(cdr.deadAirAlarms, 1);
  const { items } = await story.api.get<Page<EventView>>(`/v1/events?callId=${id}&limit=100`);
  assert.ok(items.some(({ type }) => type === 'call.dead_air'));
});

test('a leg that flaps for hours fills neither the ledger nor your webhook', async () => {
  const number = newPerson(story, '652', '101');
  await getYes(story, number);
  const { id } = await placed(story, number);
  await reach(story, id, 'bridged');
  for (let n = 0; n < 40; n += 1) {
    story.media.tell(id, { kind: 'silent', leg: 'whatsapp', silentMs: 3000, cause: 'stopped' });
    story.media.tell(id, { kind: 'heard', leg: 'whatsapp' });
  }
  await reach(story, id, 'ended');
  const cdr = await story.api.get<Cdr>(`/v1/calls/${id}/cdr`);
  assert.equal(cdr.audioGaps.length, 10);
  assert.equal((await audioEvents(id)).length, 20);
});
