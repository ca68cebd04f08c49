import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before, type TestContext } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { createDecoder, createEncoder, type OpusEncoderHandle } from 'libopus-wasm';
import { openMetaPeer, type MetaPeer } from '../../test/meta-peer.ts';
import { everyFrame } from '../../test/real-time.ts';
import { audioPort, openRtpPeer, type RtpPeer } from '../../test/rtp-peer.ts';
import { clearestShare, makeTone } from '../../test/tones.ts';
import { systemClock } from '../platform/clock.ts';
import { silentLog } from '../platform/log.ts';
import { systemRandom } from '../platform/random.ts';
import { decodeG711, encodeG711 } from './g711.ts';
import type { EndpointCodec, MediaCall, MediaEvent } from './media.ts';
import { openMediaPlane, type EmbeddedMediaPlane } from './media-plane.ts';
import { sequenceAhead, timestampAhead, type RtpPacket } from './rtp.ts';
import { writeSoundFile } from './sound-file.ts';
import { srtpKeyBytes, type SrtpKey } from './srtp.ts';

/** Who says which tone, in Hz. */
const CUSTOMER = 440;
const AGENT = 1000;
const OTHER = 1700;
const PROMPT = 2500;
const QUIET = new Int16Array(160);
/** How often a state is listened to before what is heard counts. */
const LOOKS = 6;

let plane: EmbeddedMediaPlane;
let folder = '';
let prompt = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'askfirst-legs-'));
  prompt = join(folder, 'prompt.snd');
  const encoder = await speaker();
  const tone = makeTone(PROMPT);
  const frames = Array.from({ length: 25 }, () => Uint8Array.from(encoder.encode(tone(160))));
  encoder.free();
  await writeSoundFile(prompt, frames);
  plane = await openMediaPlane({
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    bindAddress: '127.0.0.1',
    portRange: { first: 24_300, last: 24_339 },
    workers: 1,
    callsPerWorker: 10,
  });
});
after(async () => {
  await plane.close();
  await rm(folder, { recursive: true });
});

test('a prompt is heard alone by the one it is played to, and its end is told', async (t) => {
  const { call, customer, agent, talk, events } = await talkingCall(t, 'PCMU');
  call.bridge();
  await talk(15);
  const sound = { kind: 'opus', path: prompt } as const;
  const once = { loop: false, interrupt: false };
  const first = call.play('whatsapp', sound, once);
  const missing = call.play('whatsapp', { ...sound, path: join(folder, 'none') }, once);
  const second = call.play('endpoint', sound, once);
  await until(talk, () => endsOf(events).length === 3);
  assert.deepEqual(
    endsOf(events).toSorted((a, b) => a.playId - b.playId),
    [
      { kind: 'played', leg: 'whatsapp', playId: first, completed: true },
      {
        kind: 'played',
        leg: 'whatsapp',
        playId: missing,
        completed: false,
        trouble: 'sound_file_unusable',
      },
      { kind: 'played', leg: 'endpoint', playId: second, completed: true },
    ],
  );
  for (const [peer, other] of [
    [customer, AGENT],
    [agent, CUSTOMER],
  ] as const) {
    const heard = await peer.heard();
    assert.ok(clearestShare(heard, PROMPT) > 0.6, `prompt: ${clearestShare(heard, PROMPT)}`);
    assert.ok(clearestShare(heard, other) > 0.6, `the other side: ${clearestShare(heard, other)}`);
    peer.forget();
  }
  await talk(20);
  assert.deepEqual(await tonesOf(customer), [AGENT]);
  assert.deepEqual(await tonesOf(agent), [CUSTOMER]);
});

