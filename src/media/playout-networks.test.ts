import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createEncoder } from 'libopus-wasm';
import { arrivals, type NetworkProfile } from '../../test/network.ts';
import { framedToneShare, joinSamples, makeTone, toneShare } from '../../test/tones.ts';
import { g711Codec, type FrameCodec } from './frame-codec.ts';
import { encodeG711 } from './g711.ts';
import { openOpusCodec } from './opus-codec.ts';
import { Playout } from './playout.ts';
import type { RtpPacket } from './rtp.ts';

/**
 * T-06: a tone through bad networks, on a clock of numbers. It must be heard in (nearly) every
 * fifth of a second, and the delay must stay what the network needs.
 */
const TONE_HZ = 440;
const FRAMES = 1500;
const WINDOW = 10;
/** Of the sine that `makeTone` makes: half the square of its peak. */
const TONE_POWER = 8000 ** 2 / 2;

type Heard = { toneShare: number; delayMs: number; longestDelayMs: number; concealed: number };

let opusTone: Uint8Array[];
before(async () => {
  const encoder = await createEncoder({
    sampleRate: 8000,
    channels: 1,
    frameSize: 160,
    bitrate: 20_000,
    fec: true,
    packetLossPercent: 10,
  });
  const tone = makeTone(TONE_HZ);
  opusTone = Array.from({ length: FRAMES }, () => Uint8Array.from(encoder.encode(tone(160))));
  encoder.free();
});

const PROFILES: readonly [string, NetworkProfile, tones: number, delayMs: number][] = [
  ['a perfect network', {}, 1, 30],
  ['1 % loss', { loss: 0.01 }, 0.99, 40],
  ['5 % loss', { loss: 0.05 }, 0.99, 50],
  ['10 % loss', { loss: 0.1 }, 0.95, 50],
  ['20 % loss', { loss: 0.2 }, 0.8, 50],
  ['20 ms jitter', { jitterMs: 20 }, 0.99, 50],
  ['50 ms jitter', { jitterMs: 50 }, 0.99, 90],
  ['100 ms jitter', { jitterMs: 100 }, 0.97, 170],
  ['200 ms jitter', { jitterMs: 200 }, 0.9, 260],
  ['one in ten overtaken', { reordered: 0.1 }, 0.99, 140],
  ['one in five twice', { duplicates: 0.2 }, 0.99, 40],
  ['bursts of 3 lost', { burst: { packets: 3, every: 100 } }, 0.9, 60],
  ['5 % loss and 50 ms jitter', { loss: 0.05, jitterMs: 50 }, 0.97, 160],
];

for (const [name, profile, tones, delayMs] of PROFILES) {
  for (const codec of ['PCMU', 'opus'] as const) {
    test(`${codec} through ${name}: the tone is heard, the delay is bounded`, async () => {
      const heard = await play(codec, profile, FRAMES);
      assert.ok(heard.toneShare >= tones, JSON.stringify(heard));
      assert.ok(heard.delayMs <= delayMs, JSON.stringify(heard));
    });
  }
}

for (const clockPpm of [200, -200]) {
  test(`ten minutes with a sender ${clockPpm} ppm off: no drift, and hardly a gap`, async () => {
    const heard = await play('PCMU', { clockPpm, jitterMs: 10 }, 30_000);
    assert.ok(heard.toneShare >= 0.995, JSON.stringify(heard));
    // Unmet it would be 120 ms by now.
    assert.ok(heard.longestDelayMs <= 100 && heard.delayMs <= 100, JSON.stringify(heard));
    assert.ok(heard.concealed <= 12, JSON.stringify(heard));
  });
}

test('after three seconds of nothing the sound goes on, without delay piled up', async () => {
  const packets = tonePackets('PCMU', 1000).filter((_, at) => at < 400 || at >= 550);
  const arrived = packets.map((packet) => ({ at: ((packet.timestamp - 160) / 160) * 20, packet }));
  const { frames, playout } = await listen(g711Codec('PCMU'), arrived, 1000);
  const isTone = (from: number, to: number): boolean =>
    toneShare(joinSamples(frames.slice(from, to)), TONE_HZ) > 0.6;
  assert.ok(isTone(380, 400));
  assert.ok(frames.slice(410, 545).every((frame) => frame.every((sample) => sample === 0)));
  assert.ok(isTone(556, 576));
  assert.ok(playout.delayMs <= 80, `${playout.delayMs}`);
});

