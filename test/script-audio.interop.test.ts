import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { PersonAction, SimCall } from '../simulator/control-types.ts';
import type { DemoPbxCall } from '../simulator/pbx/pbx.ts';
import type { Cdr } from '../src/calls/cdr.ts';
import type { ApiClient } from '../src/cli/api-client.ts';
import type { Product } from '../src/cli/product.ts';
import type { CallView, ContactView, Page } from '../src/http/api-types.ts';
import { systemClock } from '../src/platform/clock.ts';
import { toneAt, wavOf } from '../src/prompts/prompt-fixtures.ts';
import { SCRIPT_SAMPLES } from '../src/scripts/script-samples.ts';
import { verify } from '../src/webhooks/signing.ts';
import { needsProgram } from './peers.ts';
import {
  PURPOSE,
  eventually,
  must,
  newCustomerWithYes,
  openLiveProduct,
  personAt,
  readJson,
  type LiveProduct,
} from './product-peers.ts';

/**
 * Use case 1 with real audio: an automated message confirms the appointment, and the customer
 * presses a key on the phone. Each prompt is a tone of its own, so what is heard says where the
 * script is; one call is spoken by espeak-ng.
 */
let live: LiveProduct | null = null;
let product: Product | null = null;
let api: ApiClient;
let next = 750;

const TONES = { reminder: 523, confirmed: 659, reschedule: 784, later: 880, told: 1200 } as const;

before(async () => {
  live = await openLiveProduct({ ASKFIRST_MEDIA_PORTS: '48000-48999' });
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
});

after(async () => {
  await live?.close();
});

const leads = (name: string) => ({
  name,
  do: 'play',
  prompt: name,
  set: { result: name },
  next: 'end',
});
const APPOINTMENT = {
  name: 'Appointment',
  optOutKey: '9',
  steps: [
    {
      name: 'reminder',
      do: 'gather',
      prompt: { play: 'reminder' },
      cases: { '1': 'confirmed', '2': 'reschedule', '0': 'receptionist' },
      onFail: 'later',
    },
    leads('confirmed'),
    leads('reschedule'),
    { name: 'receptionist', do: 'connect', set: { result: 'receptionist' }, onFail: 'later' },
    leads('later'),
  ],
};