test('hold, resume and mute: by tones, what each side hears', async (t) => {
  const { call, customer, agent, talk } = await talkingCall(t, 'opus');
  const heardAfter = async (order: () => void): Promise<[number[], number[]]> => {
    order();
    // What is still on its way belongs to the state before.
    await talk(8);
    customer.forget();
    agent.forget();
    await talk(25);
    return [await tonesOf(customer), await tonesOf(agent)];
  };
  call.bridge();
  assert.deepEqual(await heardAfter(() => {}), [[AGENT], [CUSTOMER]]);
  const onHold = await heardAfter(() => call.hold({ kind: 'opus', path: prompt }));
  assert.deepEqual(onHold, [[PROMPT], []]);
  assert.deepEqual(await heardAfter(() => call.resume()), [[AGENT], [CUSTOMER]]);
  assert.deepEqual(await heardAfter(() => call.setMuted('endpoint', true)), [[], [CUSTOMER]]);
  assert.deepEqual(await heardAfter(() => call.setMuted('whatsapp', true)), [[], []]);
  const loud = await heardAfter(() => {
    call.setMuted('endpoint', false);
    call.setMuted('whatsapp', false);
  });
  assert.deepEqual(loud, [[AGENT], [CUSTOMER]]);
  assertUnbroken(customer.received);
});

test('a transfer: consultation, swap and the end of the first leg, by tones', async (t) => {
  const { call, customer, agent, talk, takeTurns, add } = await talkingCall(t, 'PCMU');
  call.bridge();
  await talk(10);
  const other = await add('other', 'opus');
  const states: [string, () => void, number[], number[], number[]][] = [
    ['opened', () => {}, [AGENT], [CUSTOMER], []],
    [
      'listening',
      () => call.addListener('other', 'listen'),
      [AGENT],
      [CUSTOMER],
      [CUSTOMER, AGENT],
    ],
    [
      'whispering',
      () => call.addListener('other', 'whisper'),
      [AGENT],
      [CUSTOMER, OTHER],
      [CUSTOMER, AGENT],
    ],
    [
      'barging in',
      () => call.addListener('other', 'barge'),
      [AGENT, OTHER],
      [CUSTOMER, OTHER],
      [CUSTOMER, AGENT],
    ],
    [
      'consulting',
      () => {
        call.hold({ kind: 'opus', path: prompt });
        call.addListener('other', 'whisper');
      },
      [PROMPT],
      [OTHER],
      [AGENT],
    ],
    [
      'transferred',
      () => {
        call.removeListener('other');
        call.useEndpoint('other');
        call.resume();
      },
      [OTHER],
      [],
      [CUSTOMER],
    ],
  ];
  for (const [name, order, ...expected] of states) {
    order();
    await talk(8);
    const hear = async (): Promise<number[][]> => {
      for (const peer of [customer, agent, other]) peer.forget();
      await takeTurns(16);
      return Promise.all([customer, agent, other].map((peer) => tonesOf(peer)));
    };
    // On a busy machine a turn may still be under way when its listener is asked: look again.
    let heard = await hear();
    for (let look = 1; look < LOOKS && !isDeepStrictEqual(heard, expected); look += 1) {
      heard = await hear();
    }
    assert.deepEqual(heard, expected, name);
  }
  const inUse = plane.portsInUse();
  await call.closeEndpoint('main');
  await until(talk, () => plane.portsInUse() === inUse - 1);
  customer.forget();
  await talk(25);
  assert.deepEqual(await tonesOf(customer), [OTHER]);
  const stats = await call.stats();
  assert.deepEqual([stats.codec, stats.transcoded], ['opus', false]);
  assertUnbroken(customer.received);
});

test('each endpoint leg has a port and SRTP keys of its own', async (t) => {
  const { call, customer, agent, talk, add } = await talkingCall(t, 'PCMU', true);
  call.bridge();
  const other = await add('other', 'PCMU', true);
  call.addListener('other', 'listen');
  await talk(10);
  await until(talk, () => [customer, agent, other].every(({ received }) => received.length > 25));
  assert.deepEqual(await tonesOf(customer), [AGENT]);
  assert.deepEqual(await tonesOf(agent), [CUSTOMER]);
  assert.equal((await call.stats()).srtp, 'AEAD_AES_128_GCM');
  call.useEndpoint('other');
  await call.closeEndpoint('main');
  await talk(10);
  customer.forget();
  await talk(20);
  assert.deepEqual(await tonesOf(customer), [OTHER]);
});

