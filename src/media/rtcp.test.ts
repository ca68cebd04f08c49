import assert from 'node:assert/strict';
import test from 'node:test';
import { buildReport } from './rtcp.ts';
import { isRtcp } from './rtp.ts';

const SOURCE = {
  ssrc: 0x0102_0304,
  now: Date.UTC(2026, 0, 1, 0, 0, 0, 500),
  rtpTimestamp: 960,
  packets: 50,
  octets: 8000,
  cname: 'abcdef',
};

test('a report is a compound of sender report and CNAME with right lengths', () => {
  const bytes = buildReport({
    ...SOURCE,
    heard: {
      ssrc: 9,
      clockRate: 8000,
      reception: { packets: 75, lost: 25, jitterMs: 10, highestSequence: 99 },
    },
  });
  assert.ok(isRtcp(bytes));
  const words = bytes.readUInt16BE(2) + 1;
  assert.equal(bytes.readUInt8(1), 200);
  assert.equal(words * 4, 52);
  assert.equal(bytes.readUInt8(52 + 1), 202);
  assert.equal((bytes.readUInt16BE(52 + 2) + 1) * 4, bytes.length - 52);
  // Loss of a quarter, jitter in RTP clock ticks.
  assert.equal(bytes.readUInt8(32), 64);
  assert.equal(bytes.readUInt32BE(40), 80);
});

test('the NTP time counts from 1900, with half a second as half of the fraction', () => {
  const bytes = buildReport(SOURCE);
  assert.equal(bytes.readUInt32BE(8), Date.UTC(2026, 0, 1) / 1000 + 2_208_988_800);
  assert.equal(bytes.readUInt32BE(12), 2 ** 31);
});
