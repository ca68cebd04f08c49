import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from 'pg';
import type { Page } from '../../src/http/api-types.ts';
import { readSums } from '../../src/kpis/kpi-query-store.ts';
import { DIMENSIONS, type Dimension } from '../../src/kpis/kpis.ts';
import { purposeIdOf } from '../../src/kpis/purposes.ts';
import { isoTime } from '../../src/platform/clock.ts';
import { seededRandom } from '../../src/platform/random.ts';
import { send as sendTo } from '../api-peer.ts';
import { openStory, type Story } from '../harness.ts';
import { ORACLE, oracleSums, sumsThatSay, type OracleRow } from '../kpi-oracle.ts';
import { drawPlayer, furnish, scriptOf, type Business, type DayLine, type Player } from './cast.ts';
import { brokenRules, faultsOf, NEW_ZONE } from './oracle.ts';
import { playUntil } from './play.ts';

/**
 * A day of campaigns: eight journeys on five lines of three businesses, with people who say yes
 * and no, say nothing, do not pick up, take it back, stop, and move. `npm run prove -- day` plays
 * it with as many people as it is told to; time is virtual, everything else but Meta and the
 * sound is real.
 */
const PEOPLE = Number(process.env['ASKFIRST_DAY_PEOPLE'] ?? 32);
const SEED = Number(process.env['ASKFIRST_DAY_SEED'] ?? 20_260_603);
const HOUR = 3_600_000;
const DAY = 26 * HOUR;
const TELL_EVERY = HOUR;
const TIMEOUT_MS = 24 * HOUR;

type Campaign = { line: number; journey: string; variables: Record<string, object> };

const text = (value: string): { text: string } => ({ text: value });
const APPOINTMENT = {
  appointmentAt: text('2026-06-04T13:00:00Z'),
  date: text('Thursday the fourth of June'),
  time: text('two in the afternoon'),
};
const SUPPORT = (agent: string) => ({ issue: text('your account set-up'), agent: text(agent) });
const CAMPAIGNS: readonly Campaign[] = [
  { line: 0, journey: 'delivery-update', variables: { order: { column: 'order' } } },
  { line: 0, journey: 'support-callback', variables: SUPPORT('Demo PBX') },
  { line: 1, journey: 'appointment-reminder', variables: APPOINTMENT },
  { line: 2, journey: 'appointment-reminder', variables: APPOINTMENT },
  { line: 3, journey: 'support-callback', variables: SUPPORT('Desk') },
  { line: 3, journey: 'ask', variables: { order: { column: 'order' } } },
  { line: 4, journey: 'delivery-update', variables: { order: { column: 'order' } } },
  { line: 4, journey: 'ask', variables: { order: { column: 'order' } } },
];
const ASK = {
  template: 'delivery_callback_request',
  templateVariables: ['{{contactName}}', '{{order}}'],
  purpose: 'the delay of your delivery',
  waitFor: '4h',
};
/** One in so many is in two campaigns of the same business. */
const TWICE = 10;

let story: Story;
let client: Client;
let lines: DayLine[];
const players: Array<{ player: Player; campaigns: number[] }> = [];
let movedAt = Infinity;

before(async () => {
  story = await openStory({ seed: SEED });
  const random = seededRandom(SEED);
  lines = await furnish(story, random);
  client = new Client({ connectionString: story.connectionString });
  await client.connect();
  for (let index = 0; index < PEOPLE; index += 1) {
    const player = drawPlayer(random, index);
    const campaign = index % CAMPAIGNS.length;
    const isTwice = random.below(TWICE) === 0 && businessOf(campaign) === businessOf(campaign + 1);
    players.push({ player, campaigns: isTwice ? [campaign, campaign + 1] : [campaign] });
    story.simulator.addPerson({ number: player.number, script: scriptOf(player) });
  }
});
after(async () => {
  await client.end();
  await story.close();
});

const lineOf = (campaign: number): DayLine | undefined => lines[CAMPAIGNS[campaign]?.line ?? -1];
const businessOf = (campaign: number) => lineOf(campaign)?.business;

type Method = 'POST' | 'PUT' | 'PATCH';

async function send<T>(
  business: Business | undefined,
  [method, path]: readonly [Method, string],
  body: object | string,
): Promise<T> {
  assert.ok(business !== undefined);
  const headers = typeof body === 'string' ? { 'content-type': 'text/csv' } : {};
  const answer = await sendTo(story, method, path, { key: business.key, body, headers });
  assert.ok(answer.status < 300, `${path}: ${answer.text}`);
  return JSON.parse(answer.text) as T;
}

