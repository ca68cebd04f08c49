import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isProblem } from '../src/cli/api-client.ts';
import type { Page, PermissionView, TimelineEntry } from '../src/http/api-types.ts';
import { openStory, type Story } from './harness.ts';
import {
  call,
  consentStatus,
  contactOf,
  getYes,
  newPerson,
  placed,
  PURPOSE,
  reach,
} from './story-people.ts';

/** What a person sees behind their link, and how they take one permission back there. */
let story: Story;

before(async () => {
  story = await openStory({ seed: 57 });
});
after(() => story.close());

const HOUR_MS = 3_600_000;

async function personWithLink(last3: string): Promise<{ number: string; url: string }> {
  const number = newPerson(story, last3, '101');
  await getYes(story, number);
  return { number, url: await linkOf(number) };
}

async function linkOf(number: string, body: object = {}): Promise<string> {
  const { id } = await contactOf(story, number);
  const made = await story.api.post<{ url: string }>(`/v1/contacts/${id}/self-service-link`, body);
  assert.ok(!isProblem(made), JSON.stringify(made));
  return made.url;
}

async function read(url: string): Promise<string> {
  return (await fetch(url)).text();
}

/** The permission that the page offers to take back; empty where it offers none. */
async function offered(url: string): Promise<string> {
  return /name="permission" value="([^"]+)"/.exec(await read(url))?.[1] ?? '';
}

async function takeBack(url: string, permission: string): Promise<string> {
  const body = new URLSearchParams({ permission, wish: 'take_back' });
  return (await fetch(url, { method: 'POST', body })).text();
}

async function entries(number: string, type: string): Promise<TimelineEntry[]> {
  const { id } = await contactOf(story, number);
  const path = `/v1/contacts/${id}/timeline?limit=500`;
  const { items } = await story.api.get<Page<TimelineEntry>>(path);
  return items.filter((entry) => entry.type === type);
}

async function eventsOfType(number: string, type: string): Promise<number> {
  const { id } = await contactOf(story, number);
  const text = 'select type from events where contact_id = $1 and type = $2';
  return (await story.database.run({ name: '', text }, [id, type])).length;
}

test('the page tells what for and until when, in local time; opening it is no act', async () => {
  const { number, url } = await personWithLink('701');
  const html = await read(url);
  assert.ok(html.includes('We may call you once.') && html.includes(PURPOSE), html);
  const { id } = await contactOf(story, number);
  const { items } = await story.api.get<Page<PermissionView>>(`/v1/permissions?contactId=${id}`);
  assert.ok(html.includes(`<time datetime="${items[0]?.expiresAt}">`));
  assert.match(html, /June 2026 at \d\d:\d\d GMT\+1<\/time>/);
  assert.ok(!html.includes(number.slice(4)) && !html.includes('<script'));
  for (let times = 0; times < 3; times += 1) await fetch(url, { method: 'HEAD' });
  assert.equal(await consentStatus(story, number), 'granted');
});

test('a permission is taken back once; that is no stop, and a later yes counts', async () => {
  const { number, url } = await personWithLink('702');
  const permission = await offered(url);
  const html = await takeBack(url, permission);
  assert.ok(html.includes('We may not call you now.') && html.includes('Stop all calls'));
  assert.equal(await offered(url), '');
  await takeBack(url, permission);
  const [said, ...more] = await entries(number, 'PermissionRevoked');
  assert.equal(more.length, 0);
  assert.equal(said?.actor, 'customer');
  assert.equal(said?.data['by'], 'customer');
  assert.equal(said?.personal?.['reason'], 'self_service');
  assert.equal(await eventsOfType(number, 'permission.revoked'), 1);
  assert.equal((await entries(number, 'OptedOut')).length, 0);
  const contact = await contactOf(story, number);
  assert.deepEqual([contact.doNotCall, contact.optedOutAt], [false, null]);
  const refused = await call(story, number);
  assert.ok(isProblem(refused) && refused.code === 'permission_revoked');
  await story.pass(2_000);
  story.simulator.act(number, { action: 'allow_in_profile' });
  await story.until('a yes', async () => (await consentStatus(story, number)) === 'granted');
  assert.notEqual(await offered(url), permission);
  // A page that stood open all the while speaks of the old permission, and of no other.
  await takeBack(url, permission);
  assert.equal(await consentStatus(story, number), 'granted');
});

