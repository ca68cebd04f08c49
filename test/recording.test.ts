import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isProblem } from '../src/cli/api-client.ts';
import type { Cdr } from '../src/calls/cdr.ts';
import type { EventView, Page } from '../src/http/api-types.ts';
import type { RecordingView } from '../src/recording/recording-views.ts';
import { makeChanges } from '../src/ledger/changes.ts';
import { ManualClock } from '../src/platform/clock.ts';
import { makeIds } from '../src/platform/ids.ts';
import { seededRandom } from '../src/platform/random.ts';
import { toneAt, wavOf } from '../src/prompts/prompt-fixtures.ts';
import { openRecordingDesk } from '../src/recording/recording-desk.ts';
import { deleteExpired } from '../src/recording/recording-worker.ts';
import { send } from './api-peer.ts';
import { openStory, type Story } from './harness.ts';
import { allFiles, allTables, tracesIn } from './traces.ts';
import { assertOneEnd, getYes, newPerson, placed, reach } from './story-people.ts';

/** Recordings of calls, from the wish to the erasure; sound is a byte that can be told apart. */
let story: Story;

before(async () => {
  story = await openStory({ seed: 31 });
});
after(() => story.close());

const LEFT = 0x12;
const RIGHT = 0x34;

const recordingsOf = async (callId: string): Promise<RecordingView[]> =>
  (await story.api.get<Page<RecordingView>>(`/v1/calls/${callId}/recording`)).items;

const eventTypes = async (contactId: string): Promise<string[]> => {
  const { items } = await story.api.get<Page<EventView>>('/v1/events?limit=100');
  return items.filter((event) => event.contactId === contactId).map(({ type }) => type);
};

/** Both talk for so long, 20 ms at a time. */
async function talk(callId: string, ms: number): Promise<void> {
  for (let at = 0; at < ms; at += 20) {
    story.media.say(callId, 'whatsapp', new Uint8Array(160).fill(LEFT), at * 8);
    story.media.say(callId, 'endpoint', new Uint8Array(160).fill(RIGHT), at * 8);
    await story.pass(20);
  }
}

async function inState(callId: string, state: RecordingView['state']): Promise<RecordingView> {
  return story.until(`recording ${state}`, async () => {
    const found = (await recordingsOf(callId)).at(-1);
    return found?.state === state ? found : null;
  });
}

async function bridged(last3: string, more: object = {}): Promise<string> {
  const number = newPerson(story, last3, '101');
  await getYes(story, number);
  const { id } = await placed(story, number, more);
  await reach(story, id, 'bridged');
  return id;
}

async function order(callId: string, action: string): Promise<void> {
  const answer = await send(story, 'POST', `/v1/calls/${callId}/actions`, { body: { action } });
  assert.ok(answer.status < 300, answer.text);
}

async function hangUp(callId: string): Promise<void> {
  await story.api.post(`/v1/calls/${callId}/hangup`, {});
  await reach(story, callId, 'ended');
}

test('a call is not recorded unless that was asked for', async () => {
  const id = await bridged('701');
  await story.pass(3_000);
  assert.deepEqual(await recordingsOf(id), []);
  assert.equal(
    story.media.ordersOf(id).some((told) => told.includes('recorded-')),
    false,
  );
  await hangUp(id);
});

test('people are told before the first sample, then both are recorded apart', async () => {
  const id = await bridged('702', { recording: {} });
  // What is said while the announcement plays is nobody's business.
  story.media.say(id, 'whatsapp', new Uint8Array(160).fill(0x77), 0);
  await inState(id, 'recording');
  const announced = story.media.ordersOf(id).filter((told) => told.includes('recorded-en'));
  const legs = new Set(announced.map((told) => told.split(' ')[1]));
  assert.deepEqual(legs, new Set(['endpoint', 'whatsapp']));
  await talk(id, 1_000);
  await hangUp(id);
  const ready = await inState(id, 'ready');
  assert.equal(ready.announced, 'played');
  assert.ok((ready.durationMs ?? 0) >= 1_000 && (ready.durationMs ?? 0) < 3_000);
  const wav = await download(ready.links?.wav ?? '');
  assert.ok(samples(wav, 0).has(expanded(LEFT)) && !samples(wav, 0).has(expanded(RIGHT)));
  assert.ok(samples(wav, 1).has(expanded(RIGHT)) && !samples(wav, 1).has(expanded(LEFT)));
  assert.equal(samples(wav, 0).has(expanded(0x77)), false);
  assert.equal((await download(ready.links?.ogg ?? '')).toString('latin1', 0, 4), 'OggS');
  const cdr = await assertOneEnd(story, id);
  assert.deepEqual(cdr.recordings, [{ ...brief(ready) }]);
  assert.ok((await eventTypes(cdr.contactId)).includes('call.recording.ready'));
});

