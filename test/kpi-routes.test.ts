import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isProblem } from '../src/cli/api-client.ts';
import { runKpis } from '../src/cli/kpi-commands.ts';
import type { CallView, Page } from '../src/http/api-types.ts';
import type { KpiItemView, KpiView, RebuildView } from '../src/kpis/kpi-schemas.ts';
import { assertProblem, secondAccount, send } from './api-peer.ts';
import { openStory, type Story } from './harness.ts';
import { ask, call, contactOf, getYes, newPerson, placed, reach } from './story-people.ts';
import { allTables, tracesIn, type Places } from './traces.ts';

/** The figures by API: what a few people did, apart, down to calls, and after an erasure. */
let story: Story;
const YES = ['901', '902', '903'];
const PURPOSE = 'your order of walnuts 7781';
const numbers: string[] = [];
const calls: CallView[] = [];

before(async () => {
  story = await openStory({ seed: 57 });
  for (const last3 of YES) numbers.push(newPerson(story, last3, '101'));
  const own = { purpose: PURPOSE };
  for (const number of numbers) await getYes(story, number, own);
  await ask(story, newPerson(story, '904', '102'), own);
  for (const number of numbers.slice(0, 2)) {
    const { id } = await placed(story, number, own);
    calls.push(await reach(story, id, 'ended'));
  }
  await story.until('all is counted', async () => {
    const { counts } = await figures();
    return counts.requests_decided === 4 && counts.calls_ended === 2;
  });
});
after(() => story.close());

const figures = (query = ''): Promise<KpiView> => story.api.get<KpiView>(`/v1/kpis${query}`);
const items = (query: string): Promise<Page<KpiItemView>> =>
  story.api.get<Page<KpiItemView>>(`/v1/kpis/${query}`);

test('each figure is a numerator over a denominator, with target and interval', async () => {
  const { figures: all, metrics } = await figures();
  const { value, numerator, denominator, met, interval } = all.grant_rate;
  assert.deepEqual([value, numerator, denominator, met], [0.75, 3, 4, true]);
  assert.ok(interval !== null && interval.low < 0.75 && interval.high > 0.75);
  assert.equal(all.satisfaction.value, null);
  assert.equal(all.satisfaction.met, null);
  assert.deepEqual(
    metrics.slice(0, 5).map(({ name, target }) => [name, target?.above ?? target?.below]),
    [
      ['grant_rate', 0.6],
      ['answer_rate', 0.75],
      ['completion_rate', 0.9],
      ['satisfaction', 4],
      ['opt_out_rate', 0.05],
    ],
  );
});

test('apart by line, template, purpose and hour the parts are the whole', async () => {
  const whole = await figures();
  for (const groupBy of ['line', 'template_version', 'purpose', 'country', 'hour']) {
    const { groups } = await figures(`?groupBy=${groupBy}`);
    const sum = groups.reduce((all, { counts }) => all + counts.requests, 0);
    assert.equal(sum, whole.counts.requests, groupBy);
  }
  const { groups } = await figures('?groupBy=line');
  assert.notEqual(groups[0]?.label, null);
  const byEndpoint = await figures('?groupBy=endpoint');
  assert.ok(byEndpoint.groups.some(({ value, label }) => value !== '' && label !== null));
  for (const none of ['agent', 'campaign', 'journey', 'experiment', 'arm']) {
    assert.deepEqual((await figures(`?groupBy=${none}`)).groups[0]?.value, '');
  }
  const byPurpose = await figures('?groupBy=purpose');
  assert.equal(byPurpose.groups[0]?.label, null, 'four people do not share a purpose yet');
  const words = encodeURIComponent(PURPOSE);
  assert.equal((await figures(`?purpose=${words}`)).counts.requests, 4);
});

test('the trend has a point per day, or per hour for a short time', async () => {
  const { trend, period } = await figures();
  assert.deepEqual([period, trend.length], ['day', 1]);
  assert.equal(trend[0]?.figures.grant_rate.numerator, 3);
  const from = new Date(story.clock.now() - 3_600_000).toISOString();
  assert.equal((await figures(`?from=${from}`)).period, 'hour');
});

test('from a number to its calls, page by page', async () => {
  const answered = await items('answer_rate/items');
  assert.deepEqual(
    answered.items.map(({ id }) => id).toSorted(),
    calls.map(({ id }) => id).toSorted(),
  );
  const first = await items('grant_rate/items?part=denominator&limit=3');
  assert.equal(first.items.length, 3);
  const rest = await items(
    `grant_rate/items?part=denominator&limit=3&after=${encodeURIComponent(first.next ?? '')}`,
  );
  assert.deepEqual([rest.items.length, rest.next], [1, null]);
  const ids = new Set([...first.items, ...rest.items].map(({ id }) => id));
  assert.equal(ids.size, 4);
});