test('a phone that rings is silent in a second, and its permission never comes back', async () => {
  const { number, url } = await personWithLink('703');
  const permission = await offered(url);
  const { id } = await placed(story, number);
  await reach(story, id, 'ringing');
  await takeBack(url, permission);
  await story.until('silence', () => story.simulator.person(number).call === null, 1_000);
  const ended = await reach(story, id, 'ended');
  assert.equal(ended.endReason, 'permission_revoked');
  assert.equal(await consentStatus(story, number), 'revoked');
});

test("nobody takes back somebody else's permission, and made up ones are nothing", async () => {
  const one = await personWithLink('704');
  const two = await personWithLink('705');
  const others = await offered(two.url);
  for (const wrong of [others, '', 'perm_x', '<b>', 'a'.repeat(90)]) {
    assert.ok((await takeBack(one.url, wrong)).includes('We may call you once.'));
  }
  for (const { number } of [one, two]) {
    assert.equal(await consentStatus(story, number), 'granted');
  }
});

test('the page speaks the language of the contact, and writes what was typed as text', async () => {
  const number = newPerson(story, '706', '101');
  await getYes(story, number, { purpose: 'your <b>order</b> 1042 & its delivery' });
  const { id } = await contactOf(story, number);
  const path = new URL(`/v1/contacts/${id}`, story.server.url ?? '');
  const headers = {
    authorization: `Bearer ${story.apiKey}`,
    'content-type': 'application/json',
  };
  const body = JSON.stringify({ language: 'de', timeZone: 'Europe/Berlin' });
  assert.equal((await fetch(path, { method: 'PATCH', headers, body })).status, 200);
  const html = await read(await linkOf(number));
  assert.ok(html.includes('Wir dürfen Sie einmal anrufen.') && html.includes('<html lang="de"'));
  assert.ok(html.includes('&lt;b&gt;order&lt;/b&gt; 1042 &amp; its delivery'));
  assert.match(html, /Juni 2026.*(GMT\+2|MESZ)<\/time>/);
});

test('after a stop the page says only that, and old pages take nothing back', async () => {
  const { number, url } = await personWithLink('707');
  const permission = await offered(url);
  await fetch(url, { method: 'POST', body: new URLSearchParams({ wish: 'stop' }) });
  const html = await takeBack(url, permission);
  assert.ok(html.includes('do-not-call list') && !html.includes('<section'));
  assert.equal((await entries(number, 'PermissionRevoked')).length, 1);
});

test('links of erased people and old links take nothing back, and answer plainly', async () => {
  const gone = await personWithLink('708');
  const { id } = await contactOf(story, gone.number);
  const permission = await offered(gone.url);
  const erased = await story.api.post<object>(`/v1/contacts/${id}/erase`, { confirm: id });
  assert.ok(!isProblem(erased), JSON.stringify(erased));
  await story.until('the erasure', async () => (await fetch(gone.url)).status === 404);
  assert.ok((await takeBack(gone.url, permission)).includes('This link is not valid'));
  const late = await personWithLink('709');
  const url = await linkOf(late.number, { validDays: 1 });
  const held = await offered(url);
  await story.leap(25 * HOUR_MS);
  const body = new URLSearchParams({ permission: held, wish: 'take_back' });
  const answer = await fetch(url, { method: 'POST', body });
  assert.equal(answer.status, 404);
  assert.ok((await answer.text()).includes('This link is not valid'));
  assert.equal((await entries(late.number, 'PermissionRevoked')).length, 0);
});
