import assert from 'node:assert/strict';
import test from 'node:test';
import { linearCodec, openRig, planOf, type BridgeRig } from '../../test/bridge-rig.ts';
import { clearestShare, makeTone } from '../../test/tones.ts';
import { buildTelephoneEvent } from './dtmf.ts';
import { encodeG711, decodeG711 } from './g711.ts';
import type { Bridge } from './bridge.ts';
import type { BridgeLeg, LegPlan } from './bridge-leg.ts';
import type { MediaEvent } from './media.ts';
import { timestampAhead, type RtpPacket } from './rtp.ts';

const LINEAR = linearCodec();
const PCMU = planOf('PCMU');
const OPUS = planOf('opus');

test('before the bridge both legs get silence, and nothing of the other leg', async () => {
  const { bridge, customer, endpoint, toWhatsApp, toEndpoint, frames } = await makeBridge(PCMU);
  bridge.hear(customer, packet(111, 0, LINEAR.encode(loud())));
  bridge.hear(endpoint, packet(0, 0, encodeG711('PCMU', loud())));
  frames(5);
  assert.deepEqual(
    toWhatsApp.map(({ payload }) => [...payload]),
    Array.from({ length: 5 }, () => [0xf8, 0xff, 0xfe]),
  );
  assert.ok(toEndpoint.every(({ payload }) => payload.every((byte) => byte === 0xff)));
  assert.equal(toEndpoint.length, 5);
});

test('the customer hears ringing until the bridge, and music on hold', async () => {
  const { bridge, endpoint, toWhatsApp, frames } = await makeBridge(PCMU);
  bridge.ringMeanwhile();
  frames(5);
  assert.deepEqual(
    toWhatsApp.map(({ payload }) => payload[0]),
    [1, 2, 1, 2, 1],
  );
  bridge.bridge();
  bridge.ringMeanwhile();
  bridge.setDirection(endpoint, 'inactive');
  frames(3);
  assert.deepEqual(
    toWhatsApp.slice(-3).map(({ payload }) => payload[0]),
    [3, 4, 3],
  );
});

test('after the bridge each leg hears the other, transcoded', async () => {
  const { bridge, customer, endpoint, toWhatsApp, toEndpoint, frames } = await makeBridge(PCMU);
  bridge.bridge();
  for (let at = 0; at < 10; at += 1) {
    bridge.hear(customer, packet(111, at, LINEAR.encode(loud())));
    bridge.hear(endpoint, packet(0, at, encodeG711('PCMU', loud())));
    frames(1);
  }
  const heard = LINEAR.decode(toWhatsApp.at(-1)?.payload ?? new Uint8Array());
  assert.ok((heard[0] ?? 0) > 7500);
  assert.ok((decodeG711('PCMU', toEndpoint.at(-1)?.payload ?? new Uint8Array())[0] ?? 0) > 7500);
});

test('an endpoint that sends 10 ms or 40 ms packets is heard as well', async () => {
  for (const milliseconds of [10, 40]) {
    const { bridge, endpoint, toWhatsApp, frames } = await makeBridge(PCMU);
    bridge.bridge();
    const samples = milliseconds * 8;
    let sequence = 0;
    for (let at = 0; at < 400; at += 20) {
      for (let sent = at; sent < at + 20; sent += 10) {
        if (sent % milliseconds !== 0) continue;
        const payload = encodeG711('PCMU', new Int16Array(samples).fill(8000));
        bridge.hear(endpoint, packet(0, sequence, payload, sequence * samples));
        sequence += 1;
      }
      frames(1);
    }
    const last = toWhatsApp.slice(-5).map(({ payload }) => LINEAR.decode(payload)[80] ?? 0);
    assert.ok(
      last.every((sample) => sample > 7500),
      `${milliseconds} ms: ${last.join(' ')}`,
    );
  }
});

test('Opus packets pass on at once and untouched', async () => {
  const { bridge, customer, endpoint, toEndpoint, toWhatsApp } = await makeBridge(OPUS);
  bridge.bridge();
  bridge.hear(customer, packet(111, 0, Uint8Array.of(1, 2, 3)));
  bridge.hear(endpoint, packet(96, 0, Uint8Array.of(4, 5, 6)));
  assert.deepEqual([...(toEndpoint[0]?.payload ?? [])], [1, 2, 3]);
  assert.equal(toEndpoint[0]?.payloadType, 96);
  assert.deepEqual([...(toWhatsApp[0]?.payload ?? [])], [4, 5, 6]);
  assert.equal(toWhatsApp[0]?.payloadType, 111);
});

