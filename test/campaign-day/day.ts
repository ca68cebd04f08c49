import assert from 'node:assert/strict';
import { Client } from 'pg';
import type { Page } from '../../src/http/api-types.ts';
import { isoTime } from '../../src/platform/clock.ts';
import { seededRandom } from '../../src/platform/random.ts';
import type { Speaker } from '../../src/prompts/speaker.ts';
import { send as sendTo } from '../api-peer.ts';
import { openStory, type Story } from '../harness.ts';
import { ASK, CAMPAIGNS, castOf, type Cast } from './campaigns.ts';
import { furnish, scriptOf, type Business, type DayLine } from './cast.ts';
import { compareFigures } from './figures.ts';
import { brokenRules, faultsOf, NEW_ZONE, ROW_RULES } from './oracle.ts';
import { playOn } from './play.ts';
import { meter, type Usage } from './usage.ts';

/**
 * A day of campaigns: eight journeys on five lines of three businesses, with people who say yes
 * and no, say nothing, do not pick up, take it back, stop, and move. Time is virtual; everything
 * else but Meta, the voice and the sound is real.
 */
export type DayOptions = {
  people: number;
  seed: number;
  /** Told now and then how far it has come. */
  onProgress: (progress: Progress) => void;
};

export type Progress = { at: number; settled: number; of: number; usage: Usage };

export type DayResult = {
  people: number;
  seed: number;
  /** From the start of the first campaign to the end of the last journey. */
  virtualHours: number;
  steps: number;
  /** By how many rules everybody's phone, and the rows, were looked at. */
  personsChecked: number;
  rowRules: number;
  /** Empty when all is well. */
  violations: string[];
  figuresCompared: number;
  /** How often each thing was written into the ledger, the most frequent first. */
  counts: ReadonlyMap<string, number>;
  usage: Usage;
};

const HOUR = 3_600_000;
/** By then every journey must be over: who was asked by two campaigns is asked a day later. */
const LONGEST = 80 * HOUR;
const LOOK_STEPS = 200;
const AT_ONCE = 8;

/** Says nothing, at once: a voice costs a second of processor for each call that is read to. */
const SILENT: Speaker = {
  available: true,
  speak: async () => ({ samples: new Int16Array(960), rate: 48_000 }),
};

export async function playDay(options: DayOptions): Promise<DayResult> {
  const { seed, people } = options;
  const simulator = { people: people + 1_000 };
  const story = await openStory({ seed, simulator, speaker: SILENT });
  const client = new Client({ connectionString: story.connectionString });
  try {
    await client.connect();
    const used = await meter(client);
    const lines = await furnish(story, seededRandom(seed));
    const cast = castOf(seed, people);
    for (const player of cast) {
      story.simulator.addPerson({ number: player.number, script: scriptOf(player) });
    }
    const day = new Day({ story, client, lines, cast });
    return await day.play(options, used);
  } finally {
    await client.end();
    await story.close();
  }
}

type Stage = { story: Story; client: Client; lines: readonly DayLine[]; cast: readonly Cast[] };

class Day {
  readonly #stage: Stage;
  #steps = 0;
  #idle = 0;
  #movedAt = Infinity;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  async play({ people, seed, onProgress }: DayOptions, used: () => Usage): Promise<DayResult> {
    const { story, client, lines } = this.#stage;
    const businesses = new Set(lines.map((line) => line.business));
    const startedAt = story.clock.now();
    for (const business of businesses) {
      // So many of these people stop that a line would rightly pause.
      await this.#send(business, ['PUT', '/v1/brakes/settings'], { enabled: false });
    }
    for (let index = 0; index < CAMPAIGNS.length; index += 1) await this.#begin(index);
    const movesAt = story.clock.now() + HOUR;
    const endsAt = movesAt + LONGEST;
    while (story.clock.now() < endsAt) {
      const hasMoved = story.clock.now() >= movesAt;
      if (hasMoved && this.#movedAt === Infinity) await this.#move();
      await this.#step(hasMoved ? endsAt : movesAt);
      if (this.#steps % LOOK_STEPS !== 0) continue;
      const { settled, isOver } = await this.#look();
      onProgress({ at: story.clock.now(), settled, of: people, usage: used() });
      if (isOver) break;
    }
    const virtualHours = Math.round(((story.clock.now() - startedAt) / HOUR) * 10) / 10;
    const violations = [...this.#faults(), ...(await brokenRules(client))];
    const counts = await this.#counts();
    await this.#until('the count', 600_000, async () => {
      return (await client.query('select from kpi_pending limit 1')).rows.length === 0;
    });
    const span = { from: startedAt - HOUR, until: story.clock.now() + HOUR };
    const figuresCompared = await compareFigures(story, client, businesses, span);
    return {
      ...{ people, seed, virtualHours, steps: this.#steps, personsChecked: people },
      ...{ rowRules: ROW_RULES, violations, figuresCompared, counts, usage: used() },
    };
  }

  async #step(end: number): Promise<void> {
    this.#steps += 1;
    this.#idle = await playOn(this.#stage.story, end, this.#idle);
  }

