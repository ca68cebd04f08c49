/** Seconds from 1900 (NTP) to 1970 (our clock). */
const NTP_OFFSET_SECONDS = 2_208_988_800;
const SENDER_REPORT = 200;
const RECEIVER_REPORT = 201;
const SOURCE_DESCRIPTION = 202;
const CNAME_ITEM = 1;
const BLOCK_BYTES = 24;

/** What one side says about a stream that it hears (RFC 3550 section 6.4.1). */
export type ReportBlock = {
  ssrc: number;
  /** Share of packets lost since the last report, 0 to 1. */
  lossShare: number;
  /** Packets lost since the start; below zero where duplicates came. */
  lost: number;
  highestSequence: number;
  /** In ticks of the RTP clock. */
  jitterTicks: number;
  /** The middle 32 bits of the NTP time in the last sender report it heard; 0 for none. */
  lastReport: number;
  /** How long ago that was, in units of 1/65536 s. */
  sinceLastReport: number;
};

export type ReportSource = {
  ssrc: number;
  /** Milliseconds since 1970. */
  now: number;
  rtpTimestamp: number;
  packets: number;
  octets: number;
  cname: string;
  /** About the stream we hear, where we hear one. */
  block?: ReportBlock | undefined;
};

/** One sender or receiver report out of a compound packet. */
export type HeardReport = {
  ssrc: number;
  /** The middle 32 bits of its NTP time; null in a receiver report. */
  sentAt: number | null;
  blocks: readonly ReportBlock[];
};

/** A compound packet of sender report and CNAME (RFC 3550 sections 6.1, 6.4.1 and 6.5). */
export function buildReport(source: ReportSource): Buffer {
  return Buffer.concat([senderReport(source), sourceDescription(source.ssrc, source.cname)]);
}

/** The reports in a compound packet. What is cut short or lies about its length is left out. */
export function parseReports(bytes: Uint8Array): HeardReport[] {
  const packet = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const reports: HeardReport[] = [];
  for (let at = 0; at + 8 <= packet.length;) {
    const type = packet.readUInt8(at + 1);
    const end = at + (packet.readUInt16BE(at + 2) + 1) * 4;
    if (packet.readUInt8(at) >> 6 !== 2 || end > packet.length) break;
    if (type === SENDER_REPORT || type === RECEIVER_REPORT) {
      const report = readReport(packet.subarray(at, end), type === SENDER_REPORT);
      if (report !== null) reports.push(report);
    }
    at = end;
  }
  return reports;
}

/** The middle 32 bits of the NTP time of an instant (RFC 3550 section 4). */
export function ntpMiddle(atMs: number): number {
  const seconds = (Math.floor(atMs / 1000) + NTP_OFFSET_SECONDS) % 0x1_0000;
  return (seconds * 0x1_0000 + Math.floor(((atMs % 1000) / 1000) * 0x1_0000)) >>> 0;
}

function readReport(packet: Buffer, isSender: boolean): HeardReport | null {
  const blocksAt = isSender ? 28 : 8;
  if (packet.length < blocksAt) return null;
  const blocks: ReportBlock[] = [];
  const count = packet.readUInt8(0) & 0x1f;
  for (let block = 0; block < count; block += 1) {
    const at = blocksAt + block * BLOCK_BYTES;
    if (at + BLOCK_BYTES > packet.length) break;
    blocks.push(readBlock(packet.subarray(at, at + BLOCK_BYTES)));
  }
  return {
    ssrc: packet.readUInt32BE(4),
    sentAt: isSender ? packet.readUInt32BE(10) : null,
    blocks,
  };
}

function readBlock(block: Buffer): ReportBlock {
  return {
    ssrc: block.readUInt32BE(0),
    lossShare: block.readUInt8(4) / 256,
    lost: block.readIntBE(5, 3),
    highestSequence: block.readUInt32BE(8),
    jitterTicks: block.readUInt32BE(12),
    lastReport: block.readUInt32BE(16),
    sinceLastReport: block.readUInt32BE(20),
  };
}

function senderReport(source: ReportSource): Buffer {
  const blocks = source.block === undefined ? 0 : 1;
  const bytes = Buffer.alloc(28 + blocks * BLOCK_BYTES);
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
  if (source.block !== undefined) writeBlock(bytes.subarray(28), source.block);
  return bytes;
}

function writeBlock(bytes: Buffer, block: ReportBlock): void {
  bytes.writeUInt32BE(block.ssrc >>> 0, 0);
  bytes.writeUInt8(Math.min(255, Math.floor(block.lossShare * 256)), 4);
  bytes.writeIntBE(Math.max(-0x80_0000, Math.min(block.lost, 0x7f_ffff)), 5, 3);
  bytes.writeUInt32BE(block.highestSequence >>> 0, 8);
  bytes.writeUInt32BE(Math.round(block.jitterTicks) >>> 0, 12);
  bytes.writeUInt32BE(block.lastReport >>> 0, 16);
  bytes.writeUInt32BE(block.sinceLastReport >>> 0, 20);
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
