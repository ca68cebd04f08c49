import type { Pcm } from './prompts.ts';

/** Sound files for tests, made here so that none has to be kept. */
export function toneAt(hz: number, rate: number, seconds: number): Int16Array {
  return Int16Array.from({ length: Math.round(rate * seconds) }, (_, at) =>
    Math.round(8_000 * Math.sin((2 * Math.PI * hz * at) / rate)),
  );
}

export function wavOf(pcm: Pcm, more: { channels?: number; bits?: number } = {}): Buffer {
  const { channels = 1, bits = 16 } = more;
  const bytes = bits / 8;
  const data = Buffer.alloc(pcm.samples.length * bytes * channels);
  pcm.samples.forEach((sample, index) => {
    for (let channel = 0; channel < channels; channel += 1) {
      const at = (index * channels + channel) * bytes;
      if (bits === 8) data.writeUInt8((sample >> 8) + 128, at);
      else data.writeInt16LE(sample, at + bytes - 2);
    }
  });
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + data.length, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(channels, 22);
  head.writeUInt32LE(pcm.rate, 24);
  head.writeUInt32LE(pcm.rate * channels * bytes, 28);
  head.writeUInt16LE(channels * bytes, 32);
  head.writeUInt16LE(bits, 34);
  head.write('data', 36);
  head.writeUInt32LE(data.length, 40);
  return Buffer.concat([head, data]);
}

type OggChanges = { channels?: number; family?: number; serial?: number };

/** An Ogg Opus file of these packets, each on a page of its own. */
export function oggOf(packets: readonly Uint8Array[], changes: OggChanges = {}): Buffer {
  const { channels = 1, family = 0, serial = 7 } = changes;
  const head = Buffer.alloc(19);
  head.write('OpusHead', 0);
  head.writeUInt8(1, 8);
  head.writeUInt8(channels, 9);
  head.writeUInt16LE(312, 10);
  head.writeUInt32LE(48_000, 12);
  head.writeUInt8(family, 18);
  const tags = Buffer.concat([Buffer.from('OpusTags'), Buffer.alloc(8)]);
  const all = [head, tags, ...packets];
  return Buffer.concat(all.map((packet, number) => pageOf(packet, number, serial)));
}

function pageOf(packet: Uint8Array, number: number, serial: number): Buffer {
  const whole = Math.floor(packet.length / 255);
  const lacing = Buffer.from([...Array.from({ length: whole }, () => 255), packet.length % 255]);
  const head = Buffer.alloc(27);
  head.write('OggS', 0);
  head.writeUInt8(number === 0 ? 2 : 0, 5);
  head.writeUInt32LE(serial, 14);
  head.writeUInt32LE(number, 18);
  head.writeUInt8(lacing.length, 26);
  const page = Buffer.concat([head, lacing, packet]);
  page.writeUInt32LE(crcBitByBit(page), 22);
  return page;
}

/** The checksum as RFC 3533 says it, bit by bit: slow, and not the reader's own. */
function crcBitByBit(page: Uint8Array): number {
  let register = 0n;
  for (const byte of page) {
    for (let bit = 7; bit >= 0; bit -= 1) {
      const top = (register >> 31n) & 1n;
      register = (register << 1n) & 0xffff_ffffn;
      const carried = top ^ BigInt((byte >> bit) & 1);
      if (carried === 1n) register ^= 0x04c1_1db7n;
    }
  }
  return Number(register);
}
