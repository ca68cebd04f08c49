import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import { seededRandom } from '../platform/random.ts';
import { OutgoingStream } from './outgoing-stream.ts';
import { parseRtp, sequenceAhead, timestampAhead, type RtpPacket } from './rtp.ts';

const SILENCE = { payloadType: 111, payload: Uint8Array.of(1) };

test('silence, forwarded speech and silence again are one stream', () => {
  const stream = makeStream();
  const sent: (Buffer | null)[] = [];
  for (let frame = 0; frame < 3; frame += 1) {
    stream.tick();
    sent.push(stream.frame(SILENCE));
  }
  for (let at = 0; at < 3; at += 1) {
    stream.tick();
    sent.push(stream.forward(incoming(at), 111));
  }
  stream.tick();
  sent.push(stream.frame(SILENCE));
  const packets = sent.map(read);
  for (const [at, packet] of packets.slice(1).entries()) {
    const before = packets[at];
    assert.equal(sequenceAhead(before?.sequence ?? 0, packet.sequence), 1);
    assert.equal(timestampAhead(before?.timestamp ?? 0, packet.timestamp), 960);
    assert.equal(packet.ssrc, stream.ssrc);
  }
  // A marker stands where sound begins after silence, and nowhere else.
  assert.deepEqual(
    packets.map(({ marker }) => marker),
    [true, false, false, true, false, false, false],
  );
});

test('a gap and a small reordering of the source stay as they came', () => {
  const stream = makeStream();
  const [first, fourth, third] = [0, 3, 2].map((at) => read(stream.forward(incoming(at), 111)));
  assert.equal(sequenceAhead(first?.sequence ?? 0, fourth?.sequence ?? 0), 3);
  assert.equal(timestampAhead(first?.timestamp ?? 0, third?.timestamp ?? 0), 2 * 960);
});

test('a duplicate, and a packet from before the stream was taken over, are dropped', () => {
  const stream = makeStream();
  read(stream.forward(incoming(5), 111));
  assert.equal(stream.forward(incoming(5), 111), null);
  assert.equal(stream.forward(incoming(4), 111), null);
});

test('a new source goes on where the old one stood', () => {
  const stream = makeStream();
  const before = read(stream.forward(incoming(5), 111));
  const after = read(stream.forward({ ...incoming(900), ssrc: 8, timestamp: 3 }, 111));
  assert.equal(sequenceAhead(before.sequence, after.sequence), 1);
  assert.equal(timestampAhead(before.timestamp, after.timestamp), 960);
  assert.equal(after.marker, true);
});

test('a source that paused keeps its place in time', () => {
  const stream = makeStream();
  stream.tick();
  const before = read(stream.forward(incoming(0), 111));
  for (let frame = 0; frame < 5; frame += 1) {
    stream.tick();
    stream.frame(SILENCE);
  }
  const after = read(stream.forward({ ...incoming(20), sequence: 1 }, 111));
  assert.equal(timestampAhead(before.timestamp, after.timestamp), 20 * 960);
});

test('after a burst that ran ahead of time, fill waits until time has caught up', () => {
  const stream = makeStream();
  for (let at = 0; at < 4; at += 1) read(stream.forward(incoming(at), 111));
  const filled = Array.from({ length: 6 }, () => {
    stream.tick();
    return stream.frame(SILENCE) !== null;
  });
  assert.deepEqual(filled, [false, false, false, true, true, true]);
});

test('an event stands still in time and takes numbers of its own', () => {
  const stream = makeStream();
  stream.tick();
  const frame = read(stream.frame(SILENCE));
  const timestamp = stream.nextTimestamp;
  const event = { payloadType: 126, payload: Uint8Array.of(1, 10, 0, 160), timestamp };
  const starts = read(stream.event({ ...event, marker: true }));
  stream.skipSlot();
  const goesOn = read(stream.event({ ...event, marker: false }));
  assert.equal(timestampAhead(frame.timestamp, starts.timestamp), 960);
  assert.equal(starts.timestamp, goesOn.timestamp);
  assert.equal(sequenceAhead(starts.sequence, goesOn.sequence), 1);
});

test('no sequence number leaves twice, whatever comes in', () => {
  const step = fc.oneof(
    fc.constant('tick' as const),
    fc.record({ sequence: fc.integer({ min: 0, max: 40 }), ssrc: fc.integer({ min: 1, max: 2 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const stream = makeStream();
      const seen = new Set<number>();
      for (const next of steps) {
        if (next === 'tick') stream.tick();
        const sent =
          next === 'tick'
            ? stream.frame(SILENCE)
            : stream.forward({ ...incoming(next.sequence), ssrc: next.ssrc }, 111);
        if (sent === null) continue;
        const { sequence } = read(sent);
        assert.ok(!seen.has(sequence), `sequence ${sequence} twice`);
        seen.add(sequence);
      }
    }),
    { seed: 2, numRuns: 2000 },
  );
});

function makeStream(): OutgoingStream {
  return new OutgoingStream({ ssrc: 5, clockRate: 48_000, random: seededRandom(3) });
}

function incoming(at: number): RtpPacket {
  return {
    payloadType: 96,
    marker: false,
    sequence: at,
    timestamp: (0xffff_fc00 + at * 960) >>> 0,
    ssrc: 7,
    payload: Uint8Array.of(9),
  };
}

function read(packet: Buffer | null): RtpPacket {
  const parsed = packet === null ? null : parseRtp(packet);
  assert.ok(parsed !== null);
  return parsed;
}
