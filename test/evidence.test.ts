import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isProblem } from '../src/cli/api-client.ts';
import type { Page, PermissionRequestView, CallView } from '../src/http/api-types.ts';
import { makeChanges } from '../src/ledger/changes.ts';
import { onContact } from '../src/ledger/contact-unit.ts';
import { makeIds, type ContactId } from '../src/platform/ids.ts';
import { seededRandom } from '../src/platform/random.ts';
import { assertProblem, secondAccount, send, type Answer } from './api-peer.ts';
import { openStory, type Story } from './harness.ts';
import { verify } from './audit-verifier.ts';
import {
  ask,
  call,
  consentStatus,
  contactOf,
  getYes,
  newPerson,
  person,
  placed,
  reach,
} from './story-people.ts';

type Row = Record<string, unknown> & { id: string; ledger: number[] };
type Entry = { sequence: number; type: string; data: Record<string, unknown>; at: string };
type Bundle = {
  contact: { id: string; number: string; doNotCall: boolean };
  lines: Array<{ displayNumber: string }>;
  policyPacks: string[];
  requests: Row[];
  answers: Entry[];
  permissions: Row[];
  refusals: Entry[];
  calls: Row[];
  optOuts: Entry[];
  ledgerHead: { sequence: number; hash: string };
  ledger: Entry[];
};

let story: Story;
let other: { key: string };
before(async () => {
  story = await openStory({ seed: 5 });
  other = await secondAccount(story);
});
after(() => story.close());

async function download(number: string): Promise<{ answer: Answer; bundle: Bundle }> {
  const { id } = await contactOf(story, number);
  const answer = await send(story, 'GET', `/v1/contacts/${id}/evidence`);
  assert.equal(answer.status, 200, answer.text);
  const verdict = await verify(answer.text);
  assert.deepEqual(verdict.problems, []);
  return { answer, bundle: JSON.parse(answer.text) as Bundle };
}

const entryOf = ({ ledger }: Bundle, sequence: unknown): Entry => {
  const entry = ledger.find((it) => it.sequence === sequence);
  assert.ok(entry !== undefined, `no entry ${String(sequence)}`);
  return entry;
};

test('a bundle shows the question, the yes, the call and its record, chained', async () => {
  const number = person('101');
  await getYes(story, number);
  const { id } = await placed(story, number);
  await reach(story, id, 'ended');
  await call(story, number);
  const { answer, bundle } = await download(number);
  const [request] = bundle.requests;
  const shown = await story.api.get<PermissionRequestView>(
    `/v1/permission-requests/${request?.id}`,
  );
  assert.equal(request?.['text'], shown.text);
  assert.match(String(request?.['deliveredAt']), /^2026-06-03T/);
  const [permission] = bundle.permissions;
  assert.equal(permission?.['usedByCallId'], id);
  assert.equal(permission?.['requestId'], request?.id);
  const [made] = bundle.calls;
  assert.equal(made?.id, id);
  assert.equal((made?.['cdr'] as { callId?: string } | undefined)?.callId, id);
  assert.equal(entryOf(bundle, made?.['requestedIn']).type, 'PermissionRequested');
  assert.equal(entryOf(bundle, made?.['grantedIn']).type, 'PermissionGranted');
  assert.equal(entryOf(bundle, made?.['usedIn']).data['callId'], id);
  assert.deepEqual(
    bundle.refusals.map(({ data }) => data['code']),
    ['permission_used'],
  );
  assert.deepEqual(bundle.policyPacks, ['strict-2026-01']);
  assert.equal(bundle.contact.number, number);
  assert.equal(bundle.ledgerHead.sequence, bundle.ledger.length);
  const name = String(answer.headers['content-disposition']);
  assert.match(name, /^attachment; filename="evidence-cont_[0-9a-f-]+-2026-06-03\.json"$/);
  assert.doesNotMatch(name, /447700/);
});

test('every call is in the bundle of its customer, with what it rests on', async () => {
  const [refusing, ringing, silent] = [person('102'), person('104'), person('105')];
  await ask(story, refusing);
  await story.until('a no', async () => (await consentStatus(story, refusing)) === 'declined');
  assert.ok(isProblem(await call(story, refusing)));
  for (const number of [ringing, silent]) {
    await getYes(story, number);
    const { id } = await placed(story, number);
    await reach(story, id, 'ended');
  }
  const stopped = newPerson(story, '902', '101');
  await getYes(story, stopped);
  story.simulator.act(stopped, { action: 'write', text: 'STOP' });
  await story.until('an opt-out', async () => (await contactOf(story, stopped)).doNotCall);
  const { items } = await story.api.get<Page<CallView>>('/v1/calls?limit=100');
  const made = new Map(items.map((it) => [it.id, it]));
  assert.ok(made.size >= 3);
  for (const number of [person('101'), refusing, ringing, silent, stopped]) {
    const { bundle } = await download(number);
    for (const row of bundle.calls) {
      const known = made.get(row.id);
      assert.equal(known?.outcome, row['outcome']);
      if (known?.permissionId !== null) assert.ok(Number(row['usedIn']) > Number(row['grantedIn']));
      made.delete(row.id);
    }
  }
  assert.deepEqual([...made.keys()], [], 'calls in no bundle');
});

