import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import { RtcpRrPacket, RtcpSrPacket } from 'werift';
import { buildReport, ntpMiddle, parseReports, type ReportBlock } from './rtcp.ts';
import { isRtcp } from './rtp.ts';

const SOURCE = {
  ssrc: 0x0102_0304,
  now: Date.UTC(2026, 0, 1, 0, 0, 0, 500),
  rtpTimestamp: 960,
  packets: 50,
  octets: 8000,
  cname: 'abcdef',
};
const BLOCK: ReportBlock = {
  ssrc: 9,
  lossShare: 0.25,
  lost: 25,
  highestSequence: 99,
  jitterTicks: 80,
  lastReport: 0xabcd_1234,
  sinceLastReport: 65_536,
};

test('a report is a compound of sender report and CNAME with right lengths', () => {
  const bytes = buildReport({ ...SOURCE, block: BLOCK });
  assert.ok(isRtcp(bytes));
  const words = bytes.readUInt16BE(2) + 1;
  assert.equal(bytes.readUInt8(1), 200);
  assert.equal(words * 4, 52);
  assert.equal(bytes.readUInt8(52 + 1), 202);
  assert.equal((bytes.readUInt16BE(52 + 2) + 1) * 4, bytes.length - 52);
});

test('what was written is read again, and a negative loss stays negative', () => {
  for (const lost of [25, -3]) {
    const block = { ...BLOCK, lost };
    const [read] = parseReports(buildReport({ ...SOURCE, block }));
    assert.deepEqual(read?.blocks, [block]);
    assert.equal(read?.ssrc, SOURCE.ssrc);
    assert.equal(read?.sentAt, ntpMiddle(SOURCE.now));
  }
});

test('the NTP time counts from 1900, with half a second as half of the fraction', () => {
  const bytes = buildReport(SOURCE);
  const seconds = Date.UTC(2026, 0, 1) / 1000 + 2_208_988_800;
  assert.equal(bytes.readUInt32BE(8), seconds);
  assert.equal(bytes.readUInt32BE(12), 2 ** 31);
  assert.equal(ntpMiddle(SOURCE.now), (((seconds & 0xffff) << 16) | 0x8000) >>> 0);
});

test('another implementation reads ours, and we read its receiver report', () => {
  const theirs = RtcpSrPacket.deSerialize(buildReport({ ...SOURCE, block: BLOCK }).subarray(4), 1);
  const [block] = theirs.reports;
  assert.ok(block !== undefined);
  assert.deepEqual(
    [block.ssrc, block.fractionLost, block.packetsLost, block.jitter, block.lsr, block.dlsr],
    [9, 64, 25, 80, 0xabcd_1234, 65_536],
  );
  const report = new RtcpRrPacket({ ssrc: 5, reports: [block] });
  const [ours] = parseReports(report.serialize());
  assert.equal(ours?.sentAt, null);
  assert.deepEqual(ours?.blocks, [BLOCK]);
});

test('no bytes from anybody make the reader throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), fc.boolean(), (bytes, looksReal) => {
      if (looksReal && bytes.length > 1) bytes.set([0x9f, 200], 0);
      for (const { blocks } of parseReports(bytes)) assert.ok(blocks.length <= 31);
    }),
    { seed: 7, numRuns: 3000 },
  );
});