test('when a passed-through sender falls silent, we go on for it', async () => {
  const { bridge, endpoint, toWhatsApp, frames } = await makeBridge(OPUS);
  bridge.bridge();
  bridge.hear(endpoint, packet(96, 0, Uint8Array.of(4)));
  frames(50);
  assert.ok(toWhatsApp.length >= 45);
  const [first] = toWhatsApp;
  const last = toWhatsApp.at(-1);
  const passed = timestampAhead(first?.timestamp ?? 0, last?.timestamp ?? 0) / 960;
  assert.ok(Math.abs(passed - 50) <= 2, `${passed} frames of time`);
});

test('a holding endpoint is not heard; a listening one still hears the customer', async () => {
  const { bridge, customer, endpoint, toWhatsApp, toEndpoint, frames } = await makeBridge(OPUS);
  bridge.bridge();
  bridge.setDirection(endpoint, 'recvonly');
  bridge.hear(endpoint, packet(96, 0, Uint8Array.of(4)));
  bridge.hear(customer, packet(111, 0, Uint8Array.of(1)));
  assert.equal(toWhatsApp.length, 0);
  assert.equal(toEndpoint.length, 1);
  bridge.setDirection(endpoint, 'sendonly');
  bridge.hear(customer, packet(111, 1, Uint8Array.of(1)));
  // An endpoint that said it will not listen is sent nothing, not even silence.
  frames(10);
  assert.equal(toEndpoint.length, 1);
  assert.equal(toWhatsApp.length, 10);
});

test('a digit is reported and played on the other leg in place of audio', async () => {
  const { bridge, customer, toEndpoint, frames, events } = await makeBridge(PCMU);
  bridge.bridge();
  const payload = buildTelephoneEvent({ code: 3, end: true, volume: 10, duration: 800 });
  for (let at = 0; at < 3; at += 1) bridge.hear(customer, packet(126, at, payload, 5000));
  assert.deepEqual(events.slice(-1), [
    { kind: 'dtmf', leg: 'whatsapp', digit: '3', durationMs: 100 },
  ]);
  frames(20);
  const played = toEndpoint.filter(({ payloadType }) => payloadType === 101);
  assert.equal(played.length, 7);
  assert.equal(new Set(played.map(({ timestamp }) => timestamp)).size, 1);
  assert.deepEqual(played.map(({ marker }) => marker).slice(0, 2), [true, false]);
  assert.equal(toEndpoint.length, 20);
  // Three packets of one press.
  assert.equal(customer.stats().dtmfIn, 1);
});

test('digits before the bridge are reported but not played', async () => {
  const { bridge, customer, toEndpoint, frames, events } = await makeBridge(PCMU);
  const payload = buildTelephoneEvent({ code: 3, end: true, volume: 10, duration: 800 });
  bridge.hear(customer, packet(126, 0, payload));
  frames(5);
  assert.equal(events.length, 1);
  assert.ok(toEndpoint.every(({ payloadType }) => payloadType === 0));
});

test('a bridged leg that falls silent is told once, and once that it is heard again', async () => {
  const { bridge, customer, endpoint, frames, events } = await makeBridge(PCMU);
  bridge.bridge();
  frames(300);
  bridge.heardRtcp(customer, new Uint8Array(8));
  frames(10);
  bridge.hear(endpoint, packet(0, 0, new Uint8Array(160)));
  assert.deepEqual(events, [
    { kind: 'silent', leg: 'whatsapp', silentMs: 5000, cause: 'never_sent' },
    { kind: 'silent', leg: 'endpoint', silentMs: 5000, cause: 'never_sent' },
    { kind: 'heard', leg: 'whatsapp' },
    { kind: 'heard', leg: 'endpoint' },
    { kind: 'firstAudio', leg: 'endpoint' },
  ]);
});

test('a held endpoint is not expected to be heard', async () => {
  const { bridge, endpoint, frames, events } = await makeBridge(PCMU);
  bridge.bridge();
  bridge.setDirection(endpoint, 'inactive');
  frames(300);
  assert.deepEqual(
    events.map((event) => [event.kind, 'leg' in event ? event.leg : '']),
    [['silent', 'whatsapp']],
  );
});

