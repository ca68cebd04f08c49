import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isProblem } from '../src/cli/api-client.ts';
import type { ContactView, EventView, Page } from '../src/http/api-types.ts';
import { makeLog } from '../src/platform/log.ts';
import { send } from './api-peer.ts';
import { verify } from './audit-verifier.ts';
import { openStory, type Story } from './harness.ts';
import { call, contactOf, person, reach } from './story-people.ts';
import { allFiles, allTables, tracesIn, type Places } from './traces.ts';

/** P-01: of a hundred erased people nothing can be found, anywhere; everybody else stays whole. */
const ERASED = 100;
const OTHERS = ['301', '302'];

type Somebody = {
  number: string;
  name: string;
  purpose: string;
  reference: string;
  words: string;
  id: string;
  stops: boolean;
};

let story: Story;
const log: string[] = [];
const people: Somebody[] = [];
const others: Somebody[] = [];

before(async () => {
  const destination = { write: (line: string) => void log.push(line) };
  story = await openStory({ seed: 31, log: makeLog({ level: 'debug', destination }) });
  // One in four stops, which would rightly pause the line.
  const set = await send(story, 'PUT', '/v1/brakes/settings', { body: { enabled: false } });
  assert.equal(set.status, 200, set.text);
  for (let index = 0; index < ERASED; index += 1) people.push(somebody(String(200 + index)));
  for (const last3 of OTHERS) others.push(somebody(last3));
  await story.api.post('/v1/webhook-endpoints', { url: 'http://127.0.0.1:9/hook' });
  await Promise.all([...people, ...others].map(liveAWhile));
});
after(() => story.close());

function somebody(last3: string): Somebody {
  const number = person(last3);
  const name = `Zelda Quux${last3}`;
  // One in four stops; a few let it ring, which is long, and the others pick up and talk.
  const stops = Number(last3) % 4 === 0;
  const like = person(Number(last3) % 50 === 7 ? '105' : '101');
  story.simulator.addPerson({ number, name, like });
  return {
    number,
    name,
    purpose: `your order QX${last3}-walrus`,
    reference: `crm-zq${last3}-9`,
    words: `my dog Xerxes${last3} barks`,
    id: '',
    stops,
  };
}

async function liveAWhile(who: Somebody): Promise<void> {
  const { number, name, purpose } = who;
  const asked = await story.api.post<object>('/v1/permission-requests', {
    to: number,
    name,
    purpose,
    variables: [name, purpose],
  });
  assert.ok(!isProblem(asked), JSON.stringify(asked));
  await story.until(`the yes of ${number}`, async () => {
    const { consents } = await contactOf(story, number);
    return consents[0]?.status === 'granted';
  });
  const { id } = await contactOf(story, number);
  who.id = id;
  const placed = await call(story, number, { purpose, clientReference: who.reference });
  assert.ok(!isProblem(placed), JSON.stringify(placed));
  await reach(story, placed.id, 'ended');
  const again = await call(story, number, { purpose: `${purpose} again` });
  assert.ok(isProblem(again), 'one permission, one call');
  story.simulator.act(number, { action: 'write', text: who.words });
  if (who.stops) {
    story.simulator.act(number, { action: 'write', text: 'STOP' });
    await story.until('a stop', async () => (await contactOf(story, number)).doNotCall);
  }
  assert.equal((await send(story, 'GET', `/v1/contacts/${id}/evidence`)).status, 200);
}

/** All that names the person, as the export itself tells it. */
async function namesOf(who: Somebody): Promise<string[]> {
  const { text } = await send(story, 'GET', `/v1/contacts/${who.id}/export`);
  const { userId } = (JSON.parse(text) as { contact: ContactView }).contact;
  const messageIds = text.match(/wa[mc]id\.[\w-]+/g) ?? [];
  assert.ok(messageIds.length >= 4, 'a request, a yes, a call and a reply have ids at Meta');
  const digits = who.number.slice(1);
  const words = [who.name, who.purpose, who.reference, who.words];
  return [digits, digits.slice(2), ...words, ...messageIds, ...(userId === null ? [] : [userId])];
}

test('an export holds all that is kept of a person', async () => {
  const [who] = people;
  assert.ok(who !== undefined);
  const { status, text } = await send(story, 'GET', `/v1/contacts/${who.id}/export`);
  assert.equal(status, 200);
  const person = JSON.parse(text) as Record<string, unknown[]> & { contact: ContactView };
  assert.deepEqual([person.contact.number, person.contact.name], [who.number, who.name]);
  for (const part of ['requests', 'permissions', 'calls', 'messages', 'lastHeard', 'ledger']) {
    assert.ok((person[part]?.length ?? 0) > 0, part);
  }
  for (const word of [who.purpose, who.reference]) assert.ok(text.includes(word), word);
});

