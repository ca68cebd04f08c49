import { oggChecksum } from './ogg-opus.ts';
import { FRAME_SAMPLES } from './prompts.ts';

const PAGE_PACKETS = 50;
const SERIAL = 1;
const FIRST = 2;
const LAST = 4;

/** Frames of 20 ms as one Ogg Opus file (RFC 7845), which every browser plays. */
export function oggOpusFile(frames: readonly Uint8Array[]): Buffer {
  const pages = [
    page([head()], { number: 0, flags: FIRST, granule: 0 }),
    page([tags()], { number: 1, flags: 0, granule: 0 }),
  ];
  for (let at = 0; at < frames.length; at += PAGE_PACKETS) {
    const packets = frames.slice(at, at + PAGE_PACKETS);
    const end = at + packets.length;
    const flags = end >= frames.length ? LAST : 0;
    pages.push(page(packets, { number: pages.length, flags, granule: end * FRAME_SAMPLES }));
  }
  return Buffer.concat(pages);
}

function head(): Buffer {
  const bytes = Buffer.alloc(19);
  bytes.write('OpusHead', 0);
  bytes.writeUInt8(1, 8);
  bytes.writeUInt8(1, 9);
  bytes.writeUInt32LE(48_000, 12);
  return bytes;
}

function tags(): Buffer {
  const vendor = Buffer.from('askfirst');
  const bytes = Buffer.alloc(16);
  bytes.write('OpusTags', 0);
  bytes.writeUInt32LE(vendor.length, 8);
  return Buffer.concat([bytes.subarray(0, 12), vendor, Buffer.alloc(4)]);
}

type PageFacts = { number: number; flags: number; granule: number };

function page(packets: readonly Uint8Array[], { number, flags, granule }: PageFacts): Buffer {
  const lacing = packets.flatMap((packet) => [
    ...Array.from({ length: Math.floor(packet.length / 255) }, () => 255),
    packet.length % 255,
  ]);
  const start = Buffer.alloc(27);
  start.write('OggS', 0);
  start.writeUInt8(flags, 5);
  start.writeBigUInt64LE(BigInt(granule), 6);
  start.writeUInt32LE(SERIAL, 14);
  start.writeUInt32LE(number, 18);
  start.writeUInt8(lacing.length, 26);
  const bytes = Buffer.concat([start, Buffer.from(lacing), ...packets]);
  bytes.writeUInt32LE(oggChecksum(bytes), 22);
  return bytes;
}