  async #until(what: string, maxMs: number, holds: () => Promise<boolean>): Promise<void> {
    const { clock } = this.#stage.story;
    const end = clock.now() + maxMs;
    while (!(await holds())) {
      assert.ok(clock.now() < end, `never came: ${what}`);
      this.#steps += 1;
      await this.#stage.story.leap(1_000);
    }
  }

  /** How many campaign members are through, and whether all is over. */
  async #look(): Promise<{ settled: number; isOver: boolean }> {
    const { rows } = await this.#stage.client.query<{ settled: number; over: boolean }>(`
      select (select count(*) from campaign_members where state in ('done', 'skipped'))::int
               as settled,
             not exists (select from campaigns where state <> 'done')
               and not exists (select from journey_runs where status = 'live')
               and not exists (select from calls where status <> 'ended')
               and not exists (select from messages where status in ('queued', 'sending'))
               as over`);
    return { settled: rows[0]?.settled ?? 0, isOver: rows[0]?.over ?? false };
  }

  #lineOf(campaign: number): DayLine {
    const line = this.#stage.lines[CAMPAIGNS[campaign]?.line ?? -1];
    assert.ok(line !== undefined, `campaign ${campaign} has a line`);
    return line;
  }

  async #send<T>(
    business: Business,
    [method, path]: readonly ['POST' | 'PUT' | 'PATCH', string],
    body: object | string,
  ): Promise<T> {
    const headers = typeof body === 'string' ? { 'content-type': 'text/csv' } : {};
    const { key } = business;
    const answer = await sendTo(this.#stage.story, method, path, { key, body, headers });
    assert.ok(answer.status < 300, `${path}: ${answer.text}`);
    return JSON.parse(answer.text) as T;
  }

  /** Imports the people of a campaign, makes it and starts it. */
  async #begin(index: number): Promise<void> {
    const { id: lineId, business } = this.#lineOf(index);
    const campaign = CAMPAIGNS[index];
    assert.ok(campaign !== undefined);
    const mine = this.#stage.cast.filter(({ campaigns }) => campaigns.includes(index));
    const listed = mine.filter(({ kind }) => kind === 'listed');
    await inGroups(listed, async ({ number: to }) => {
      await this.#send(business, ['POST', '/v1/do-not-call'], { to, reason: 'asked for it' });
    });
    const rows = mine.map(({ number }, nth) => `${number},Ada ${nth},${1_000 + (nth % 50)}`);
    const csv = ['phone,name,order', ...rows].join('\n');
    const job = await this.#send<{ id: string }>(business, ['POST', '/v1/contact-imports'], csv);
    await this.#until('the import', 4 * HOUR, async () => {
      const path = `/v1/contact-imports/${job.id}`;
      return (await business.api.get<{ state: string }>(path)).state === 'done';
    });
    const path = '/v1/journeys?limit=100';
    const { items } = await business.api.get<Page<{ id: string; readyKey: string }>>(path);
    const journeyId = items.find(({ readyKey }) => readyKey === campaign.journey)?.id;
    const { id } = await this.#send<{ id: string }>(business, ['POST', '/v1/campaigns'], {
      name: `Campaign ${index}`,
      lineId,
      audience: { importId: job.id },
      variables: campaign.variables,
      startsPerMinute: 1_000,
      ...(journeyId === undefined ? { ask: ASK } : { journeyId }),
    });
    await this.#send(business, ['POST', `/v1/campaigns/${id}/start`], {});
  }

  /** Those who move tell the business, and from then on both places' hours are kept. */
  async #move(): Promise<void> {
    const { clock } = this.#stage.story;
    const movers = this.#stage.cast.filter(({ kind }) => kind === 'moves');
    await inGroups(movers, async ({ number, campaigns }) => {
      const { business } = this.#lineOf(campaigns[0] ?? 0);
      const path = `/v1/contacts?number=${encodeURIComponent(number)}`;
      const page = await business.api.get<Page<{ id: string }>>(path);
      const timeZone = NEW_ZONE.name;
      await this.#send(business, ['PATCH', `/v1/contacts/${page.items[0]?.id}`], { timeZone });
    });
    this.#movedAt = clock.now();
  }

  #faults(): string[] {
    const { cast, story } = this.#stage;
    return cast.flatMap((player) => {
      const person = story.simulator.person(player.number);
      const lines = [...new Set(player.campaigns.map((index) => this.#lineOf(index)))];
      const movedAt = player.kind === 'moves' ? this.#movedAt : Infinity;
      return faultsOf({ player, person, lines, movedAt });
    });
  }

  async #counts(): Promise<Map<string, number>> {
    const { rows } = await this.#stage.client.query<{ type: string; count: number }>(
      'select type, count(*)::int as count from ledger group by 1 order by 2 desc',
    );
    return new Map(rows.map(({ type, count }) => [type, count]));
  }
}

/** Eight at a time, as a business with several hands would. */
async function inGroups<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  for (let from = 0; from < all.length; from += AT_ONCE) {
    await Promise.all(all.slice(from, from + AT_ONCE).map(work));
  }
}

/** A line for people who watch. */
export function tellProgress({ at, settled, of, usage }: Progress): string {
  const { wallSeconds, nodeSeconds, databaseSeconds, memoryMb } = usage;
  const rate = settled / Math.max(1, wallSeconds);
  const left = rate === 0 ? '?' : `${Math.ceil(Math.max(0, of - settled) / rate / 60)} min`;
  const cpu = nodeSeconds + (databaseSeconds ?? 0);
  return (
    `${isoTime(at)}: ${settled} of ${of} through, ${rate.toFixed(1)} a second, ${left} left; ` +
    `${wallSeconds} s, ${cpu} s of processor, ${memoryMb} MB`
  );
}
