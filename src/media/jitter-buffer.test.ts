import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import { JitterBuffer } from './jitter-buffer.ts';
import type { RtpPacket } from './rtp.ts';

test('packets come out in order, once the buffer has filled', () => {
  const buffer = new JitterBuffer();
  buffer.push(packet(65_535));
  assert.equal(pop(buffer), 'empty');
  buffer.push(packet(1));
  buffer.push(packet(0));
  assert.deepEqual([pop(buffer), pop(buffer), pop(buffer)], ['65535', '0', '1']);
  assert.equal(pop(buffer), 'empty');
});

test('before anything was played, an earlier packet still becomes the first', () => {
  const buffer = new JitterBuffer();
  buffer.push(packet(5));
  buffer.push(packet(4));
  assert.deepEqual([pop(buffer), pop(buffer)], ['4', '5']);
});

test('a packet that never comes is lost when its turn is over', () => {
  const buffer = filled([1, 2, 4]);
  assert.deepEqual([pop(buffer), pop(buffer), pop(buffer), pop(buffer)], ['1', '2', 'lost', '4']);
});

test('the packet after a lost one can be seen, for error correction', () => {
  const buffer = filled([1, 2, 4]);
  for (let count = 0; count < 3; count += 1) pop(buffer);
  assert.equal(buffer.peek()?.sequence, 4);
});

test('a lone packet after a pause is played without company', () => {
  const buffer = new JitterBuffer();
  buffer.push(packet(1));
  const popped = Array.from({ length: 4 }, () => pop(buffer));
  assert.deepEqual(popped, ['empty', 'empty', '1', 'empty']);
});

test('a late packet makes the buffer deeper, calm makes it shallower again', () => {
  const buffer = filled([1, 2, 4]);
  for (let count = 0; count < 4; count += 1) pop(buffer);
  buffer.push(packet(3));
  assert.equal(buffer.targetDepth, 3);
  for (let sequence = 5; sequence < 600; sequence += 1) {
    buffer.push(packet(sequence));
    pop(buffer);
  }
  assert.equal(buffer.targetDepth, 1);
});

test('it waits for a frame more until it knows the network, and where packets are lost', () => {
  const buffer = new JitterBuffer();
  const play = (from: number, to: number, isLost: (sequence: number) => boolean): void => {
    for (let sequence = from; sequence < to; sequence += 1) {
      if (!isLost(sequence)) buffer.push(packet(sequence), sequence);
      pop(buffer);
    }
  };
  play(0, 90, () => false);
  assert.equal(buffer.targetDepth, 2);
  play(90, 300, () => false);
  assert.equal(buffer.targetDepth, 1);
  play(300, 600, (sequence) => sequence % 20 === 0);
  assert.equal(buffer.targetDepth, 2);
  play(600, 1200, () => false);
  assert.equal(buffer.targetDepth, 1);
});

test('a sender with a faster clock does not fill the buffer', () => {
  const buffer = new JitterBuffer();
  let sequence = 0;
  for (let frame = 0; frame < 5000; frame += 1) {
    buffer.push(packet(sequence++));
    // Two hundred times faster than any real clock.
    if (frame % 100 === 0) buffer.push(packet(sequence++));
    pop(buffer);
  }
  assert.ok(buffer.depth <= 6, `${buffer.depth}`);
});

test('a new source, or a jump, starts anew', () => {
  const buffer = filled([1, 2]);
  pop(buffer);
  buffer.push({ ...packet(9000), ssrc: 2 });
  buffer.push({ ...packet(9001), ssrc: 2 });
  assert.equal(pop(buffer), '9000');
  buffer.push({ ...packet(20_000), ssrc: 2 });
  buffer.push({ ...packet(20_001), ssrc: 2 });
  assert.equal(pop(buffer), '20000');
});

test('whatever comes, the buffer stays small and no packet is played twice', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.integer({ min: 0, max: 60 }), fc.constant('pop' as const))),
      (steps) => {
        const buffer = new JitterBuffer();
        const played: number[] = [];
        for (const step of steps) {
          if (step === 'pop') {
            const popped = buffer.pop();
            if (popped.kind === 'packet') played.push(popped.packet.sequence);
          } else buffer.push(packet(step));
          assert.ok(buffer.depth <= 25);
        }
        assert.deepEqual(
          played,
          [...new Set(played)].sort((a, b) => a - b),
        );
      },
    ),
    { seed: 5, numRuns: 2000 },
  );
});

function filled(sequences: readonly number[]): JitterBuffer {
  const buffer = new JitterBuffer();
  for (const sequence of sequences) buffer.push(packet(sequence));
  return buffer;
}

function packet(sequence: number): RtpPacket {
  const timestamp = sequence * 160;
  return { payloadType: 0, marker: false, sequence, timestamp, ssrc: 1, payload: Buffer.alloc(1) };
}

function pop(buffer: JitterBuffer): string {
  const popped = buffer.pop();
  return popped.kind === 'packet' ? String(popped.packet.sequence) : popped.kind;
}
