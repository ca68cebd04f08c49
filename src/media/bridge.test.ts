import assert from 'node:assert/strict';
import test from 'node:test';
import { ManualClock } from '../platform/clock.ts';
import { seededRandom } from '../platform/random.ts';
import { Bridge, type EndpointPlan } from './bridge.ts';
import { buildTelephoneEvent } from './dtmf.ts';
import { encodeG711, decodeG711 } from './g711.ts';
import type { FrameCodec } from './frame-codec.ts';
import type { MediaEvent } from './media.ts';
import { parseRtp, timestampAhead, type RtpPacket } from './rtp.ts';

/** Stands for Opus: two bytes per sample, nothing lost. */
const LINEAR: FrameCodec = {
  encode: (samples) => new Uint8Array(Int16Array.from(samples).buffer),
  decode: (payload) => new Int16Array(Uint8Array.from(payload).buffer),
  conceal: () => new Int16Array(160),
  free: () => {},
};
const PCMU: EndpointPlan = {
  codec: 'PCMU',
  sendPayloadType: 0,
  receivePayloadTypes: [{ codec: 'PCMU', payloadType: 0 }],
  sendEvents: { payloadType: 101, clockRate: 8000 },
  receiveEvents: [{ payloadType: 101, clockRate: 8000 }],
  opus: LINEAR,
};
const OPUS: EndpointPlan = {
  ...PCMU,
  codec: 'opus',
  sendPayloadType: 96,
  receivePayloadTypes: [{ codec: 'opus', payloadType: 96 }],
  opus: null,
};

test('before the bridge both legs get silence, and nothing of the other leg', () => {
  const { bridge, toWhatsApp, toEndpoint, frames } = makeBridge(PCMU);
  bridge.fromWhatsApp(packet(111, 0, LINEAR.encode(loud())));
  bridge.fromEndpoint(packet(0, 0, encodeG711('PCMU', loud())));
  frames(5);
  assert.deepEqual(
    toWhatsApp.map(({ payload }) => [...payload]),
    Array.from({ length: 5 }, () => [0xf8, 0xff, 0xfe]),
  );
  assert.ok(toEndpoint.every(({ payload }) => payload.every((byte) => byte === 0xff)));
  assert.equal(toEndpoint.length, 5);
});

test('the customer hears the ringing frames round and round until the bridge, never after', () => {
  const { bridge, toWhatsApp, frames } = makeBridge(PCMU);
  bridge.ringMeanwhile([Uint8Array.of(1), Uint8Array.of(2)]);
  frames(5);
  assert.deepEqual(
    toWhatsApp.map(({ payload }) => payload[0]),
    [1, 2, 1, 2, 1],
  );
  bridge.bridge();
  bridge.ringMeanwhile([Uint8Array.of(3)]);
  bridge.setEndpointDirection('inactive');
  frames(2);
  assert.deepEqual([...(toWhatsApp.at(-1)?.payload ?? [])], [0xf8, 0xff, 0xfe]);
});

test('after the bridge each leg hears the other, transcoded', () => {
  const { bridge, toWhatsApp, toEndpoint, frames } = makeBridge(PCMU);
  bridge.bridge();
  for (let at = 0; at < 10; at += 1) {
    bridge.fromWhatsApp(packet(111, at, LINEAR.encode(loud())));
    bridge.fromEndpoint(packet(0, at, encodeG711('PCMU', loud())));
    frames(1);
  }
  const heard = LINEAR.decode(toWhatsApp.at(-1)?.payload ?? new Uint8Array());
  assert.ok((heard[0] ?? 0) > 7500);
  assert.ok((decodeG711('PCMU', toEndpoint.at(-1)?.payload ?? new Uint8Array())[0] ?? 0) > 7500);
});

