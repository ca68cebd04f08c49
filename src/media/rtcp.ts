import type { Reception } from './rtp-reception.ts';

/** Seconds from 1900 (NTP) to 1970 (our clock). */
const NTP_OFFSET_SECONDS = 2_208_988_800;
const SENDER_REPORT = 200;
const SOURCE_DESCRIPTION = 202;
const CNAME_ITEM = 1;

export type ReportSource = {
  ssrc: number;
  /** Milliseconds since 1970. */
  now: number;
  rtpTimestamp: number;
  packets: number;
  octets: number;
  cname: string;
  /** The stream we hear, where we hear one. */
  heard?: { ssrc: number; clockRate: number; reception: Reception } | undefined;
};

/** A compound packet of sender report and CNAME (RFC 3550 sections 6.1, 6.4.1 and 6.5). */
export function buildReport(source: ReportSource): Buffer {
  return Buffer.concat([senderReport(source), sourceDescription(source.ssrc, source.cname)]);
}

function senderReport(source: ReportSource): Buffer {
  const blocks = source.heard === undefined ? 0 : 1;
  const bytes = Buffer.alloc(28 + blocks * 24);
  bytes.writeUInt8(0x80 | blocks, 0);
  bytes.writeUInt8(SENDER_REPORT, 1);
  bytes.writeUInt16BE(bytes.length / 4 - 1, 2);
  bytes.writeUInt32BE(source.ssrc >>> 0, 4);
  const seconds = Math.floor(source.now / 1000);
  bytes.writeUInt32BE((seconds + NTP_OFFSET_SECONDS) >>> 0, 8);
  bytes.writeUInt32BE(Math.floor(((source.now % 1000) / 1000) * 2 ** 32) >>> 0, 12);
  bytes.writeUInt32BE(source.rtpTimestamp >>> 0, 16);
  bytes.writeUInt32BE(source.packets >>> 0, 20);
  bytes.writeUInt32BE(source.octets >>> 0, 24);
  if (source.heard !== undefined) {
    const { ssrc, clockRate, reception } = source.heard;
    const expected = reception.packets + reception.lost;
    bytes.writeUInt32BE(ssrc >>> 0, 28);
    // The loss fraction is of the whole call here; nobody on the other side steers by it.
    bytes.writeUInt8(Math.min(255, Math.floor((reception.lost * 256) / Math.max(1, expected))), 32);
    bytes.writeUIntBE(Math.min(reception.lost, 0x7fffff), 33, 3);
    bytes.writeUInt32BE(reception.highestSequence, 36);
    bytes.writeUInt32BE(Math.round((reception.jitterMs * clockRate) / 1000) >>> 0, 40);
  }
  return bytes;
}

function sourceDescription(ssrc: number, cname: string): Buffer {
  const text = Buffer.from(cname.slice(0, 64));
  // One item, then at least one zero byte up to the next 32-bit boundary (section 6.5).
  const bytes = Buffer.alloc(8 + Math.ceil((2 + text.length + 1) / 4) * 4);
  bytes.writeUInt8(0x81, 0);
  bytes.writeUInt8(SOURCE_DESCRIPTION, 1);
  bytes.writeUInt16BE(bytes.length / 4 - 1, 2);
  bytes.writeUInt32BE(ssrc >>> 0, 4);
  bytes.writeUInt8(CNAME_ITEM, 8);
  bytes.writeUInt8(text.length, 9);
  bytes.set(text, 10);
  return bytes;
}
