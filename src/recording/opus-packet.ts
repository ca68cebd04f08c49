/**
 * The outside of an Opus packet (RFC 6716 section 3): how long it sounds, and how two mono
 * packets become one packet of a stream with two channels, without decoding either.
 */
export type OpusFrames = {
  /** Samples at 48 kHz. */
  samples: number;
  /** The packet with its lengths written out; null for the rare form that is not rewritten. */
  selfDelimited: Uint8Array | null;
};

/** Samples of one frame at 48 kHz, by the configuration number in the first byte (table 2). */
function frameSamples(toc: number): number {
  const config = toc >> 3;
  if (config < 12) return [480, 960, 1920, 2880][config & 3] ?? 960;
  if (config < 16) return [480, 960][config & 1] ?? 960;
  return [120, 240, 480, 960][config & 3] ?? 960;
}

/** Null where the bytes are not an Opus packet. */
export function opusFrames(packet: Uint8Array): OpusFrames | null {
  const toc = packet[0];
  if (toc === undefined) return null;
  const each = frameSamples(toc);
  const body = packet.subarray(1);
  switch (toc & 3) {
    case 0:
      return { samples: each, selfDelimited: joined([toc], lengthOf(body.length), body) };
    case 1:
      // Two frames of one size, which is written once (appendix B).
      if (body.length % 2 !== 0) return null;
      return { samples: each * 2, selfDelimited: joined([toc], lengthOf(body.length / 2), body) };
    case 2:
      return { samples: each * 2, selfDelimited: twoFrames(toc, body) };
    default: {
      const count = (packet[1] ?? 0) & 0x3f;
      const isLegal = count > 0 && count * each <= 5760;
      return isLegal ? { samples: count * each, selfDelimited: null } : null;
    }
  }
}

/** Two frames of their own sizes: the first size is there already, the second is put behind it. */
function twoFrames(toc: number, body: Uint8Array): Uint8Array | null {
  const short = body[0] ?? 0;
  const isLong = short >= 252;
  const first = isLong ? (body[1] ?? 0) * 4 + short : short;
  const lengthBytes = isLong ? 2 : 1;
  const second = body.length - lengthBytes - first;
  if (second < 0) return null;
  const rest = body.subarray(lengthBytes);
  return joined([toc, ...body.subarray(0, lengthBytes)], lengthOf(second), rest);
}

/** RFC 6716 section 3.2.1: one byte up to 251, else two. */
function lengthOf(length: number): number[] {
  return length < 252 ? [length] : [252 + (length & 3), (length - (252 + (length & 3))) >> 2];
}

function joined(head: readonly number[], length: readonly number[], body: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.from([...head, ...length]), body]);
}