test('an erasure wants to be confirmed, and knows no contact of others', async () => {
  const [who] = others;
  const path = `/v1/contacts/${who?.id}/erase`;
  assert.equal((await send(story, 'POST', path, { body: { confirm: 'yes' } })).status, 400);
  assert.equal((await send(story, 'POST', path, { body: {} })).status, 400);
  assert.equal((await send(story, 'GET', `/v1/contacts/${who?.id}/erasure`)).status, 404);
});

test('of 100 erased people there are 0 traces, and the ledger verifies', async () => {
  const traces = (await Promise.all(people.map(namesOf))).flat();
  const kept = (await Promise.all(others.map(namesOf))).flat();
  const before = await Promise.all(others.map(({ id }) => evidenceOf(id)));
  assert.ok(tracesIn(await allTables(story.connectionString), traces).length > 0, 'they are there');
  for (const { id } of people) {
    const { status } = await send(story, 'POST', `/v1/contacts/${id}/erase`, {
      body: { confirm: id },
    });
    assert.equal(status, 202);
  }
  await story.until('the end of the sweep', async () => {
    for (const { id } of people) {
      const { text } = await send(story, 'GET', `/v1/contacts/${id}/erasure`);
      if ((JSON.parse(text) as { state: string }).state !== 'done') return false;
    }
    return true;
  });
  const places: Places = await allTables(story.connectionString);
  for (const [place, text] of await allFiles(story.dataDir)) places.set(place, text);
  places.set('log', log.join(''));
  places.set('metrics', (await send(story, 'GET', '/metrics', { key: null })).text);
  places.set('events', JSON.stringify(await eventsOfAll()));
  const found = tracesIn(places, traces);
  assert.deepEqual(found.slice(0, 10), [], `${found.length} traces`);
  for (const { id } of people) {
    const contact = await story.api.get<ContactView>(`/v1/contacts/${id}`);
    assert.deepEqual([contact.number, contact.userId, contact.name], [null, null, null]);
    assert.equal((await send(story, 'GET', `/v1/contacts/${id}/evidence`)).status, 200);
  }
  const record = await verify((await send(story, 'GET', '/v1/ledger/export')).text);
  assert.deepEqual(record.problems, []);
  assert.ok(record.contacts >= ERASED + OTHERS.length);
  const after = await Promise.all(others.map(({ id }) => evidenceOf(id)));
  assert.deepEqual(after, before, 'nobody else has changed');
  assert.ok(kept.length > 0 && (await Promise.all(others.map(namesOf))).flat().length > 0);
});

test('whoever said stop is still not called after the erasure, also as somebody new', async () => {
  const stopped = people.find(({ stops }) => stops);
  assert.ok(stopped !== undefined);
  const { number, id } = stopped;
  story.simulator.act(number, { action: 'write', text: 'hello, who is this?' });
  const found = await story.until('a new contact', async () => {
    const path = `/v1/contacts?number=${encodeURIComponent(number)}`;
    return (await story.api.get<Page<ContactView>>(path)).items[0];
  });
  assert.notEqual(found.id, id);
  assert.equal(found.doNotCall, true);
  const asked = await story.api.post<object>('/v1/permission-requests', {
    to: number,
    purpose: 'your order 5',
    variables: ['You', 'your order 5'],
  });
  assert.ok(isProblem(asked) && asked.code === 'do_not_call', JSON.stringify(asked));
});

test('erasing again changes nothing, and a late retry of a request does not act anew', async () => {
  const [who] = people;
  const { text } = await send(story, 'POST', `/v1/contacts/${who?.id}/erase`, {
    body: { confirm: who?.id },
  });
  assert.equal((JSON.parse(text) as { state: string }).state, 'done');
  const events = await eventsOfAll();
  const erased = events.filter(({ type }) => type === 'contact.erased');
  assert.equal(erased.length, ERASED);
  assert.deepEqual(Object.keys(erased[0]?.data ?? {}), ['id']);
});

async function evidenceOf(id: string): Promise<unknown> {
  const { text } = await send(story, 'GET', `/v1/contacts/${id}/evidence`);
  const {
    generatedAt: _at,
    checkpoint: _c,
    proofs: _p,
    ...evidence
  } = JSON.parse(text) as Record<string, unknown>;
  return evidence;
}

async function eventsOfAll(): Promise<EventView[]> {
  const all: EventView[] = [];
  for (let after: string | null = ''; after !== null;) {
    const query = after === '' ? '' : `&after=${after}`;
    const page: Page<EventView> = await story.api.get(`/v1/events?limit=100${query}`);
    all.push(...page.items);
    after = page.next;
  }
  return all;
}
