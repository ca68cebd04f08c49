import assert from 'node:assert/strict';
import test, { after, before, type TestContext } from 'node:test';
import { openMetaPeer, type MetaPeer } from '../../test/meta-peer.ts';
import { until } from '../../test/real-time.ts';
import { delay, systemClock } from '../platform/clock.ts';
import { silentLog } from '../platform/log.ts';
import { systemRandom } from '../platform/random.ts';
import type { MediaCall, MediaEvent } from './media.ts';
import { openMediaPlane, type EmbeddedMediaPlane } from './media-plane.ts';

const BROWSER = { codecs: ['opus'], advertisedAddress: '127.0.0.1', srtp: false, browser: true };
const options = { ...BROWSER, codecs: ['opus'] as const };

let plane: EmbeddedMediaPlane;
before(async () => {
  plane = await openMediaPlane({
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    bindAddress: '127.0.0.1',
    portRange: { first: 24_840, last: 24_859 },
    workers: 1,
    callsPerWorker: 10,
  });
});
after(() => plane.close());

async function aCall(t: TestContext) {
  const events: MediaEvent[] = [];
  const onEvent = (event: MediaEvent): void => void events.push(event);
  const call = await plane.openCall({ callId: 'call', onEvent });
  const customer = await openMetaPeer(call.offer);
  t.after(async () => {
    await call.close();
    await customer.close();
  });
  await call.applyAnswer(customer.answer);
  await customer.connected;
  return { call, customer, events };
}

async function anAgent(t: TestContext, call: MediaCall, legId?: string): Promise<MetaPeer> {
  const offer = await call.openEndpoint(options, legId);
  assert.match(offer, /a=candidate:1 1 UDP \d+ 127\.0\.0\.1 \d+ typ host/);
  const agent = await openMetaPeer(offer);
  t.after(() => agent.close());
  return agent;
}

test('Opus passes between WhatsApp and a browser as it came, and keys do both ways', async (t) => {
  const { call, customer, events } = await aCall(t);
  const agent = await anAgent(t, call);
  const media = await call.applyEndpointAnswer(agent.answer);
  assert.deepEqual([media.codec, media.srtp, media.dtmf], ['opus', true, true]);
  call.bridge();
  const said = [Uint8Array.of(0xfc, 1, 2, 3, 4, 5, 6, 7), Uint8Array.of(0xfc, 9, 8, 7, 6, 5, 4)];
  const heard = (peer: MetaPeer, packet?: Uint8Array): boolean =>
    peer.received.some(({ payload }) => Buffer.compare(payload, packet ?? payload) === 0);
  for (let tries = 0; tries < 3_000 && !(heard(agent, said[0]) && heard(customer, said[1]));) {
    tries += 1;
    customer.sendAudio(said[0] ?? payloadless());
    agent.sendAudio(said[1] ?? payloadless());
    await delay(systemClock, 20);
  }
  assert.ok(heard(agent, said[0]) && heard(customer, said[1]));
  call.sendDtmf('endpoint', '5');
  call.sendDtmf('whatsapp', '7');
  const keyed = (peer: MetaPeer, digit: number): boolean =>
    peer.received.some(({ payloadType, payload }) => payloadType === 126 && payload[0] === digit);
  await until(() => keyed(agent, 5) && keyed(customer, 7));
  const stats = await call.stats();
  assert.equal(stats.transcoded, false);
  assert.equal(stats.srtp, 'DTLS_SRTP');
  assert.ok(stats.endpoint.packetsIn > 0);
  assert.equal(events.filter(({ kind }) => kind === 'endpointGone').length, 0);
});

test('a browser that goes away is told once, and the WhatsApp leg stays', async (t) => {
  const { call, events } = await aCall(t);
  const agent = await anAgent(t, call, 'leg2');
  await call.applyEndpointAnswer(agent.answer, 'leg2');
  // werift leaves without a word; this record ends the session as a browser's own alert does.
  await agent.sendRaw(Buffer.from([21, 254, 253, 0, 1, 0, 0, 0, 0, 0, 1, 0, 4, 1, 2, 3, 4]));
  await until(() => events.some(({ kind }) => kind === 'endpointGone'));
  assert.deepEqual(
    events.filter(({ kind }) => kind === 'endpointGone'),
    [{ kind: 'endpointGone', legId: 'leg2' }],
  );
  assert.ok(!events.some(({ kind }) => kind === 'lost'));
  const inUse = plane.portsInUse();
  await call.closeEndpoint('leg2');
  await until(() => plane.portsInUse() === inUse - 1);
});

test('an answer that the guard refuses leaves the call; the leg can be offered anew', async (t) => {
  const { call } = await aCall(t);
  const agent = await anAgent(t, call);
  const weak = agent.answer.replace(/a=fingerprint:sha-256 \S+/g, 'a=fingerprint:sha-1 00:11');
  await assert.rejects(call.applyEndpointAnswer(weak), { code: 'agent_media_refused' });
  const again = await anAgent(t, call);
  assert.equal((await call.applyEndpointAnswer(again.answer)).codec, 'opus');
});

function payloadless(): Uint8Array {
  throw new Error('nothing to say');
}