test('why a leg is silent is told from what came of it', async () => {
  const causeAfter = async (hear: (rig: Wired) => void): Promise<string[]> => {
    const rig = await makeBridge(PCMU);
    rig.bridge.bridge();
    hear(rig);
    rig.frames(300);
    return rig.events.flatMap((event) =>
      event.kind === 'silent' && event.leg === 'endpoint' ? [event.cause] : [],
    );
  };
  const audio = packet(0, 0, new Uint8Array(160));
  const strange = packet(18, 0, new Uint8Array(10));
  assert.deepEqual(await causeAfter(() => {}), ['never_sent']);
  const heardOnce = await causeAfter(({ bridge, endpoint }) => bridge.hear(endpoint, audio));
  assert.deepEqual(heardOnce, ['stopped']);
  const heardWrong = await causeAfter(({ bridge, endpoint }) => bridge.hear(endpoint, strange));
  assert.deepEqual(heardWrong, ['wrong_codec']);
  for (const cause of ['wrong_address', 'srtp_failed'] as const) {
    const said = await causeAfter(({ bridge, endpoint }) => bridge.useless(endpoint, cause));
    assert.deepEqual(said, [cause]);
  }
});

test('a hold ends the silence of an endpoint', async () => {
  const { bridge, endpoint, frames, events } = await makeBridge(PCMU);
  bridge.bridge();
  frames(300);
  bridge.setDirection(endpoint, 'inactive');
  assert.deepEqual(events.at(-1), { kind: 'heard', leg: 'endpoint' });
});

test('an endpoint that turns to another codec it agreed to is heard, and answered so', async () => {
  const both = [...PCMU.receivePayloadTypes, ...planOf('PCMA').receivePayloadTypes];
  const rig = await openRig({ ...PCMU, receivePayloadTypes: both });
  const { bridge, customer, endpoint, frames } = rig;
  bridge.bridge();
  const [low, high] = [makeTone(440), makeTone(1000)];
  let sequence = 0;
  const talk = (count: number, law: 'PCMU' | 'PCMA'): void =>
    frames(count, () => {
      customer.say(new Uint8Array(low(160).buffer));
      sequence += 1;
      const payload = encodeG711(law, high(160));
      const [payloadType, timestamp] = [law === 'PCMU' ? 0 : 8, sequence * 160];
      endpoint.send({ payloadType, marker: false, sequence, timestamp, ssrc: 77, payload });
    });
  const heardInEnd = (law: 'PCMU' | 'PCMA'): void => {
    const heard = customer.heard.slice(-20).map(({ payload }) => linear(payload));
    assert.ok(clearestShare(heard, 1000) > 0.9, `1000 Hz at the customer, by ${law}`);
    const last = endpoint.heard.slice(-20);
    assert.deepEqual(new Set(last.map(({ payloadType }) => payloadType)), TYPES[law]);
    const answered = last.map(({ payload }) => decodeG711(law, payload));
    assert.ok(clearestShare(answered, 440) > 0.9, `440 Hz at the endpoint, by ${law}`);
  };
  talk(40, 'PCMU');
  heardInEnd('PCMU');
  // One packet that has gone astray changes nothing.
  talk(1, 'PCMA');
  talk(20, 'PCMU');
  heardInEnd('PCMU');
  talk(40, 'PCMA');
  heardInEnd('PCMA');
  // A re-INVITE says the same with a new offer.
  bridge.connect(endpoint.leg, PCMU);
  talk(40, 'PCMU');
  heardInEnd('PCMU');
  assert.equal(rig.events.filter(({ kind }) => kind === 'silent').length, 0);
});

const TYPES = { PCMU: new Set([0]), PCMA: new Set([8]) } as const;

/** What the stand-in for Opus carries. */
function linear(payload: Uint8Array): Int16Array {
  return new Int16Array(Uint8Array.from(payload).buffer);
}

test('payload types that were not agreed are not heard', async () => {
  const { bridge, customer, endpoint } = await makeBridge(PCMU);
  bridge.hear(customer, packet(9, 0, new Uint8Array(10)));
  bridge.hear(endpoint, packet(18, 0, new Uint8Array(10)));
  assert.equal(customer.stats().packetsIn, 0);
  assert.equal(endpoint.stats().packetsIn, 0);
});

type Wired = {
  bridge: Bridge;
  customer: BridgeLeg;
  endpoint: BridgeLeg;
  toWhatsApp: RtpPacket[];
  toEndpoint: RtpPacket[];
  events: MediaEvent[];
  frames: BridgeRig['frames'];
};

async function makeBridge(plan: LegPlan): Promise<Wired> {
  const { bridge, customer, endpoint, events, frames } = await openRig(plan);
  return {
    bridge,
    customer: customer.leg,
    endpoint: endpoint.leg,
    toWhatsApp: customer.heard,
    toEndpoint: endpoint.heard,
    events,
    frames,
  };
}

function packet(
  payloadType: number,
  sequence: number,
  payload: Uint8Array,
  timestamp: number = sequence * 960,
): RtpPacket {
  return { payloadType, marker: false, sequence, timestamp, ssrc: payloadType + 1, payload };
}

function loud(): Int16Array {
  return new Int16Array(160).fill(8000);
}
