import assert from 'node:assert/strict';
import test from 'node:test';
import { RtpReception } from './rtp-reception.ts';
import type { RtpPacket } from './rtp.ts';

test('loss is what was expected minus what came', () => {
  const reception = new RtpReception(8000);
  for (const sequence of [65_534, 65_535, 0, 3, 4]) note(reception, sequence);
  assert.equal(reception.read().lost, 2);
  assert.equal(reception.read().packets, 5);
  // A late packet is not lost after all.
  note(reception, 2);
  assert.equal(reception.read().lost, 1);
});

test('duplicates never make the loss negative', () => {
  const reception = new RtpReception(8000);
  for (const sequence of [1, 1, 1, 2]) note(reception, sequence);
  assert.equal(reception.read().lost, 0);
});

test('a restarted source keeps the loss so far and adds none', () => {
  const reception = new RtpReception(8000);
  for (const sequence of [1, 3, 30_000, 30_001]) note(reception, sequence);
  assert.equal(reception.read().lost, 1);
  note(reception, 7, { ssrc: 2 });
  assert.equal(reception.read().lost, 1);
});

test('jitter is zero at an even pace and grows with delay', () => {
  const even = new RtpReception(8000);
  const uneven = new RtpReception(8000);
  for (let sequence = 0; sequence < 100; sequence += 1) {
    note(even, sequence);
    note(uneven, sequence, { delayMs: (sequence % 2) * 10 });
  }
  assert.equal(even.read().jitterMs, 0);
  assert.ok(Math.abs(uneven.read().jitterMs - 10) < 0.5, `${uneven.read().jitterMs}`);
});

function note(
  reception: RtpReception,
  sequence: number,
  { ssrc = 1, delayMs = 0 }: { ssrc?: number; delayMs?: number } = {},
): void {
  const packet: RtpPacket = {
    payloadType: 0,
    marker: false,
    sequence,
    timestamp: sequence * 160,
    ssrc,
    payload: new Uint8Array(160),
  };
  reception.note(packet, sequence * 20 + delayMs, true);
}
