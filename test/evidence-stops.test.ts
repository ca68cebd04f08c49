import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isProblem } from '../src/cli/api-client.ts';
import { openOptOutDesk } from '../src/consent/opt-out-desk.ts';
import { makeOptOutLatency } from '../src/consent/opt-out-metrics.ts';
import { makeChanges } from '../src/ledger/changes.ts';
import { makeIds, type ContactId } from '../src/platform/ids.ts';
import { silentLog } from '../src/platform/log.ts';
import { seededRandom } from '../src/platform/random.ts';
import { makePolicyPacks } from '../src/policy/policy-packs.ts';
import { verify } from './audit-verifier.ts';
import { send } from './api-peer.ts';
import { openStory, type Story } from './harness.ts';
import { contactOf, getYes, newPerson } from './story-people.ts';

/**
 * Stops that were said again, taken late or lifted stand in a person's evidence, and the verifier,
 * which shares no code with the writer, holds each of them against the ledger.
 */
type Row = { type: string; sequence: number; actor: string; at: string; data: object };
type Bundle = { optOuts: Row[]; ledger: Row[] } & Record<string, unknown>;

const KINDS = ['OptedOut', 'OptOutRepeated', 'OptOutLate', 'OptOutLifted'] as const;

let story: Story;
let bundle: Bundle;

before(async () => {
  story = await openStory({ seed: 12 });
  const number = newPerson(story, '620', '100');
  await getYes(story, number);
  const write = (text: string): void => story.simulator.act(number, { action: 'write', text });
  write('STOP');
  await story.until('a stop', async () => (await contactOf(story, number)).doNotCall);
  await story.pass(5_000);
  write('STOP');
  await story.until('the stop said again', async () => (await kindsOf(number)).has(KINDS[1]));
  await liftByLink(number);
  await story.until('the stop lifted', async () => (await kindsOf(number)).has('OptOutLifted'));
  await stopLate((await contactOf(story, number)).id as ContactId);
  bundle = await evidenceOf(number);
});
after(() => story.close());

async function evidenceOf(number: string): Promise<Bundle> {
  const { id } = await contactOf(story, number);
  return JSON.parse((await send(story, 'GET', `/v1/contacts/${id}/evidence`)).text) as Bundle;
}

async function kindsOf(number: string): Promise<Set<string>> {
  return new Set((await evidenceOf(number)).optOuts.map(({ type }) => type));
}

/** By the person's own act: the button of the page behind their link. */
async function liftByLink(number: string): Promise<void> {
  const { id } = await contactOf(story, number);
  const link = await story.api.post<{ url: string }>(`/v1/contacts/${id}/self-service-link`, {});
  assert.ok(!isProblem(link), JSON.stringify(link));
  await story.pass(1_000);
  const body = new URLSearchParams({ wish: 'again' });
  const answer = await fetch(link.url, { method: 'POST', body, redirect: 'manual' });
  assert.equal(answer.status, 303);
}

/** A stop that waited for over a minute before it was read, as after an outage. */
async function stopLate(id: ContactId): Promise<void> {
  const { database, clock } = story;
  const random = seededRandom(3);
  const rulesOfLine = async () => makePolicyPacks().rulesOf('strict-2026-01');
  const desk = openOptOutDesk({
    database,
    clock,
    ids: makeIds(clock, random),
    changes: makeChanges(),
    doNotCallKey: random.bytes(32),
    rulesOfLine,
    optOutLatency: makeOptOutLatency({ clock, log: silentLog, database }),
  });
  await desk.stop(id, { lineId: null, way: 'key_press', waitedMs: 61_000 });
}

test('a bundle with every kind of stop verifies', async () => {
  const kinds = new Set(bundle.optOuts.map(({ type }) => type));
  for (const kind of KINDS) assert.ok(kinds.has(kind), `no ${kind} in ${[...kinds].join()}`);
  assert.deepEqual((await verify(JSON.stringify(bundle))).problems, []);
});

type Edit = (row: Row) => void;
const EDITS: Readonly<Record<string, Edit>> = {
  actor: (row) => (row.actor = 'somebody'),
  time: (row) => (row.at = new Date(Date.parse(row.at) + 1).toISOString()),
  type: (row) => (row.type = row.type === 'OptedOut' ? 'OptOutLifted' : 'OptedOut'),
  data: (row) => (row.data = { ...row.data, way: 'letter' }),
};

for (const kind of KINDS) {
  for (const [what, edit] of Object.entries(EDITS)) {
    for (const list of ['optOuts', 'ledger'] as const) {
      test(`a changed ${what} of ${kind} in "${list}" is found`, async () => {
        const forged = structuredClone(bundle);
        const row = forged[list].find(({ type }) => type === kind);
        assert.ok(row !== undefined);
        edit(row);
        assert.equal((await verify(JSON.stringify(forged))).ok, false);
      });
    }
  }
  test(`a ${kind} that was taken out is found, in the list and in the ledger`, async () => {
    for (const lists of [['optOuts'], ['ledger'], ['optOuts', 'ledger']] as const) {
      const forged = structuredClone(bundle);
      for (const list of lists) {
        const at = forged[list].findIndex(({ type }) => type === kind);
        assert.ok(at >= 0);
        forged[list].splice(at, 1);
      }
      const verdict = await verify(JSON.stringify(forged));
      assert.equal(verdict.ok, false, lists.join(' and '));
    }
  });
}
