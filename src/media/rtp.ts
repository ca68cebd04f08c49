/** One RTP packet (RFC 3550 section 5.1). `payload` is a view into the datagram, not a copy. */
export type RtpPacket = {
  payloadType: number;
  marker: boolean;
  /** 0 to 65535. */
  sequence: number;
  /** 0 to 2^32-1, in the payload's clock. */
  timestamp: number;
  ssrc: number;
  payload: Uint8Array;
};

const HEADER_BYTES = 12;
/** Larger than any Ethernet frame, so nothing real is refused and nothing absurd is copied. */
const PACKET_MAX_BYTES = 1500;

/**
 * Reads an RTP packet; `null` where the bytes are not one. CSRCs and the header extension are
 * stepped over, padding is cut off. Never throws, whatever the bytes are.
 */
export function parseRtp(bytes: Uint8Array): RtpPacket | null {
  if (bytes.length < HEADER_BYTES || bytes.length > PACKET_MAX_BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const first = view.getUint8(0);
  if (first >> 6 !== 2) return null;
  let start = HEADER_BYTES + (first & 0x0f) * 4;
  if ((first & 0x10) !== 0) {
    if (start + 4 > bytes.length) return null;
    start += 4 + view.getUint16(start + 2) * 4;
  }
  // The last byte of a padded packet counts itself (RFC 3550 section 5.1, "P").
  const padding = (first & 0x20) === 0 ? 0 : view.getUint8(bytes.length - 1);
  if ((first & 0x20) !== 0 && padding === 0) return null;
  const end = bytes.length - padding;
  if (start > end) return null;
  const second = view.getUint8(1);
  return {
    payloadType: second & 0x7f,
    marker: (second & 0x80) !== 0,
    sequence: view.getUint16(2),
    timestamp: view.getUint32(4),
    ssrc: view.getUint32(8),
    payload: bytes.subarray(start, end),
  };
}

/** Writes an RTP packet without padding, extension or CSRCs. */
export function buildRtp(packet: RtpPacket): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + packet.payload.length);
  bytes.writeUInt8(0x80, 0);
  bytes.writeUInt8((packet.marker ? 0x80 : 0) | packet.payloadType, 1);
  bytes.writeUInt16BE(packet.sequence & 0xffff, 2);
  bytes.writeUInt32BE(packet.timestamp >>> 0, 4);
  bytes.writeUInt32BE(packet.ssrc >>> 0, 8);
  bytes.set(packet.payload, HEADER_BYTES);
  return bytes;
}

/** True for RTCP on a shared port: types 64 to 95 never carry media (RFC 5761 section 4). */
export function isRtcp(bytes: Uint8Array): boolean {
  const second = bytes[1];
  if (bytes.length < 8 || second === undefined) return false;
  return (bytes[0] ?? 0) >> 6 === 2 && second >= 192 && second <= 223;
}

/** How far `to` is ahead of `from` in 16-bit sequence arithmetic: -32768 to 32767. */
export function sequenceAhead(from: number, to: number): number {
  return ((to - from) << 16) >> 16;
}

/** How far `to` is ahead of `from` in 32-bit timestamp arithmetic: -2^31 to 2^31-1. */
export function timestampAhead(from: number, to: number): number {
  return (to - from) | 0;
}
