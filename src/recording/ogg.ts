import { PARTIES } from './recording.ts';

/**
 * Ogg Opus (RFC 7845) with two channels made of two mono streams, which channel mapping family 1
 * allows: the packets of a call go in as they came, so nothing is lost by coding a second time
 * and an hour costs next to nothing.
 */
const OPUS_RATE = 48_000;
const PAGE_PACKETS = 50;
/** What the one length byte of a page's lacing can count. */
const PAGE_LACINGS = 255;
/** What a decoder drops at the start (section 4.2): the usual delay of an encoder. */
const PRE_SKIP = 312;
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24;
  for (let bit = 0; bit < 8; bit += 1) {
    value = (value & 0x8000_0000) === 0 ? value << 1 : (value << 1) ^ 0x04c1_1db7;
  }
  return value >>> 0;
});

export class OggOpusWriter {
  readonly #serial: number;
  #page = 0;
  #samples = 0;
  #packets: Uint8Array[] = [];
  #lacings = 0;

  /** `serial` tells logical streams apart where files are joined. */
  constructor(serial: number) {
    this.#serial = serial;
  }

  /** The two pages before all sound. */
  head(): Buffer {
    return Buffer.concat([
      this.#pageOf([opusHead()], { first: true, last: false, granule: 0 }),
      this.#pageOf([opusTags()], { first: false, last: false, granule: 0 }),
    ]);
  }

  /** A packet with `samples` of sound at 48 kHz; returns a page when one is full. */
  add(packet: Uint8Array, samples: number): Buffer | null {
    const lacings = Math.floor(packet.length / 255) + 1;
    const isFull = this.#packets.length >= PAGE_PACKETS || this.#lacings + lacings > PAGE_LACINGS;
    const page = isFull ? this.#flush(false) : null;
    this.#packets.push(packet);
    this.#lacings += lacings;
    this.#samples += samples;
    return page;
  }

  end(): Buffer {
    return this.#flush(true);
  }

  #flush(last: boolean): Buffer {
    const packets = this.#packets;
    this.#packets = [];
    this.#lacings = 0;
    return this.#pageOf(packets, { first: false, last, granule: this.#samples });
  }

  /** RFC 3533 section 6. All packets end on the page they begin on. */
  #pageOf(
    packets: readonly Uint8Array[],
    { first, last, granule }: { first: boolean; last: boolean; granule: number },
  ): Buffer {
    const lacing = packets.flatMap(({ length }) => [
      ...Array.from({ length: Math.floor(length / 255) }, () => 255),
      length % 255,
    ]);
    const head = Buffer.alloc(27);
    head.write('OggS', 0, 'latin1');
    head.writeUInt8((first ? 2 : 0) | (last ? 4 : 0), 5);
    head.writeBigUInt64LE(BigInt(granule), 6);
    head.writeUInt32LE(this.#serial >>> 0, 14);
    head.writeUInt32LE(this.#page, 18);
    head.writeUInt8(lacing.length, 26);
    this.#page += 1;
    const page = Buffer.concat([head, Uint8Array.from(lacing), ...packets]);
    page.writeUInt32LE(crcOf(page), 22);
    return page;
  }
}

function opusHead(): Buffer {
  const head = Buffer.alloc(21 + PARTIES.length);
  head.write('OpusHead', 0, 'latin1');
  head.writeUInt8(1, 8);
  head.writeUInt8(PARTIES.length, 9);
  head.writeUInt16LE(PRE_SKIP, 10);
  head.writeUInt32LE(OPUS_RATE, 12);
  // Gain 0, mapping family 1, two streams of which none is coupled: left is the first.
  head.writeUInt8(1, 18);
  head.writeUInt8(PARTIES.length, 19);
  head.writeUInt8(0, 20);
  PARTIES.forEach((_, channel) => head.writeUInt8(channel, 21 + channel));
  return head;
}

function opusTags(): Buffer {
  const vendor = Buffer.from('askfirst');
  const tags = PARTIES.map((party, channel) => Buffer.from(`CHANNEL_${channel}=${party}`));
  const parts = [Buffer.from('OpusTags'), length(vendor), vendor, u32(tags.length)];
  return Buffer.concat([...parts, ...tags.flatMap((tag) => [length(tag), tag])]);
}

function length(bytes: Uint8Array): Buffer {
  return u32(bytes.length);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function crcOf(page: Uint8Array): number {
  let crc = 0;
  for (const byte of page) crc = ((crc << 8) ^ (CRC_TABLE[(crc >>> 24) ^ byte] ?? 0)) >>> 0;
  return crc;
}