test('an endpoint that sends 10 ms or 40 ms packets is heard as well', () => {
  for (const milliseconds of [10, 40]) {
    const { bridge, toWhatsApp, frames } = makeBridge(PCMU);
    bridge.bridge();
    const samples = milliseconds * 8;
    let sequence = 0;
    for (let at = 0; at < 400; at += 20) {
      for (let sent = at; sent < at + 20; sent += 10) {
        if (sent % milliseconds !== 0) continue;
        const payload = encodeG711('PCMU', new Int16Array(samples).fill(8000));
        bridge.fromEndpoint(packet(0, sequence, payload, sequence * samples));
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

test('Opus packets pass on at once and untouched', () => {
  const { bridge, toEndpoint, toWhatsApp } = makeBridge(OPUS);
  bridge.bridge();
  bridge.fromWhatsApp(packet(111, 0, Uint8Array.of(1, 2, 3)));
  bridge.fromEndpoint(packet(96, 0, Uint8Array.of(4, 5, 6)));
  assert.deepEqual([...(toEndpoint[0]?.payload ?? [])], [1, 2, 3]);
  assert.equal(toEndpoint[0]?.payloadType, 96);
  assert.deepEqual([...(toWhatsApp[0]?.payload ?? [])], [4, 5, 6]);
  assert.equal(toWhatsApp[0]?.payloadType, 111);
});

test('when a passed-through sender falls silent, we go on for it', () => {
  const { bridge, toWhatsApp, frames } = makeBridge(OPUS);
  bridge.bridge();
  bridge.fromEndpoint(packet(96, 0, Uint8Array.of(4)));
  frames(50);
  assert.ok(toWhatsApp.length >= 45);
  const [first] = toWhatsApp;
  const last = toWhatsApp.at(-1);
  const passed = timestampAhead(first?.timestamp ?? 0, last?.timestamp ?? 0) / 960;
  assert.ok(Math.abs(passed - 50) <= 2, `${passed} frames of time`);
});

test('on hold the customer hears silence; a listening endpoint still hears the customer', () => {
  const { bridge, toWhatsApp, toEndpoint, frames } = makeBridge(OPUS);
  bridge.bridge();
  bridge.setEndpointDirection('recvonly');
  bridge.fromEndpoint(packet(96, 0, Uint8Array.of(4)));
  bridge.fromWhatsApp(packet(111, 0, Uint8Array.of(1)));
  assert.equal(toWhatsApp.length, 0);
  assert.equal(toEndpoint.length, 1);
  bridge.setEndpointDirection('sendonly');
  bridge.fromWhatsApp(packet(111, 1, Uint8Array.of(1)));
  // An endpoint that said it will not listen is sent nothing, not even silence.
  frames(10);
  assert.equal(toEndpoint.length, 1);
  assert.equal(toWhatsApp.length, 10);
});

test('a digit is reported and played on the other leg in place of audio', () => {
  const { bridge, toEndpoint, frames, events } = makeBridge(PCMU);
  bridge.bridge();
  const payload = buildTelephoneEvent({ code: 3, end: true, volume: 10, duration: 800 });
  for (let at = 0; at < 3; at += 1) bridge.fromWhatsApp(packet(126, at, payload, 5000));
  assert.deepEqual(events.slice(-1), [
    { kind: 'dtmf', leg: 'whatsapp', digit: '3', durationMs: 100 },
  ]);
  frames(20);
  const played = toEndpoint.filter(({ payloadType }) => payloadType === 101);
  assert.equal(played.length, 7);
  assert.equal(new Set(played.map(({ timestamp }) => timestamp)).size, 1);
  assert.deepEqual(played.map(({ marker }) => marker).slice(0, 2), [true, false]);
  assert.equal(toEndpoint.length, 20);
});

test('digits before the bridge are reported but not played', () => {
  const { bridge, toEndpoint, frames, events } = makeBridge(PCMU);
  const payload = buildTelephoneEvent({ code: 3, end: true, volume: 10, duration: 800 });
  bridge.fromWhatsApp(packet(126, 0, payload));
  frames(5);
  assert.equal(events.length, 1);
  assert.ok(toEndpoint.every(({ payloadType }) => payloadType === 0));
});

test('a bridged leg that falls silent is told once, and once that it is heard again', () => {
  const { bridge, frames, events } = makeBridge(PCMU);
  bridge.bridge();
  frames(300);
  bridge.heardRtcp('whatsapp', new Uint8Array(8));
  frames(10);
  bridge.fromEndpoint(packet(0, 0, new Uint8Array(160)));
  assert.deepEqual(events, [
    { kind: 'silent', leg: 'whatsapp', silentMs: 5000, cause: 'never_sent' },
    { kind: 'silent', leg: 'endpoint', silentMs: 5000, cause: 'never_sent' },
    { kind: 'heard', leg: 'whatsapp' },
    { kind: 'heard', leg: 'endpoint' },
    { kind: 'firstAudio', leg: 'endpoint' },
  ]);
});

test('a held endpoint is not expected to be heard', () => {
  const { bridge, frames, events } = makeBridge(PCMU);
  bridge.bridge();
  bridge.setEndpointDirection('inactive');
  frames(300);
  assert.deepEqual(
    events.map((event) => [event.kind, 'leg' in event ? event.leg : '']),
    [['silent', 'whatsapp']],
  );
});

test('why a leg is silent is told from what came of it', () => {
  const causes = (hear: (bridge: Bridge) => void): string[] => {
    const { bridge, frames, events } = makeBridge(PCMU);
    bridge.bridge();
    hear(bridge);
    frames(300);
    return events.flatMap((event) =>
      event.kind === 'silent' && event.leg === 'endpoint' ? [event.cause] : [],
    );
  };
  const audio = packet(0, 0, new Uint8Array(160));
  assert.deepEqual(
    causes(() => {}),
    ['never_sent'],
  );
  assert.deepEqual(
    causes((bridge) => bridge.fromEndpoint(audio)),
    ['stopped'],
  );
  assert.deepEqual(
    causes((bridge) => bridge.fromEndpoint(packet(18, 0, new Uint8Array(10)))),
    ['wrong_codec'],
  );
  for (const cause of ['wrong_address', 'srtp_failed'] as const) {
    assert.deepEqual(
      causes((bridge) => bridge.uselessFromEndpoint(cause)),
      [cause],
    );
  }
});

test('a hold ends the silence of an endpoint', () => {
  const { bridge, frames, events } = makeBridge(PCMU);
  bridge.bridge();
  frames(300);
  bridge.setEndpointDirection('inactive');
  assert.deepEqual(events.at(-1), { kind: 'heard', leg: 'endpoint' });
});

test('payload types that were not agreed are not heard', () => {
  const { bridge } = makeBridge(PCMU);
  bridge.fromWhatsApp(packet(9, 0, new Uint8Array(10)));
  bridge.fromEndpoint(packet(18, 0, new Uint8Array(10)));
  assert.equal(bridge.legStats('whatsapp').packetsIn, 0);
  assert.equal(bridge.legStats('endpoint').packetsIn, 0);
});

type Wired = {
  bridge: Bridge;
  toWhatsApp: RtpPacket[];
  toEndpoint: RtpPacket[];
  events: MediaEvent[];
  frames: (count: number) => void;
};

function makeBridge(plan: EndpointPlan): Wired {
  const clock = new ManualClock();
  const [toWhatsApp, toEndpoint]: RtpPacket[][] = [[], []];
  const events: MediaEvent[] = [];
  const keep =
    (packets: RtpPacket[] = []) =>
    (bytes: Buffer): boolean => {
      const parsed = parseRtp(bytes);
      if (parsed !== null) packets.push(parsed);
      return true;
    };
  const bridge = new Bridge({
    clock,
    random: seededRandom(9),
    silentAfterMs: 5000,
    sendToWhatsApp: keep(toWhatsApp),
    sendToEndpoint: keep(toEndpoint),
    onEvent: (event) => events.push(event),
  });
  bridge.connectWhatsApp({ opus: 111, event: 126 });
  bridge.connectEndpoint(plan);
  const frames = (count: number): void => {
    for (let frame = 0; frame < count; frame += 1) {
      clock.advance(20);
      bridge.tick();
    }
  };
  return { bridge, toWhatsApp: toWhatsApp ?? [], toEndpoint: toEndpoint ?? [], events, frames };
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
