import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isProblem } from '../src/cli/api-client.ts';
import type { ContactView, Page, TimelineEntry } from '../src/http/api-types.ts';
import { assertProblem, secondAccount, send } from './api-peer.ts';
import { openStory, type Story } from './harness.ts';
import {
  call,
  consentStatus,
  contactOf,
  getYes,
  newPerson,
  placed,
  reach,
} from './story-people.ts';

/** What the API shows and lets the business say of a contact. */
let story: Story;

before(async () => {
  story = await openStory({ seed: 46 });
});
after(() => story.close());

async function patch(id: string, body: object): Promise<ContactView> {
  const answer = await send(story, 'PATCH', `/v1/contacts/${id}`, { body });
  assert.equal(answer.status, 200, answer.text);
  return JSON.parse(answer.text) as ContactView;
}

async function historyOf(id: string, query = ''): Promise<Page<TimelineEntry>> {
  return story.api.get(`/v1/contacts/${id}/history${query}`);
}

test('a contact shows the seven facts of the page for every line, and its history', async () => {
  const number = newPerson(story, '701', '101');
  await getYes(story, number);
  const { id } = await placed(story, number);
  await reach(story, id, 'ended');
  const contact = await contactOf(story, number);
  const [consent] = contact.consents;
  assert.equal(contact.number, number);
  assert.equal(consent?.status, 'used');
  assert.ok(consent.grantedAt !== null && consent.expiresAt !== null);
  assert.deepEqual([consent.revokedAt, consent.revokedBy], [null, null]);
  assert.equal(consent.requestsSent, 1);
  assert.ok(consent.lastRequestAt !== null && consent.lastRequestAt < consent.grantedAt);
  assert.deepEqual(
    [contact.optedOutAt, contact.optOutPending, contact.doNotCall],
    [null, null, false],
  );
  const { lastCallAt, lastRequestAt, ...counts } = contact.history;
  assert.deepEqual(counts, {
    requestsSent: 1,
    callsPlaced: 1,
    callsConnected: 1,
    unansweredInRow: 0,
  });
  assert.ok(lastCallAt !== null && lastRequestAt === consent.lastRequestAt);
});

test('the whole history comes in pages, and no page is lost or repeated', async () => {
  const { id } = await contactOf(story, newNumberOf('701'));
  const all = (await historyOf(id, '?limit=500')).items.map(({ sequence }) => sequence);
  const paged: number[] = [];
  for (let after: string | null = '0'; after !== null;) {
    const page: Page<TimelineEntry> = await historyOf(id, `?limit=3&after=${after}`);
    paged.push(...page.items.map(({ sequence }) => sequence));
    after = page.next;
  }
  assert.deepEqual(paged, all);
  assert.deepEqual(
    all,
    all.map((_, index) => index + 1),
  );
});

const newNumberOf = (last3: string): string => `+447700900${last3}`;

test('contacts are found by number, and by the status of their permission', async () => {
  const granted = newPerson(story, '702', '101');
  const declined = newPerson(story, '703', '102');
  await getYes(story, granted);
  await story.api.post('/v1/permission-requests', { to: declined, purpose: 'your order 1042' });
  await story.until('a no', async () => (await consentStatus(story, declined)) === 'declined');
  const numbersOf = async (query: string): Promise<Array<string | null>> =>
    (await story.api.get<Page<ContactView>>(`/v1/contacts?${query}`)).items.map((it) => it.number);
  assert.deepEqual(await numbersOf('status=declined'), [declined]);
  assert.deepEqual(await numbersOf('status=granted'), [granted]);
  const { consents } = await contactOf(story, granted);
  const lineId = consents[0]?.lineId ?? '';
  assert.deepEqual(await numbersOf(`status=granted&lineId=${lineId}`), [granted]);
  assert.deepEqual(await numbersOf('status=granted&limit=1'), [granted]);
  const bad = await send(story, 'GET', '/v1/contacts?status=maybe');
  assertProblem(bad, 400);
  // Past its end a grant is expired, whether or not it was swept.
  story.clock.advance(25 * 3_600_000);
  assert.deepEqual(await numbersOf('status=granted'), []);
  assert.ok((await numbersOf('status=expired')).includes(granted));
});

test('name, language and time zone are changed by hand, and recorded', async () => {
  const number = newPerson(story, '704', '101');
  await getYes(story, number);
  const { id } = await contactOf(story, number);
  const changed = await patch(id, { name: 'Ada L.', language: 'pt_BR', timeZone: 'Asia/Tokyo' });
  assert.deepEqual(
    [changed.name, changed.language, changed.timeZone],
    ['Ada L.', 'pt_BR', 'Asia/Tokyo'],
  );
  await patch(id, { language: 'pt_BR' });
  const entries = (await historyOf(id)).items.filter(({ type }) => type === 'ContactChanged');
  assert.equal(entries.length, 1, 'what changes nothing is not recorded');
  assert.deepEqual(entries[0]?.data, {
    fields: ['name', 'language', 'timeZone'],
    language: 'pt_BR',
    timeZone: 'Asia/Tokyo',
  });
  assert.deepEqual(entries[0].personal, { name: 'Ada L.' });
  assert.equal((await patch(id, { timeZone: null })).timeZone, null);
});

test('the mark of a sanctioned region needs a reason, and forbids every call', async () => {
  const number = newPerson(story, '705', '101');
  await getYes(story, number);
  const { id } = await contactOf(story, number);
  const path = `/v1/contacts/${id}`;
  const bare = await send(story, 'PATCH', path, { body: { sanctionedRegion: true } });
  assert.equal(assertProblem(bare, 400).fields?.[0]?.field, 'reason');
  const marked = await patch(id, { sanctionedRegion: true, reason: 'lives in Sevastopol' });
  assert.match(marked.sanctionedRegion?.by ?? '', /^api:/);
  const refused = await call(story, number);
  assert.ok(isProblem(refused) && refused.code === 'sanctioned_place', JSON.stringify(refused));
  const cleared = await patch(id, { sanctionedRegion: false, reason: 'moved to Berlin' });
  assert.equal(cleared.sanctionedRegion, null);
  await placed(story, number);
});

test('bad changes are refused field by field, and nobody changes what is not theirs', async () => {
  const { id } = await contactOf(story, newNumberOf('704'));
  const path = `/v1/contacts/${id}`;
  for (const body of [
    {},
    { reason: 'nothing else' },
    { timeZone: 'Mars/Olympus' },
    { language: 'english' },
    { name: 'two\nlines' },
    { number: '+447700900999' },
  ]) {
    const answer = await send(story, 'PATCH', path, { body });
    assert.equal(assertProblem(answer, 400).code, 'invalid_request', JSON.stringify(body));
  }
  assertProblem(await send(story, 'PATCH', path, { body: { name: 'x' }, key: null }), 401);
  const { key } = await secondAccount(story);
  assertProblem(await send(story, 'PATCH', path, { body: { name: 'x' }, key }), 404);
});
