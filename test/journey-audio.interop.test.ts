import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { PersonAction, SimCall, SimPerson } from '../simulator/control-types.ts';
import type { ApiClient } from '../src/cli/api-client.ts';
import type { Product } from '../src/cli/product.ts';
import type { Page } from '../src/http/api-types.ts';
import type { RunView } from '../src/journeys/run-views.ts';
import { isoTime, systemClock } from '../src/platform/clock.ts';
import { toneAt, wavOf } from '../src/prompts/prompt-fixtures.ts';
import { eventually, must, openLiveProduct, personAt, type LiveProduct } from './product-peers.ts';

/**
 * The four use cases with real audio: a ready journey asks on WhatsApp, waits for the tap, rings
 * the phone, and the person hears the script or the agent. Each voice is a tone of its own.
 */
let live: LiveProduct | null = null;
let product: Product | null = null;
let api: ApiClient;
let next = 850;
const journeys = new Map<string, { id: string; journey: object }>();

const TONES = { reminder: 523, confirmed: 659, reschedule: 784 } as const;
const AGENT_HZ = 1_000;

before(async () => {
  live = await openLiveProduct({ ASKFIRST_MEDIA_PORTS: '47000-47999' });
  ({ product, api } = live);
  const { server, sandbox } = product;
  assert.ok(server.url !== null && sandbox !== null);
  for (const [name, hz] of Object.entries(TONES)) {
    const body = wavOf({ samples: toneAt(hz, 16_000, 1.5), rate: 16_000 });
    const answer = await fetch(`${server.url}/v1/prompts?name=${name}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${sandbox.apiKey}`, 'content-type': 'audio/wav' },
      body: new Uint8Array(body),
    });
    assert.equal(answer.status, 201, await answer.text());
  }
  const uri = sandbox.pbxUri(`tone-${AGENT_HZ}`);
  await must(api, '/v1/endpoints', { name: 'Ada', uri, codecs: ['PCMU'] });
  await must(api, '/v1/scripts', REMINDER);
  type Listed = Page<{ id: string; readyKey: string; journey: object }>;
  for (const { id, readyKey, journey } of (await api.get<Listed>('/v1/journeys')).items) {
    journeys.set(readyKey, { id, journey });
  }
});

after(async () => {
  await live?.close();
});

const told = (name: string) => ({
  name,
  do: 'play',
  prompt: name,
  set: { result: name },
  next: 'end',
});
/** The script of the ready journey, with tones for words, so that no speech program is needed. */
const REMINDER = {
  name: 'Reminder in tones',
  variables: { date: {}, time: {} },
  steps: [
    {
      name: 'reminder',
      do: 'gather',
      prompt: { play: 'reminder' },
      tries: 5,
      cases: { '1': 'confirmed', '2': 'reschedule', '0': 'receptionist' },
      onFail: 'reschedule',
    },
    told('confirmed'),
    told('reschedule'),
    {
      name: 'receptionist',
      do: 'connect',
      endpoint: 'Ada',
      set: { result: 'receptionist' },
      onFail: 'reschedule',
    },
  ],
};

const simulator = (): string => product?.sandbox?.url ?? '';

async function send(path: string, body: object): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const init = { method: 'POST', headers, body: JSON.stringify(body) };
  const answer = await fetch(`${simulator()}/simulator/people${path}`, init);
  assert.ok(answer.ok, await answer.text());
}

/** Somebody who says yes and picks up, and stays on the phone. */
async function somebody(): Promise<string> {
  const number = `+447700900${next++}`;
  await send('', { number, like: '+447700900100' });
  return number;
}

const perform = (number: string, action: PersonAction): Promise<void> =>
  send(`/${encodeURIComponent(number)}/actions`, action);

async function phoneOf(number: string): Promise<SimCall | null> {
  const person = await personAt(simulator(), number);
  return person?.call ?? person?.pastCalls[0] ?? null;
}

async function hears(number: string, hz: number): Promise<void> {
  await eventually(`${hz} Hz`, async () => (await phoneOf(number))?.everHeardHz.includes(hz));
}

async function start(id: string, to: string, variables: object): Promise<RunView> {
  return must<RunView>(api, `/v1/journeys/${id}/runs`, { to, name: 'Grace', variables });
}

async function endOf({ id }: RunView): Promise<RunView> {
  return eventually('the end of the run', async () => {
    const run = await api.get<RunView>(`/v1/journey-runs/${id}`);
    return run.status === 'ended' ? run : null;
  });
}

const textsOf = (person: SimPerson | undefined): string => JSON.stringify(person?.messages ?? []);

/** The ready journey, in which an hour before the appointment is a few seconds from now. */
async function appointment(number: string): Promise<RunView> {
  const { journey } = journeys.get('appointment-reminder') ?? {};
  const text = JSON.stringify(journey)
    .replaceAll('"-90m"', '"-1h"')
    .replaceAll('"Appointment reminder"', '"Reminder in tones"');
  const { id } = await must<{ id: string }>(api, '/v1/journeys', JSON.parse(text) as object);
  const appointmentAt = isoTime(systemClock.now() + 3_600_000 + 6_000);
  return start(id, number, { appointmentAt, date: 'Tuesday', time: 'two' });
}

describe('people on journeys at the same time', { concurrency: true }, () => {
  test('appointment: asked, called at the promised minute, confirmed by a key', async () => {
    const number = await somebody();
    const run = await appointment(number);
    await hears(number, TONES.reminder);
    await perform(number, { action: 'digits', digits: '1' });
    await hears(number, TONES.confirmed);
    const { end, result } = await endOf(run);
    assert.deepEqual([end, result], ['confirmed', 'confirmed']);
  });

  test('appointment: another time is wanted, and a message asks for it', async () => {
    const number = await somebody();
    const run = await appointment(number);
    await hears(number, TONES.reminder);
    await perform(number, { action: 'digits', digits: '2' });
    assert.equal((await endOf(run)).end, 'reschedule');
    await eventually('the message', async () =>
      textsOf(await personAt(simulator(), number)).includes('which day and time would suit you'),
    );
  });

  test('appointment: the receptionist is wanted, and talks', async () => {
    const number = await somebody();
    const run = await appointment(number);
    await hears(number, TONES.reminder);
    await perform(number, { action: 'digits', digits: '0' });
    await hears(number, AGENT_HZ);
    await perform(number, { action: 'hang_up' });
    assert.equal((await endOf(run)).result, 'receptionist');
  });

  for (const [key, variables, end] of [
    ['delivery-update', { order: '1042', agent: 'Ada' }, 'told'],
    ['support-callback', { issue: 'your account set-up', agent: 'Ada' }, 'helped'],
    ['sales-follow-up', { product: 'the family plan', agent: 'Ada' }, 'talked'],
  ] as const) {
    test(`${key}: asked in the chat, called by the agent, asked how it was`, async () => {
      const number = await somebody();
      // Sales talk needs somebody who wrote first; it does the others no harm.
      await perform(number, { action: 'write', text: 'Hello, I have a question.' });
      await eventually('the chat', async () => {
        const path = `/v1/contacts?number=${encodeURIComponent(number)}`;
        return (await api.get<Page<object>>(path)).items[0];
      });
      const run = await start(journeys.get(key)?.id ?? '', number, variables);
      await hears(number, AGENT_HZ);
      await perform(number, { action: 'hang_up' });
      const ended = await endOf(run);
      assert.equal(ended.end, end, JSON.stringify(ended.steps));
      assert.ok(ended.steps.some(({ step, outcome }) => step === 'survey' && outcome === 'sent'));
    });
  }
});