test('legs are limited, come again under their name, and leave no port behind', async (t) => {
  const events: MediaEvent[] = [];
  const call = await plane.openCall({ callId: 'many', onEvent: (event) => events.push(event) });
  t.after(() => call.close());
  const options = { codecs: ['PCMU'], advertisedAddress: '127.0.0.1', srtp: false } as const;
  const names = ['main', 'b', 'c', 'd', 'e', 'f'];
  const offers = await Promise.all(names.map((name) => call.openEndpoint(options, name)));
  assert.equal(new Set(offers.map(audioPort)).size, 6);
  await assert.rejects(call.openEndpoint(options, 'g'), { code: 'media_no_capacity' });
  // Not waited for: the worker must still close the old one first, then open the new one.
  const closed = call.closeEndpoint('b');
  const again = await call.openEndpoint(options, 'b');
  await closed;
  assert.match(again, /^m=audio \d+ RTP\/AVP 0 101\r$/m);
  const rtp = await openRtpPeer();
  t.after(() => rtp.close());
  await call.applyEndpointAnswer(rtp.sdp('0', []), 'b');
  await call.closeEndpoint('nobody');
  const beep = { kind: 'builtin', name: 'beep' } as const;
  const playId = call.play('endpoint', beep, { loop: false, interrupt: false, legId: 'nobody' });
  await until(
    (frames) => everyFrame(frames, () => {}),
    () => endsOf(events).length === 1,
  );
  assert.deepEqual(endsOf(events), [
    { kind: 'played', leg: 'endpoint', legId: 'nobody', playId, completed: false },
  ]);
  await call.close();
  await until(
    (frames) => everyFrame(frames, () => {}),
    () => plane.portsInUse() === 0,
  );
});

type Peer = {
  received: RtpPacket[];
  say: (quiet: boolean) => void;
  /** What was heard since `forget`, as sound. */
  heard: () => Promise<Int16Array[]>;
  forget: () => void;
};
type Talking = {
  call: MediaCall;
  customer: Peer;
  agent: Peer;
  events: MediaEvent[];
  /** Lets all speak for so many frames. */
  talk: (frames: number) => Promise<void>;
  /** Lets each speak alone for so many frames: a voice codec makes noise of two tones at once. */
  takeTurns: (frames: number) => Promise<void>;
  /** Opens a further endpoint leg that speaks the third tone. */
  add: (legId: string, codec: EndpointCodec, srtp?: boolean) => Promise<Peer>;
};

async function talkingCall(t: TestContext, codec: EndpointCodec, srtp = false): Promise<Talking> {
  const events: MediaEvent[] = [];
  const call = await plane.openCall({ callId: t.name, onEvent: (event) => events.push(event) });
  t.after(() => call.close());
  const meta = await openMetaPeer(call.offer);
  t.after(() => meta.close());
  await call.applyAnswer(meta.answer);
  await meta.connected;
  const peers: Peer[] = [];
  const add = async (hz: number, leg: Omit<Joining, 'hz'>): Promise<Peer> => {
    const rtp = await openRtpPeer(leg.srtp ? newKey() : undefined);
    t.after(() => rtp.close());
    const peer = await joined(call, rtp, { ...leg, hz });
    peers.push(peer);
    return peer;
  };
  const customer = await customerPeer(meta);
  peers.push(customer);
  const agent = await add(AGENT, { legId: undefined, codec, srtp });
  return {
    call,
    customer,
    agent,
    events,
    talk: (frames) =>
      everyFrame(frames, () => {
        for (const peer of peers) peer.say(false);
      }),
    async takeTurns(frames) {
      for (const speaking of peers) {
        await everyFrame(frames, () => {
          for (const peer of peers) peer.say(peer !== speaking);
        });
      }
    },
    add: (legId, legCodec, secure = false) => add(OTHER, { legId, codec: legCodec, srtp: secure }),
  };
}