/** Imports the people of a campaign, makes it and starts it. */
async function begin(index: number): Promise<void> {
  const campaign = CAMPAIGNS[index];
  const business = businessOf(index);
  assert.ok(campaign !== undefined && business !== undefined);
  const mine = players.filter(({ campaigns }) => campaigns.includes(index));
  for (const { player } of mine.filter((each) => each.player.kind === 'listed')) {
    await send(business, ['POST', '/v1/do-not-call'], {
      to: player.number,
      reason: 'asked for it',
    });
  }
  const rows = mine.map(({ player }, nth) => `${player.number},Ada ${nth},${1_000 + (nth % 50)}`);
  const csv = ['phone,name,order', ...rows].join('\n');
  const job = await send<{ id: string }>(business, ['POST', '/v1/contact-imports'], csv);
  await story.until(
    'the import',
    async () => {
      const path = `/v1/contact-imports/${job.id}`;
      return (await business.api.get<{ state: string }>(path)).state === 'done';
    },
    30 * 60_000,
  );
  const { items } = await business.api.get<Page<{ id: string; readyKey: string }>>('/v1/journeys');
  const journeyId = items.find(({ readyKey }) => readyKey === campaign.journey)?.id;
  const { id } = await send<{ id: string }>(business, ['POST', '/v1/campaigns'], {
    name: `Campaign ${index}`,
    lineId: lineOf(index)?.id,
    audience: { importId: job.id },
    variables: campaign.variables,
    startsPerMinute: 1_000,
    ...(journeyId === undefined ? { ask: ASK } : { journeyId }),
  });
  await send(business, ['POST', `/v1/campaigns/${id}/start`], {});
}

/** Those who move tell the business, and from then on both places' hours are kept. */
async function move(): Promise<void> {
  movedAt = story.clock.now();
  for (const { player, campaigns } of players.filter((each) => each.player.kind === 'moves')) {
    const business = businessOf(campaigns[0] ?? 0);
    const path = `/v1/contacts?number=${encodeURIComponent(player.number)}`;
    const page = await business?.api.get<Page<{ id: string }>>(path);
    const timeZone = NEW_ZONE.name;
    await send(business, ['PATCH', `/v1/contacts/${page?.items[0]?.id}`], { timeZone });
  }
  movedAt = story.clock.now();
}

test(`a day of ${PEOPLE} people in eight campaigns`, { timeout: TIMEOUT_MS }, async (t) => {
  for (const business of new Set(lines.map((line) => line.business))) {
    // So many of these people stop that a line would rightly pause.
    await send(business, ['PUT', '/v1/brakes/settings'], { enabled: false });
  }
  for (let index = 0; index < CAMPAIGNS.length; index += 1) await begin(index);
  const from = story.clock.now();
  let told = from;
  await playUntil(story, from + HOUR, () => {});
  await move();
  await playUntil(story, from + DAY, async (now) => {
    if (PEOPLE < 1_000 || now - told < TELL_EVERY) return;
    told = now;
    const { rows } = await client.query('select status, count(*)::int from calls group by 1');
    process.stderr.write(`  ${isoTime(now)} ${JSON.stringify(rows)}\n`);
  });
  const faults = players.flatMap(({ player, campaigns }) => {
    const person = story.simulator.person(player.number);
    const mine = campaigns.flatMap((index) => lineOf(index) ?? []);
    const moved = player.kind === 'moves' ? movedAt : Infinity;
    return faultsOf({ player, person, lines: [...new Set(mine)], movedAt: moved });
  });
  assert.deepEqual(faults.slice(0, 10), [], `${faults.length} faults`);
  assert.deepEqual(await brokenRules(client), []);
  const { rows } = await client.query<{ type: string; count: number }>(
    'select type, count(*)::int as count from ledger group by 1 order by 2 desc',
  );
  const count = (type: string): number => rows.find((row) => row.type === type)?.count ?? 0;
  t.diagnostic(rows.map((row) => `${row.count} × ${row.type}`).join(', '));
  for (const type of ['PermissionGranted', 'PermissionDeclined', 'CallConnected', 'OptedOut']) {
    assert.ok(count(type) > 0, `${type} never happened`);
  }
  assert.equal(count('RunStarted') - count('RunEnded'), 0, 'every journey is over');
});

test('every figure of that day equals an independent SQL over the ledger', async () => {
  await story.until(
    'the count',
    async () => (await client.query('select from kpi_pending limit 1')).rows.length === 0,
    600_000,
  );
  for (const business of new Set(lines.map((line) => line.business))) {
    const { accountId, api } = business;
    const purposes = [
      ...(await all<{ id: string; purpose: string }>(api, '/v1/permission-requests')),
      ...(await all<{ id: string; purpose: string }>(api, '/v1/calls')),
    ];
    const { vault } = story.database;
    const named = purposes.map(({ purpose }) => purposeIdOf(vault, accountId, purpose));
    const values = [accountId, purposes.map(({ id }) => id), named];
    const oracle = oracleSums((await client.query<OracleRow>(ORACLE, values)).rows);
    assert.ok((oracle.get('')?.get('')?.requests ?? 0) > 0);
    const now = story.clock.now();
    const span = { accountId, from: now - 40 * HOUR, until: now + 2 * HOUR };
    const groups: Array<Dimension | 'hour' | null> = [null, 'hour', ...DIMENSIONS];
    for (const groupBy of groups) {
      const sums = await readSums(story.database, { ...span, filters: {}, groupBy, period: null });
      const ours = new Map(sums.map(({ value, measures }) => [value, measures]));
      assert.deepEqual(sumsThatSay(ours), sumsThatSay(oracle.get(groupBy ?? '')), `by ${groupBy}`);
    }
  }
});

async function all<T>(api: Story['api'], path: string): Promise<T[]> {
  const found: T[] = [];
  for (let after: string | null = ''; after !== null;) {
    const from: string = after === '' ? '' : `&after=${encodeURIComponent(after)}`;
    const page: Page<T> = await api.get<Page<T>>(`${path}?limit=100${from}`);
    found.push(...page.items);
    after = page.next;
  }
  return found;
}