test('orders begin, pause, resume and end a recording, and the row follows', async () => {
  const id = await bridged('703');
  await order(id, 'start_recording');
  await inState(id, 'recording');
  await talk(id, 400);
  await order(id, 'pause_recording');
  await inState(id, 'paused');
  await order(id, 'resume_recording');
  await inState(id, 'recording');
  await talk(id, 400);
  await order(id, 'stop_recording');
  const first = await inState(id, 'ready');
  await order(id, 'start_recording');
  await inState(id, 'recording');
  await talk(id, 200);
  await hangUp(id);
  await inState(id, 'ready');
  const both = await recordingsOf(id);
  assert.equal(both.length, 2);
  assert.equal(both[0]?.id, first.id);
  assert.deepEqual(
    (await cdrOf(id)).recordings.map(({ state }) => state),
    ['ready', 'ready'],
  );
});

test('whoever hangs up during the announcement was not recorded', async () => {
  const id = await bridged('704', { recording: {} });
  await inState(id, 'announcing');
  await hangUp(id);
  const failed = await inState(id, 'failed');
  assert.equal(failed.reason, 'announcement_failed');
  assert.ok((await eventTypes((await cdrOf(id)).contactId)).includes('call.recording.failed'));
});

test('a recording is closed for a gateway that died, with what is on the disk', async () => {
  const id = await bridged('705', { recording: {} });
  await inState(id, 'recording');
  await talk(id, 3_000);
  await story.crash();
  const found = await inState(id, 'ready');
  assert.ok((found.durationMs ?? 0) > 1_000);
});

test('a link works for a while, for this recording, and says nothing else', async () => {
  const id = await bridged('706', { recording: { announcement: 'by_business' } });
  await inState(id, 'recording');
  await talk(id, 200);
  await hangUp(id);
  const { links, announced } = await inState(id, 'ready');
  assert.equal(announced, 'by_business');
  const url = links?.ogg ?? '';
  await download(url);
  const altered = url.replace(
    /recordings\/(.)/,
    (_, first) => `recordings/${first === 'A' ? 'B' : 'A'}`,
  );
  assert.equal((await fetch(altered)).status, 404);
});

test('a person who is erased takes their recordings along, and files go too', async () => {
  const id = await bridged('707', { recording: {} });
  await inState(id, 'recording');
  await talk(id, 200);
  await hangUp(id);
  const { links, id: recordingId } = await inState(id, 'ready');
  const { accountId } = JSON.parse(
    (await send(story, 'GET', `/v1/contacts/${(await cdrOf(id)).contactId}/export`)).text,
  ) as { accountId: string };
  const file = join(story.dataDir, 'recordings', accountId, `${recordingId}.afrec`);
  assert.ok(existsSync(file));
  assert.equal(readFileSync(file).includes(Buffer.alloc(20, LEFT)), false);
  const { contactId } = await cdrOf(id);
  await story.api.post(`/v1/contacts/${contactId}/erase`, { confirm: contactId });
  assert.equal((await fetch(links?.wav ?? '')).status, 404);
  await story.until('the file is gone', () => !existsSync(file));
  assert.equal((await recordingsOf(id))[0]?.state, 'deleted');
});

test('an export for the person holds links to what they said', async () => {
  const id = await bridged('708', { recording: {} });
  await inState(id, 'recording');
  await talk(id, 200);
  await hangUp(id);
  await inState(id, 'ready');
  const { contactId } = await cdrOf(id);
  const exported = await send(story, 'GET', `/v1/contacts/${contactId}/export`);
  const { recordings } = JSON.parse(exported.text) as { recordings: RecordingView[] };
  assert.equal(recordings.length, 1);
  await download(recordings[0]?.links?.ogg ?? '');
});

test('recordings go when their account says so, by themselves or at once', async () => {
  const ids: string[] = [];
  for (const last3 of ['709', '710']) {
    const id = await bridged(last3, { recording: {} });
    ids.push(id);
    await inState(id, 'recording');
    await talk(id, 200);
    await hangUp(id);
    await inState(id, 'ready');
  }
  const [old = '', unwanted = ''] = ids;
  const path = '/v1/recording-settings';
  await send(story, 'PATCH', path, { body: { retentionDays: 2 } });
  assert.deepEqual(await story.api.get(path), { retentionDays: 2, announcementPrompt: null });
  await send(story, 'DELETE', `/v1/calls/${unwanted}/recording`);
  assert.equal((await recordingsOf(unwanted))[0]?.state, 'deleted');
  const later = async (days: number): Promise<number> => {
    const clock = new ManualClock(story.clock.now() + days * 86_400_000);
    const recordings = { folder: story.dataDir, node: 'main' };
    const ids = makeIds(clock, seededRandom(9));
    const ledger = { database: story.database, clock, ids, changes: makeChanges() };
    const recordingDesk = openRecordingDesk({ ...ledger, recordings });
    return deleteExpired({ ...ledger, recordingDesk }, 90);
  };
  assert.equal(await later(1), 0);
  assert.ok((await later(3)) > 0);
  const gone = (await recordingsOf(old))[0];
  assert.deepEqual([gone?.state, gone?.reason, gone?.links], ['deleted', 'retention', null]);
});

