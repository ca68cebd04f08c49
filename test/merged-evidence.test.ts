import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { findByHandle } from '../src/contacts/contact-handle-store.ts';
import { findOrCreateContact } from '../src/contacts/contact-store.ts';
import { userHandle } from '../src/contacts/contact.ts';
import { findLine } from '../src/lines/line-store.ts';
import { makeIds } from '../src/platform/ids.ts';
import { seededRandom } from '../src/platform/random.ts';
import { PRESET } from '../simulator/simulator.ts';
import { send } from './api-peer.ts';
import { verify } from './audit-verifier.ts';
import { openStory, type Story } from './harness.ts';
import { contactOf, newPerson } from './story-people.ts';

/** The evidence about one person who was two contacts: two chains in one file, each proven. */
type Part = {
  format: string;
  contact: { id: string };
  ledger: Array<{ type: string; sequence: number }>;
  proofs: unknown[];
  optOuts: Array<{ type: string }>;
};
type Bundle = Part & { absorbed: Part[] };

let story: Story;
let goesOn: string;
let absorbed: string;
let bundle: string;

before(async () => {
  story = await openStory({ seed: 31 });
  const line = await findLine(story.database, PRESET.phoneNumberId);
  assert.ok(line !== null);
  const { accountId } = line;
  const number = newPerson(story, '821', '100');
  const { userId } = story.simulator.person(number);
  story.simulator.setFault({ kind: 'bsuid_only', times: 1 });
  story.simulator.act(number, { action: 'write', text: 'STOP' });
  absorbed = await story.until('the stop by user id', async () =>
    findByHandle(story.database, accountId, userHandle(userId)),
  );
  story.simulator.clearFaults();
  const ids = makeIds(story.clock, seededRandom(31));
  const identity = { e164: number, country: 'GB' };
  goesOn = await story.database.transaction((tx) =>
    findOrCreateContact(tx, ids, accountId, identity, story.clock.now()),
  );
  story.simulator.act(number, { action: 'write', text: 'it is me' });
  await story.until('one person', async () => {
    const contact = await contactOf(story, number);
    return contact.id === goesOn && contact.absorbed.includes(absorbed);
  });
  story.clock.advance(61_000);
  bundle = await story.until('a checkpoint over all', async () => {
    const { text } = await send(story, 'GET', `/v1/contacts/${goesOn}/evidence`);
    const { ledger, proofs, absorbed: parts } = JSON.parse(text) as Bundle;
    const all = [{ ledger, proofs }, ...parts];
    return all.every((it) => it.proofs.length === it.ledger.length) ? text : null;
  });
});
after(() => story.close());

test('a bundle has the chain of each absorbed contact, proven like its own', async () => {
  const verdict = await verify(bundle);
  assert.deepEqual(verdict.problems, []);
  const { contact, ledger, absorbed: parts } = JSON.parse(bundle) as Bundle;
  const [part] = parts;
  assert.ok(part !== undefined && parts.length === 1);
  assert.deepEqual([contact.id, part.contact.id], [goesOn, absorbed]);
  assert.ok(ledger.some(({ type }) => type === 'ContactMerged'));
  assert.ok(part.ledger.some(({ type }) => type === 'ContactAbsorbed'));
  assert.ok(part.optOuts.some(({ type }) => type === 'OptedOut'));
  assert.equal(part.ledger[0]?.sequence, 1);
  const entries = ledger.length + part.ledger.length;
  assert.deepEqual([verdict.contacts, verdict.entries], [2, entries]);
  assert.equal(verdict.checkpoint?.covered, entries);
});

test('the absorbed contact alone is a bundle of its own still', async () => {
  const { text } = await send(story, 'GET', `/v1/contacts/${absorbed}/evidence`);
  assert.deepEqual((await verify(text)).problems, []);
  assert.deepEqual((JSON.parse(text) as Bundle).absorbed, []);
});

test('what is changed, taken away or put into a part is found and named', async () => {
  const cases: Array<[name: string, edit: (it: Bundle) => void, place: RegExp]> = [
    ['an entry', ({ absorbed: [part] }) => (part!.ledger[1]!.type = 'X'), /^absorbed\[0\]\.ledger/],
    ['its last entry', ({ absorbed: [part] }) => part!.ledger.pop(), /^absorbed\[0\]\./],
    ['a row', ({ absorbed: [part] }) => part!.optOuts.pop(), /^absorbed\[0\]\.optOuts/],
    ['the part', (it) => (it.absorbed = []), /^absorbed$/],
    ['the part, twice', (it) => it.absorbed.push(it.absorbed[0]!), /^absorbed$/],
    ['its format', ({ absorbed: [part] }) => (part!.format = 'other'), /^absorbed\[0\]$/],
    [
      'somebody else as a part',
      (it) => it.absorbed.push({ ...it.absorbed[0]!, contact: { id: 'cont_other' } }),
      /^absorbed/,
    ],
  ];
  for (const [name, edit, place] of cases) {
    const changed = JSON.parse(bundle) as Bundle;
    edit(changed);
    const { ok, problems } = await verify(JSON.stringify(changed));
    assert.equal(ok, false, name);
    assert.match(problems[0]?.place ?? '', place, name);
  }
});

test('the page tells the two apart', async () => {
  const { text } = await send(story, 'GET', `/v1/contacts/${goesOn}/evidence.html`);
  const [own = '', part = ''] = text.split(`The same customer as contact ${absorbed}`);
  assert.ok(own.includes('Contact merged') && !own.includes('Contact absorbed'));
  assert.ok(part.includes('Contact absorbed') && part.includes('Opted out'));
  assert.equal(text.match(/Signed checkpoint/g)?.length, 2);
  assert.ok(text.trimEnd().endsWith('</html>'));
});

test('the export of the person has both, and verifies', async () => {
  const { text } = await send(story, 'GET', `/v1/contacts/${goesOn}/export`);
  const verdict = await verify(text);
  assert.deepEqual([verdict.problems, verdict.contacts], [[], 2]);
  const [part] = (JSON.parse(text) as Bundle).absorbed;
  assert.equal(part?.contact.id, absorbed);
  assert.ok('lastHeard' in part);
});