test('a no and a stop are in the bundle as the customer said them', async () => {
  const declined = await download(person('102'));
  assert.ok(declined.bundle.answers.some(({ type }) => type === 'PermissionDeclined'));
  assert.deepEqual(declined.bundle.calls, []);
  const stopped = await download(person('902'));
  assert.ok(stopped.bundle.contact.doNotCall);
  assert.deepEqual(
    stopped.bundle.optOuts.map(({ type }) => type),
    ['OptedOut', 'DoNotCallAdded'],
  );
  assert.equal(stopped.bundle.permissions[0]?.['revokedBy'], 'opt_out');
});

test('while a call rings the bundle shows the moment, and holds', async () => {
  const number = newPerson(story, '903', '105');
  await getYes(story, number);
  const { id } = await placed(story, number);
  await reach(story, id, 'ringing');
  const { bundle } = await download(number);
  assert.equal(bundle.calls[0]?.['cdr'], null);
  assert.equal(bundle.calls[0]?.['status'], 'ringing');
  await reach(story, id, 'ended');
});

test('no key, another account, no such contact: no evidence', async () => {
  const { id } = await contactOf(story, person('101'));
  const path = `/v1/contacts/${id}/evidence`;
  assertProblem(await send(story, 'GET', path, { key: null }), 401);
  assert.equal(
    assertProblem(await send(story, 'GET', path, { key: other.key }), 404).code,
    'not_found',
  );
  assertProblem(await send(story, 'GET', '/v1/contacts/nobody/evidence'), 404);
  assertProblem(await send(story, 'GET', '/v1/ledger/export', { key: null }), 401);
  assertProblem(await send(story, 'GET', '/v1/ledger/export?after=nobody'), 404);
});

test('the export holds every chain of the account, and none of another', async () => {
  const answer = await send(story, 'GET', '/v1/ledger/export');
  const verdict = await verify(answer.text);
  assert.deepEqual(verdict.problems, []);
  const lines = answer.text.split('\n').filter((it) => it !== '' && !it.startsWith('{"tile"'));
  const { items } = await story.api.get<Page<{ id: string }>>('/v1/contacts?limit=100');
  assert.equal(verdict.contacts, items.length);
  assert.equal(lines.length, verdict.contacts + verdict.entries + 2);
  assert.doesNotMatch(answer.text, /447700/, 'the ledger names nobody by number');
  const theirs = await send(story, 'GET', '/v1/ledger/export', { key: other.key });
  assert.equal((await verify(theirs.text)).contacts, 0);
});

test('an export goes on behind a contact', async () => {
  const ids = (await story.api.get<Page<{ id: string }>>('/v1/contacts?limit=100')).items.map(
    ({ id }) => id,
  );
  const [third] = ids.sort().slice(2);
  const rest = await verify((await send(story, 'GET', `/v1/ledger/export?after=${third}`)).text);
  assert.ok(rest.ok);
  assert.equal(rest.contacts, ids.length - 3);
});

test('thousands of entries of one contact come page by page, in order and whole', async () => {
  const number = newPerson(story, '904', '101');
  await ask(story, number);
  const { id } = await contactOf(story, number);
  const { clock, database } = story;
  const ports = { clock, database, ids: makeIds(clock, seededRandom(7)), changes: makeChanges() };
  const many = 4_321;
  await onContact(ports, id as ContactId, async (unit) => {
    for (let index = 0; index < many; index += 1) {
      const data = { code: 'permission_pending', index, policyPack: 'strict-2026-01' };
      unit.record({ type: 'CallBlocked', actor: 'api:test', at: unit.now, data });
    }
  });
  await getYes(story, newPerson(story, '905', '101'));
  const { bundle } = await download(number);
  assert.deepEqual(
    bundle.refusals.map(({ data }) => data['index']),
    Array.from({ length: many }, (_, index) => index),
  );
  const all = await verify((await send(story, 'GET', '/v1/ledger/export')).text);
  assert.deepEqual(all.problems, []);
  assert.ok(all.entries > many);
  assert.equal(await consentStatus(story, person('905')), 'granted');
});