const MAILBOX = {
  name: 'Mailbox',
  variables: { who: {} },
  steps: [
    { name: 'message', do: 'record', action: 'start', messageMs: 20_000 },
    { name: 'pin', do: 'gather', maxDigits: 8, tries: 1, saveAs: 'pin', onFail: 'bye' },
    { name: 'bye', do: 'play', prompt: 'builtin:beep', set: { result: 'from {{who}} {{pin}}' } },
  ],
};

test('a message that a script takes is announced in own words, and leaves no trace', async () => {
  const own = await fetch(`${story.server.url}/v1/prompts?name=told`, {
    method: 'POST',
    headers: { authorization: `Bearer ${story.apiKey}`, 'content-type': 'audio/wav' },
    body: new Uint8Array(wavOf({ samples: toneAt(523, 8_000, 1), rate: 8_000 })),
  });
  const prompt = (await own.json()) as { id: string };
  const path = '/v1/recording-settings';
  const unknown = await send(story, 'PATCH', path, { body: { announcementPrompt: 'tolled' } });
  assert.match(unknown.text, /announcementPrompt/);
  assert.equal(unknown.status, 400);
  await send(story, 'PATCH', path, { body: { announcementPrompt: 'told' } });
  const saved = await story.api.post<{ id: string }>('/v1/scripts', MAILBOX);
  assert.ok(!isProblem(saved), JSON.stringify(saved));
  const number = newPerson(story, '711', '101');
  await getYes(story, number);
  const secrets = { who: 'Zaphod Quillfeather', pin: '40718265' };
  const wish = { scriptId: saved.id, scriptVariables: { who: secrets.who } };
  const { id } = await placed(story, number, wish);
  await inState(id, 'recording');
  const heard = story.media.ordersOf(id).filter((told) => told.startsWith('play whatsapp'));
  assert.match(heard[0] ?? '', new RegExp(prompt.id), 'the own words come first, uncut');
  await story.until('the beep', () => story.media.ordersOf(id).some((it) => it.includes('beep')));
  await talk(id, 400);
  story.media.press(id, '#');
  const ready = await inState(id, 'ready');
  assert.ok((ready.durationMs ?? 0) >= 400);
  const wav = await download(ready.links?.wav ?? '');
  assert.ok(samples(wav, 0).has(expanded(LEFT)));
  for (const digit of secrets.pin) {
    await story.pass(100);
    story.media.press(id, digit);
  }
  await reach(story, id, 'ended');
  const { contactId, script } = await cdrOf(id);
  assert.equal(script?.result, `from ${secrets.who} ${secrets.pin}`);
  assert.equal(script?.steps[0]?.outcome, 'digits');
  await story.api.post(`/v1/contacts/${contactId}/erase`, { confirm: contactId });
  await story.until('the end of the erasure', async () => {
    const { text } = await send(story, 'GET', `/v1/contacts/${contactId}/erasure`);
    return (JSON.parse(text) as { state: string }).state === 'done';
  });
  const places = await allTables(story.connectionString);
  for (const [place, text] of await allFiles(story.dataDir)) places.set(place, text);
  assert.deepEqual(tracesIn(places, [number.slice(1), ...Object.values(secrets)]), []);
  assert.deepEqual(
    [...places.keys()].filter((place) => place.includes(ready.id)),
    [],
  );
  assert.equal((await fetch(ready.links?.wav ?? '')).status, 404);
  await send(story, 'PATCH', path, { body: { announcementPrompt: null } });
});

async function cdrOf(id: string): Promise<Cdr> {
  return story.api.get<Cdr>(`/v1/calls/${id}/cdr`);
}

function brief({ callId: _callId, links: _links, ...rest }: RecordingView): object {
  return rest;
}

async function download(url: string): Promise<Buffer> {
  const answer = await fetch(url);
  assert.equal(answer.status, 200);
  return Buffer.from(await answer.arrayBuffer());
}

/** The different samples of one channel. */
function samples(wav: Buffer, channel: number): Set<number> {
  const found = new Set<number>();
  for (let at = 44 + channel * 2; at + 2 <= wav.length; at += 4) found.add(wav.readInt16LE(at));
  return found;
}

/** What a PCMU byte sounds like (ITU-T G.711). */
function expanded(code: number): number {
  const bits = ~code & 0xff;
  const magnitude = (((bits & 0x0f) << 3) + 0x84) << ((bits >> 4) & 7);
  return (bits & 0x80) === 0 ? magnitude - 0x84 : 0x84 - magnitude;
}
