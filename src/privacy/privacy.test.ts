import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as fc from 'fast-check';
import { testDatabase, type TestDatabase } from '../../test/database.ts';
import { allTables, tracesIn } from '../../test/traces.ts';
import { findOrCreateContact, readContact } from '../contacts/contact-store.ts';
import { makeChanges } from '../ledger/changes.ts';
import { onContact } from '../ledger/contact-unit.ts';
import { entriesOfContact } from '../ledger/ledger-store.ts';
import { firstBrokenEntry } from '../ledger/ledger.ts';
import { messageRows, nameExternalId } from '../messages/message-store.ts';
import { ManualClock } from '../platform/clock.ts';
import { makeIds, type ContactId } from '../platform/ids.ts';
import { silentLog } from '../platform/log.ts';
import { seededRandom } from '../platform/random.ts';
import { isFirstSight } from '../reception/seen-store.ts';
import { erasePerson, requestErasure } from './erasure-commands.ts';
import { LATE_WEBHOOKS_MS, workOffErasures } from './erasure-worker.ts';
import { needlesOf } from './privacy.ts';

const clock = new ManualClock(Date.UTC(2026, 2, 1));
const ids = makeIds(clock, seededRandom(8));
const accountId = ids.next('account');
const lineId = ids.next('line');
let store: TestDatabase;

before(async () => {
  store = await testDatabase();
});
after(() => store.close());

const ports = () => ({
  database: store.database,
  clock,
  ids,
  changes: makeChanges(),
  log: silentLog,
  doNotCallKey: seededRandom(9).bytes(32),
  rulesOfLine: async () => assert.fail('nobody here has a consent'),
});

/** Anything that may happen to a person, with words that nobody else uses. */
type Happening = { kind: 'recorded' | 'announced' | 'wrote' | 'sent'; word: string };

async function happen(contactId: ContactId, { kind, word }: Happening): Promise<void> {
  await onContact(ports(), contactId, async (unit) => {
    const { tx, now } = unit;
    if (kind === 'recorded' || kind === 'announced') {
      const personal = { text: word, nested: [{ purpose: `about ${word}` }] };
      const said = { type: 'optout.flagged', callId: null, sequence: 0, data: personal } as const;
      const announce = kind === 'announced' ? { announce: said } : {};
      unit.record({ type: 'Noted', actor: 'customer', at: now, data: {}, personal, ...announce });
    } else if (kind === 'wrote') {
      await isFirstSight(tx, contactId, `wamid.${word}`, now);
    } else {
      const id = ids.next('message', unit.contact.bucket);
      await nameExternalId(tx, `wamid.${word}`, id);
      unit.save(messageRows, id, {
        id,
        accountId,
        contactId,
        lineId,
        requestId: null,
        content: { kind: 'text', text: word },
        status: 'sent',
        wamid: `wamid.${word}`,
        dueAt: now,
        attempts: 1,
        lastError: null,
        createdAt: now,
      });
    }
  });
}

const word = fc.stringMatching(/^[a-z]{12,20}$/);
const happening = fc.record({
  kind: fc.constantFrom('recorded', 'announced', 'wrote', 'sent'),
  word,
}) satisfies fc.Arbitrary<Happening>;

test('whatever happened to a person, after the erasure no word of it is in any table', async () => {
  let made = 0;
  const history = fc.record({ name: word, happenings: fc.array(happening, { maxLength: 12 }) });
  await fc.assert(
    fc.asyncProperty(history, history, async (mine, theirs) => {
      made += 2;
      const [me, other] = [await make(made, mine.name), await make(made + 1, theirs.name)];
      for (const it of mine.happenings) await happen(me, it);
      for (const it of theirs.happenings) await happen(other, it);
      const before = await entriesOfContact(store.database, other, 0, 100);
      await erase(me);
      const traces = [numberOf(made), mine.name, ...mine.happenings.map((it) => it.word)];
      assert.deepEqual(tracesIn(await allTables(store.connectionString), traces), []);
      const entries = await entriesOfContact(store.database, me, 0, 100);
      assert.equal(firstBrokenEntry(entries), null);
      assert.ok(entries.every(({ personal }) => personal === null));
      assert.deepEqual(await entriesOfContact(store.database, other, 0, 100), before);
      assert.equal((await readContact(store.database, accountId, other))?.name, theirs.name);
    }),
    { seed: 17, numRuns: 25 },
  );
});

const numberOf = (n: number): string => `+44770090${String(1_000 + n)}`;

function make(n: number, name: string): Promise<ContactId> {
  const identity = { e164: numberOf(n), name, country: 'GB' };
  return store.database.transaction((tx) =>
    findOrCreateContact(tx, ids, accountId, identity, clock.now()),
  );
}

async function erase(id: ContactId): Promise<void> {
  const contact = await readContact(store.database, accountId, id);
  assert.ok(contact !== null);
  await requestErasure(ports(), contact, 'api:key_1');
  assert.equal(await erasePerson(ports(), contact, 'api:key_1'), true);
  assert.equal(await workOffErasures(ports()), 1, 'late webhooks are waited for');
  clock.advance(LATE_WEBHOOKS_MS);
  assert.equal(await workOffErasures(ports()), 0);
}

test('what is looked for in texts is the number without its plus, and the user id', () => {
  const people = [
    { id: ids.next('contact'), e164: '+447700900001', userId: null },
    { id: ids.next('contact'), e164: '+447700900001', userId: 'GB.123' },
  ];
  assert.deepEqual(needlesOf(people).names, ['447700900001', 'GB.123']);
});