async function customerPeer(meta: MetaPeer): Promise<Peer> {
  const encoder = await speaker();
  const tone = makeTone(CUSTOMER);
  return listener(meta.received, 'opus', (quiet) =>
    meta.sendAudio(encoder.encode(quiet ? QUIET : tone(160))),
  );
}

type Joining = { legId: string | undefined; codec: EndpointCodec; srtp: boolean; hz: number };

async function joined(
  call: MediaCall,
  rtp: RtpPeer,
  { legId, codec, srtp, hz }: Joining,
): Promise<Peer> {
  const options = { codecs: [codec], advertisedAddress: '127.0.0.1', srtp };
  const offer = await call.openEndpoint(options, legId);
  rtp.sendTo(audioPort(offer));
  const isOpus = codec === 'opus';
  const answer = isOpus ? rtp.sdp('96', ['a=rtpmap:96 opus/48000/2']) : rtp.sdp('0', []);
  const media = await call.applyEndpointAnswer(rtp.secured(answer, offer), legId);
  assert.equal(media.srtp, srtp);
  const encoder = await speaker();
  const tone = makeTone(hz);
  return listener(rtp.received, codec, (quiet) => {
    const samples = quiet ? QUIET : tone(160);
    if (isOpus) rtp.sendAudio(96, encoder.encode(samples), 960);
    else rtp.sendAudio(0, encodeG711('PCMU', samples), 160);
  });
}

function listener(received: RtpPacket[], codec: EndpointCodec, say: Peer['say']): Peer {
  let from = 0;
  return {
    received,
    say,
    forget() {
      from = received.length;
    },
    async heard() {
      const payloads = received.slice(from).map(({ payload }) => payload);
      if (codec !== 'opus') return payloads.map((payload) => decodeG711('PCMU', payload));
      const decoder = await createDecoder({ sampleRate: 8000, channels: 1 });
      const frames = payloads.map((payload) => Int16Array.from(decoder.decode(payload)));
      decoder.free();
      return frames;
    },
  };
}

/** The tones that a peer heard, if only for ten frames of the time. */
async function tonesOf(peer: Peer): Promise<number[]> {
  const frames = (await peer.heard()).filter((frame) => frame.length === 160);
  assert.ok(frames.length >= 10, 'too few frames were heard');
  return [CUSTOMER, AGENT, OTHER, PROMPT].filter((hz) => clearestShare(frames, hz) > 0.3);
}

function endsOf(events: readonly MediaEvent[]): Extract<MediaEvent, { kind: 'played' }>[] {
  return events.flatMap((event) => (event.kind === 'played' ? [event] : []));
}

function newKey(): SrtpKey {
  const suite = 'AEAD_AES_128_GCM';
  return { suite, key: systemRandom.bytes(srtpKeyBytes(suite)) };
}

function speaker(): Promise<OpusEncoderHandle> {
  return createEncoder({ sampleRate: 8000, channels: 1, frameSize: 160 });
}

function assertUnbroken(received: readonly RtpPacket[]): void {
  for (const [at, packet] of received.slice(1).entries()) {
    const before = received[at];
    if (before === undefined) continue;
    assert.equal(packet.ssrc, before.ssrc);
    assert.equal(sequenceAhead(before.sequence, packet.sequence), 1);
    const step = timestampAhead(before.timestamp, packet.timestamp) / 960;
    // A busy machine may let frames go; time must never step back.
    assert.ok(step >= 0 && step <= 50, `a step of ${step} frames at packet ${at}`);
  }
}

async function until(
  talk: (frames: number) => Promise<void>,
  condition: () => boolean,
): Promise<void> {
  for (let turn = 0; turn < 3_000; turn += 1) {
    if (condition()) return;
    await talk(1);
  }
  assert.fail(`waited in vain for ${condition.toString()}`);
}
