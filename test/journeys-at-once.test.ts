import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isProblem } from '../src/cli/api-client.ts';
import type { Page } from '../src/http/api-types.ts';
import type { RunView } from '../src/journeys/run-views.ts';
import { openStory, type Story } from './harness.ts';

/**
 * Very many people on journeys at the same time, signalling only: half of them pick up, the others
 * say no, say nothing or stop half way. Nobody is asked twice, rung twice, or rung without a yes.
 */
const PEOPLE = Number(process.env['ASKFIRST_JOURNEY_RUNS'] ?? 30);
const TOGETHER = 50;
let story: Story;
let journeyId = '';

before(async () => {
  story = await openStory({ seed: 47 });
  const { items } = await story.api.get<Page<{ id: string; readyKey: string }>>('/v1/journeys');
  journeyId = items.find(({ readyKey }) => readyKey === 'support-callback')?.id ?? '';
});
after(() => story.close());

/** What becomes of whoever is like that: the simulator's people, by the end of their number. */
const ENDS: Readonly<Record<string, string>> = {
  '101': 'helped',
  '102': 'declined',
  '103': 'no_answer',
  '105': 'not_reached',
  stop: 'opted_out',
};
const KINDS = ['101', '101', '101', '102', '101', '103', '101', '105', '101', 'stop'];

test(`${PEOPLE} people at once: each run ends as they act, and nobody is rung twice`, async () => {
  const people = Array.from({ length: PEOPLE }, (_, index) => ({
    number: `+44770${String(1_100_000 + index)}`,
    kind: KINDS[index % KINDS.length] ?? '101',
  }));
  for (const { number, kind } of people) {
    const like = `+447700900${kind === 'stop' ? '103' : kind}`;
    story.simulator.addPerson({ number, like });
  }
  const runs = new Map<string, string>();
  for (let from = 0; from < PEOPLE; from += TOGETHER) {
    await Promise.all(
      people.slice(from, from + TOGETHER).map(async ({ number }) => {
        const body = { to: number, variables: { issue: 'your account', agent: 'Demo PBX' } };
        const run = await story.api.post<RunView>(`/v1/journeys/${journeyId}/runs`, body);
        assert.ok(!isProblem(run), JSON.stringify(run));
        runs.set(number, run.id);
      }),
    );
  }
  const stopping = people.filter(({ kind }) => kind === 'stop');
  await story.until(
    'every question',
    () => people.every(({ number }) => story.simulator.person(number).messages.length > 0),
    600_000,
  );
  for (const { number } of stopping) {
    story.simulator.act(number, { action: 'write', text: 'STOP' });
  }
  // Those who say nothing are waited for three quarters of an hour.
  const silent = people.filter(({ kind }) => kind === '103').length;
  await story.until('all but the silent', async () => (await liveRuns()) <= silent, 900_000);
  story.clock.advance(45 * 60_000);
  await story.until('the silent too', async () => (await liveRuns()) === 0, 600_000);
  for (const { number, kind } of people) {
    const { end, steps } = await story.api.get<RunView>(`/v1/journey-runs/${runs.get(number)}`);
    assert.equal(end, ENDS[kind], `${number} ${kind} ${JSON.stringify(steps)}`);
    const person = story.simulator.person(number);
    const asked = person.messages.filter((message) => message.kind === 'permission_request');
    assert.equal(asked.length, 1, `${number} was asked ${asked.length} times`);
    const rang = kind === '101' || kind === '105' ? 1 : 0;
    assert.equal(person.pastCalls.length, rang, `${number} ${kind} rang`);
  }
});

async function liveRuns(): Promise<number> {
  const path = `/v1/journeys`;
  const { items } = await story.api.get<Page<{ id: string; liveRuns: number }>>(path);
  return items.find(({ id }) => id === journeyId)?.liveRuns ?? 0;
}
