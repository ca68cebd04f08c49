import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { SimCall } from '../simulator/control-types.ts';
import type { Cdr } from '../src/calls/cdr.ts';
import { isProblem, type ApiClient } from '../src/cli/api-client.ts';
import type { Product } from '../src/cli/product.ts';
import type { CallView, EndpointView, Page } from '../src/http/api-types.ts';
import { toneAt, wavOf } from '../src/prompts/prompt-fixtures.ts';
import { readWav } from '../src/prompts/wav.ts';
import type { RecordingView } from '../src/recording/recording-views.ts';
import { needsProgram } from './peers.ts';
import {
  PURPOSE,
  eventually,
  must,
  newCustomerWithYes,
  openLiveProduct,
  personAt,
  type LiveProduct,
} from './product-peers.ts';

/**
 * What a customer really hears who has picked up and finds nobody, and a message that is left
 * then: real audio from the prompt to the phone, and from the phone into the sealed recording.
 */
let live: LiveProduct;
let product: Product;
let api: ApiClient;
let next = 780;

const TONES = { sorry: 659, waiting: 880, recorded: 1200 } as const;
/** What the simulated customer hums. */
const CUSTOMER_HZ = 440;

before(async () => {
  live = await openLiveProduct({ ASKFIRST_MEDIA_PORTS: '46200-46399' });
  ({ product, api } = live);
  for (const [name, hz] of Object.entries(TONES)) {
    const answer = await fetch(`${product.server.url}/v1/prompts?name=${name}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${product.sandbox?.apiKey}`,
        'content-type': 'audio/wav',
      },
      body: new Uint8Array(wavOf({ samples: toneAt(hz, 16_000, 1.5), rate: 16_000 })),
    });
    assert.equal(answer.status, 201, await answer.text());
  }
});
after(() => live?.close());

const uriOf = (user: string): string => product.sandbox?.pbxUri(user) ?? '';

/** Somebody with a yes, called for an endpoint where nobody answers. */
async function callTo(whenNobody: object): Promise<{ id: string; number: string; name: string }> {
  const number = `+447700900${next++}`;
  const name = `Desk of ${number}`;
  const desk = { name, uri: uriOf('busy'), meanwhile: 'silence', whenNobody };
  const { id: endpointId } = await must<EndpointView>(api, '/v1/endpoints', desk);
  await newCustomerWithYes(api, product.sandbox?.url ?? '', number, '+447700900100');
  const wish = { to: number, purpose: PURPOSE, endpointId };
  const { id } = await must<CallView>(api, '/v1/calls', wish);
  return { id, number, name };
}

async function phoneOf(number: string): Promise<SimCall | null> {
  const person = await personAt(product.sandbox?.url ?? '', number);
  return person?.call ?? person?.pastCalls[0] ?? null;
}

async function hears(number: string, hz: number): Promise<void> {
  await eventually(`${hz} Hz`, async () => (await phoneOf(number))?.everHeardHz.includes(hz));
}

async function cdrOf(id: string): Promise<Cdr> {
  await eventually('the end', async () => {
    return (await api.get<CallView>(`/v1/calls/${id}`)).status === 'ended';
  });
  return api.get<Cdr>(`/v1/calls/${id}/cdr`);
}

describe('calls at the same time', { concurrency: true }, () => {
  test('an announcement is heard before the end', { timeout: 60_000 }, async () => {
    const { id, number } = await callTo({ action: 'announce_and_end', prompt: 'sorry' });
    await hears(number, TONES.sorry);
    assert.equal((await cdrOf(id)).endReason, 'nobody_there');
  });

  test(
    'the queue is heard until somebody answers, and then they are',
    { timeout: 90_000 },
    async () => {
      const { id, number, name } = await callTo({ action: 'queue_with_music', prompt: 'waiting' });
      await hears(number, TONES.waiting);
      await must(api, '/v1/endpoints', { name, uri: uriOf('tone-1000') });
      await hears(number, 1000);
      await api.post(`/v1/calls/${id}/hangup`, {});
      assert.equal((await cdrOf(id)).outcome, 'completed');
    },
  );

  const speaks = { skip: needsProgram('espeak-ng', 'espeak-ng'), timeout: 60_000 };
  test('words are spoken, longer than any beep', speaks, async () => {
    const say = 'We are sorry. Nobody is here at the moment. Please write to us instead, any time.';
    const { id } = await callTo({ action: 'announce_and_end', say });
    const { endReason, media } = await cdrOf(id);
    assert.equal(endReason, 'nobody_there');
    // Three beeps are three seconds of packets; these words take more than four.
    assert.ok((media?.whatsapp.packetsOut ?? 0) > 200, JSON.stringify(media?.whatsapp));
  });

  test(
    'a script takes a message: announced, sealed, heard, erased',
    { timeout: 90_000 },
    async () => {
      const settings = await fetch(`${product.server.url}/v1/recording-settings`, {
        method: 'PATCH',
        headers: {
          authorization: `Bearer ${product.sandbox?.apiKey}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ announcementPrompt: 'recorded' }),
      });
      assert.equal(settings.status, 200);
      const script = await must<{ id: string }>(api, '/v1/scripts', {
        name: 'Mailbox',
        steps: [
          { name: 'sorry', do: 'play', prompt: 'sorry' },
          { name: 'message', do: 'record', action: 'start', messageMs: 3_000 },
        ],
      });
      const { id, number } = await callTo({ action: 'script', scriptId: script.id });
      await hears(number, TONES.sorry);
      await hears(number, TONES.recorded);
      const { contactId, script: led, endReason } = await cdrOf(id);
      assert.deepEqual([endReason, led?.end], ['script_ended', 'finished']);
      const recording = await eventually('the recording', async () => {
        const { items } = await api.get<Page<RecordingView>>(`/v1/calls/${id}/recording`);
        return items.find(({ state }) => state === 'ready');
      });
      assert.equal(recording.announced, 'played');
      const wav = Buffer.from(await (await fetch(recording.links?.wav ?? '')).arrayBuffer());
      const left = readWav(wav);
      assert.ok(shareOf(left.samples, left.rate, CUSTOMER_HZ) > 0.3, 'the customer is in it');
      const file = fileOf(recording.id);
      assert.equal(readFileSync(file).includes('OggS'), false, 'nothing in the open');
      await must(api, `/v1/contacts/${contactId}/erase`, { confirm: contactId });
      await eventually('the file is gone', async () => !existsSync(file));
      assert.equal((await fetch(recording.links?.wav ?? '')).status, 404);
      assert.ok(!isProblem(await api.get(`/v1/calls/${id}`)));
    },
  );
});

function fileOf(recordingId: string): string {
  const folder = join(live.dataDir, 'recordings');
  const name = readdirSync(folder, { recursive: true })
    .map(String)
    .find((path) => path.includes(recordingId));
  return join(folder, name ?? 'none');
}

/** The share of the energy at one frequency (Goertzel), over the whole sound. */
function shareOf(samples: Int16Array, rate: number, hz: number): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * hz) / rate);
  let [older, old, energy] = [0, 0, 0];
  for (const sample of samples) {
    const now = sample + coefficient * old - older;
    older = old;
    old = now;
    energy += sample * sample;
  }
  const power = older * older + old * old - coefficient * older * old;
  return energy === 0 ? 0 : (2 * power) / (samples.length * energy);
}