test('a sender that pauses with DTX is silence between, and its words come whole', async () => {
  // One packet every 400 ms in the pause, as Opus DTX sends; sequence numbers go on by one.
  const all = tonePackets('opus', 600);
  const kept = all.filter((_, at) => at < 200 || at >= 400 || at % 20 === 0);
  const packets = kept.map((packet, at) => ({ ...packet, sequence: at }));
  const arrived = packets.map((packet) => ({ at: (packet.timestamp / 960) * 20, packet }));
  const { frames, playout } = await listen(await openOpusCodec(), arrived, 600);
  assert.ok(toneShare(joinSamples(frames.slice(410, 590)), TONE_HZ) > 0.6);
  assert.ok(playout.delayMs <= 80, `${playout.delayMs}`);
  assert.equal(playout.late, 0);
});

test('a sender that changes its SSRC, or jumps in time, is heard on', async () => {
  const packets = tonePackets('PCMU', 600).map((packet, at) =>
    at < 300 ? packet : { ...packet, ssrc: 9, timestamp: packet.timestamp + 5_000_000 },
  );
  const arrived = packets.map((packet, at) => ({ at: at * 20, packet }));
  const { frames } = await listen(g711Codec('PCMU'), arrived, 600);
  assert.ok(toneShare(joinSamples(frames.slice(310, 590)), TONE_HZ) > 0.6);
});

test('what came too late is counted, a copy is not', async () => {
  const packets = tonePackets('PCMU', 300);
  const arrived = packets
    .flatMap((packet, at) => [
      { at: at * 20 + (at === 150 ? 400 : 0), packet },
      { at: at * 20 + 5, packet: at === 150 ? (packets[149] ?? packet) : packet },
    ])
    .toSorted((a, b) => a.at - b.at);
  const { playout } = await listen(g711Codec('PCMU'), arrived, 300);
  assert.equal(playout.late, 1);
});

async function play(name: 'PCMU' | 'opus', profile: NetworkProfile, count: number): Promise<Heard> {
  const codec = name === 'opus' ? await openOpusCodec() : g711Codec(name);
  const arrived = arrivals(tonePackets(name, count), profile, 42);
  const { frames, playout, delays } = await listen(codec, arrived, count);
  codec.free();
  // The first and the last moments are the buffer filling up and running dry.
  const steady = frames.slice(50, -50);
  const windows = Math.floor(steady.length / WINDOW);
  const heard = Array.from({ length: windows }, (_, window) =>
    isHeard(steady.slice(window * WINDOW, (window + 1) * WINDOW)),
  ).filter(Boolean).length;
  const settled = delays.slice(250, -50);
  return {
    toneShare: heard / windows,
    delayMs: settled.reduce((sum, delay) => sum + delay, 0) / settled.length,
    longestDelayMs: Math.max(...settled),
    concealed: playout.concealed,
  };
}

/** The tone and hardly anything else, at a quarter of its power or more. */
function isHeard(frames: readonly Int16Array[]): boolean {
  const samples = joinSamples(frames);
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
  return power > TONE_POWER / 4 && framedToneShare(frames, TONE_HZ) > 0.6;
}

/** Plays what arrived, frame by frame; silence where there is nothing to hear. */
async function listen(
  codec: FrameCodec,
  arrived: readonly { at: number; packet: RtpPacket }[],
  count: number,
): Promise<{ frames: Int16Array[]; delays: number[]; playout: Playout }> {
  const playout = new Playout(codec);
  const frames: Int16Array[] = [];
  const delays: number[] = [];
  let next = 0;
  for (let frame = 0; frame < count; frame += 1) {
    // Our frames do not begin when theirs do.
    const now = frame * 20 + 7;
    for (let item = arrived[next]; item !== undefined && item.at <= now; item = arrived[next]) {
      playout.push(item.packet);
      next += 1;
    }
    delays.push(playout.delayMs);
    frames.push(playout.next() ?? new Int16Array(160));
  }
  return { frames, delays, playout };
}

function tonePackets(codec: 'PCMU' | 'opus', count: number): RtpPacket[] {
  // 44 periods fill five frames.
  const tone = makeTone(TONE_HZ);
  const g711 = Array.from({ length: 5 }, () => encodeG711('PCMU', tone(160)));
  return Array.from({ length: count }, (_, at) => ({
    payloadType: codec === 'opus' ? 111 : 0,
    marker: false,
    sequence: at & 0xffff,
    timestamp: codec === 'opus' ? at * 960 : (at + 1) * 160,
    ssrc: 1,
    payload: (codec === 'opus' ? opusTone[at % FRAMES] : g711[at % 5]) ?? new Uint8Array(0),
  }));
}