async function perform(number: string, action: PersonAction): Promise<void> {
  const path = `/simulator/people/${encodeURIComponent(number)}/actions`;
  const answer = await fetch(`${product?.sandbox?.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(action),
  });
  assert.ok(answer.ok, await answer.text());
}

async function phoneOf(number: string): Promise<SimCall | null> {
  const person = await personAt(product?.sandbox?.url ?? '', number);
  return person?.call ?? person?.pastCalls[0] ?? null;
}

/** A customer with a scripted call, who hears the tone of its first prompt. */
async function calledBy(
  script: object,
  more: object = {},
): Promise<{ id: string; number: string }> {
  const number = `+447700900${next++}`;
  await newCustomerWithYes(api, product?.sandbox?.url ?? '', number, '+447700900100');
  const { id: scriptId } = await must<{ id: string }>(api, '/v1/scripts', script);
  const wish = { to: number, purpose: PURPOSE, scriptId, ...more };
  const { id } = await must<CallView>(api, '/v1/calls', wish);
  return { id, number };
}

async function hears(number: string, hz: number): Promise<void> {
  await eventually(`${hz} Hz`, async () => (await phoneOf(number))?.everHeardHz.includes(hz));
}

async function cdrOf(id: string): Promise<Cdr> {
  await eventually('the end', async () => {
    const { status } = await api.get<CallView>(`/v1/calls/${id}`);
    return status === 'ended';
  });
  return api.get<Cdr>(`/v1/calls/${id}/cdr`);
}

describe('calls at the same time', { concurrency: true }, () => {
  for (const [digits, result] of [
    ['1', 'confirmed'],
    ['2', 'reschedule'],
  ] as const) {
    test(`the customer hears the reminder, presses ${digits}, and hears the answer`, async () => {
      const { id, number } = await calledBy(APPOINTMENT);
      await hears(number, TONES.reminder);
      await perform(number, { action: 'digits', digits });
      await hears(number, TONES[result]);
      const cdr = await cdrOf(id);
      assert.deepEqual([cdr.outcome, cdr.endReason], ['completed', 'script_ended']);
      assert.equal(cdr.script?.result, result);
      assert.equal(cdr.script?.steps[0]?.digits, digits);
    });
  }

  test('0 brings the receptionist, and both hear each other', async () => {
    const uri = product?.sandbox?.pbxUri('tone-1000') ?? '';
    await must(api, '/v1/endpoints', { name: 'Reception', uri, codecs: ['PCMU'] });
    const { id, number } = await calledBy({
      ...APPOINTMENT,
      steps: APPOINTMENT.steps.map((step) =>
        step.do === 'connect' ? { ...step, endpoint: 'Reception' } : step,
      ),
    });
    await hears(number, TONES.reminder);
    await perform(number, { action: 'digits', digits: '0' });
    await hears(number, 1000);
    await eventually('the customer at the reception', async () => {
      const url = `${product?.sandbox?.url}/simulator/pbx`;
      const { calls } = await readJson<{ calls: DemoPbxCall[] }>(url);
      const call = calls.find(({ headers }) => headers['x-wa-call-id'] === id);
      return call?.heardHz.includes(440);
    });
    await perform(number, { action: 'hang_up' });
    const cdr = await cdrOf(id);
    assert.deepEqual([cdr.outcome, cdr.endReason], ['completed', 'customer_hung_up']);
    assert.deepEqual([cdr.script?.result, cdr.script?.end], ['receptionist', 'connected']);
    assert.ok((cdr.media?.endpoint.packetsOut ?? 0) > 0);
  });

  test('9 stops all calls to this person', async () => {
    const { id, number } = await calledBy(APPOINTMENT);
    await hears(number, TONES.reminder);
    await perform(number, { action: 'digits', digits: '9' });
    const cdr = await cdrOf(id);
    assert.equal(cdr.endReason, 'opted_out');
    const path = `/v1/contacts?number=${encodeURIComponent(number)}`;
    const [contact] = (await api.get<Page<ContactView>>(path)).items;
    assert.notEqual(contact?.optedOutAt, null);
  });

  test('a web service is asked, by a signed request, and says what comes next', async () => {
    const asked: Array<{ headers: Record<string, string | undefined>; body: string }> = [];
    const service = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const headers = request.headers as Record<string, string | undefined>;
        asked.push({ headers, body: Buffer.concat(parts).toString() });
        // The first try breaks, so that the second is seen too.
        response.statusCode = asked.length === 1 ? 500 : 200;
        response.end(
          JSON.stringify({ set: { result: 'moved' }, steps: [{ do: 'play', prompt: 'told' }] }),
        );
      });
    });
    await new Promise<void>((resolve) => {
      service.listen(0, '127.0.0.1', resolve);
    });
    const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}/next`;
    try {
      const steps = [{ name: 'ask', do: 'url', url, onFail: 'end' }];
      const number = `+447700900${next++}`;
      await newCustomerWithYes(api, product?.sandbox?.url ?? '', number, '+447700900100');
      const script = { name: 'Asks', steps };
      const saved = await must<{ id: string; secret: string }>(api, '/v1/scripts', script);
      const wish = { to: number, purpose: PURPOSE, scriptId: saved.id };
      const { id } = await must<CallView>(api, '/v1/calls', wish);
      await hears(number, TONES.told);
      assert.equal((await cdrOf(id)).script?.result, 'moved');
      assert.equal(asked.length, 2);
      for (const { headers, body } of asked) {
        const proof = verify([saved.secret], { headers, body, now: systemClock.now() });
        assert.deepEqual(proof, { ok: true });
        assert.equal((JSON.parse(body) as { data: { callId: string } }).data.callId, id);
      }
    } finally {
      service.close();
    }
  });

  const speaks = { skip: needsProgram('espeak-ng', 'espeak-ng') };

  test('the sample speaks, and nothing that was said to one person is left', speaks, async () => {
    const [sample] = SCRIPT_SAMPLES;
    const scriptVariables = { date: 'Tuesday the third of June', time: 'half past two' };
    const { id, number } = await calledBy(sample, { scriptVariables });
    await eventually('the script', async () => {
      const { script } = await api.get<CallView>(`/v1/calls/${id}`);
      return script?.startedAt;
    });
    await eventually('speech', async () => ((await phoneOf(number))?.packetsIn ?? 0) > 100);
    await perform(number, { action: 'digits', digits: '1' });
    const cdr = await cdrOf(id);
    assert.equal(cdr.script?.result, 'confirmed');
    assert.deepEqual(
      cdr.script?.steps.map(({ problem }) => problem),
      [null, null],
    );
    const { dataDir } = live ?? assert.fail('nothing runs');
    await eventually('the tidying', async () => {
      const left = await readdir(join(dataDir, 'sounds', 'calls')).catch(() => []);
      return left.length === 0;
    });
  });
});