test('a time that is none, a foreign cursor and an unknown figure are refused', async () => {
  const backwards = '?from=2026-06-03T00:00:00Z&until=2026-06-02T00:00:00Z';
  assertProblem(await send(story, 'GET', `/v1/kpis${backwards}`), 400);
  assertProblem(await send(story, 'GET', '/v1/kpis?groupBy=mood'), 400);
  const foreign = encodeURIComponent(Buffer.from('nothing').toString('base64url'));
  assertProblem(await send(story, 'GET', `/v1/kpis/grant_rate/items?after=${foreign}`), 400);
  assertProblem(await send(story, 'GET', '/v1/kpis/mood/items'), 400);
});

test('another account has figures of its own, which say nothing', async () => {
  const { key } = await secondAccount(story);
  const answer = await send(story, 'GET', '/v1/kpis', { key });
  const { counts, groups } = JSON.parse(answer.text) as KpiView;
  assert.deepEqual([counts.requests, counts.calls, groups.length], [0, 0, 0]);
  const list = await send(story, 'GET', '/v1/kpis/answer_rate/items', { key });
  assert.deepEqual((JSON.parse(list.text) as Page<KpiItemView>).items, []);
});

test('working all out anew finds nothing to correct', async () => {
  const asked = await story.api.post<RebuildView>('/v1/kpis/rebuild', {});
  assert.ok(!isProblem(asked));
  const done = await story.until('the rebuild', async () => {
    const rebuild = await story.api.get<RebuildView>('/v1/kpis/rebuild');
    return rebuild.state === 'done' ? rebuild : null;
  });
  assert.deepEqual([done.changed, done.rollupsChanged], [0, 0]);
});

/** Tables of figures alone: others have proofs of their own that nothing is left. */
async function figureTables(): Promise<Places> {
  const all = await allTables(story.connectionString);
  return new Map([...all].filter(([name]) => name.includes('kpi_')));
}

test('after an erasure the totals stand, and nothing names the person', async () => {
  const before = await figures();
  const number = numbers[0] ?? '';
  const { id } = await contactOf(story, number);
  const erased = await story.api.post<object>(`/v1/contacts/${id}/erase`, { confirm: id });
  assert.ok(!isProblem(erased), JSON.stringify(erased));
  await story.until('counted without the words', async () => {
    const { items: rows } = await items('answer_rate/items');
    return rows.find(({ contactId }) => contactId === id)?.dimensions.purpose === '';
  });
  const after = await figures();
  assert.deepEqual(after.counts, before.counts);
  assert.deepEqual(after.figures, before.figures);
  const { items: rows } = await items('grant_rate/items');
  const row = rows.find(({ contactId }) => contactId === id);
  assert.deepEqual([row?.dimensions.purpose, row?.dimensions.country], ['', '']);
  assert.deepEqual(tracesIn(await figureTables(), [number, PURPOSE, 'walnuts']), []);
  const refused = await call(story, number);
  assert.ok(isProblem(refused) || refused.contactId !== id);
});

test('askfirst kpis tells the same as a table and as JSON', async () => {
  const said: string[] = [];
  let printed = '';
  const output = {
    clock: story.clock,
    print: (text: string) => void (printed += text),
    say: (text: string) => void said.push(text),
  };
  const options = { url: story.server.url ?? '', key: story.apiKey, days: '30', by: 'line' };
  const code = await runKpis(options, output);
  assert.deepEqual(said, []);
  assert.equal(code, 0);
  assert.match(printed, /Permission grant rate +75\.0 % +> 60\.0 % +met +3 \/ 4 +30\.1 to 95\.4 %/);
  assert.match(printed, /Askfirst Demo Clinic +75\.0 %/);
  printed = '';
  await runKpis({ ...options, json: true }, output);
  const json = JSON.parse(printed) as { kpis: KpiView; brakes: { lines: unknown[] } };
  assert.equal(json.kpis.figures.grant_rate.value, 0.75);
  assert.equal(json.brakes.lines.length, 1);
  assert.equal(await runKpis({ ...options, key: 'wrong' }, output), 2);
  assert.match(said.join(''), /Fix:/);
});
