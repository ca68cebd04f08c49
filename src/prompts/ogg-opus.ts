import { PROMPT_LIMITS, SOUND_RATE, unusablePrompt } from './prompts.ts';

/** Packets of one Opus stream, and how many samples at its start are only for the decoder. */
export type OpusStream = { packets: Uint8Array[]; preSkip: number; channels: number };

const PACKET_BYTES_MAX = 61_440;
/** Two and a half milliseconds each, the shortest that Opus has, with room. */
const PACKETS_MAX = (PROMPT_LIMITS.durationMs / 2.5) * 1.1;
const FIRST = 2;
const CONTINUED = 1;

type Page = { flags: number; serial: number; lacing: Uint8Array; body: Uint8Array; end: number };

/**
 * Takes the packets out of an Ogg Opus file (RFC 3533, RFC 7845) from strangers: one stream, every
 * length and every checksum checked. What the packets hold is the decoder's to judge. Throws
 * `Failure` `prompt_unusable`.
 */
export function readOggOpus(file: Uint8Array): OpusStream {
  const packets: Uint8Array[] = [];
  let open: Uint8Array[] = [];
  let serial: number | null = null;
  for (let at = 0; at < file.length;) {
    const page = readPage(file, at);
    if (serial === null && (page.flags & FIRST) === 0) throw unusablePrompt('its start is missing');
    serial ??= page.serial;
    if (page.serial !== serial) throw unusablePrompt('it holds more than one stream');
    if ((page.flags & CONTINUED) === 0 && open.length > 0)
      throw unusablePrompt('a page is missing');
    let start = 0;
    for (const lace of page.lacing) {
      open.push(page.body.subarray(start, start + lace));
      start += lace;
      if (lace === 255) continue;
      packets.push(Buffer.concat(open));
      open = [];
    }
    if (open.length * 255 > PACKET_BYTES_MAX || packets.length > PACKETS_MAX + 2) {
      throw unusablePrompt('it is longer than 3 minutes');
    }
    at = page.end;
  }
  const [head, tags, ...sound] = packets;
  if (head === undefined || tags === undefined || sound.length === 0) {
    throw unusablePrompt('it holds no sound');
  }
  if (Buffer.from(tags.subarray(0, 8)).toString('latin1') !== 'OpusTags') {
    throw unusablePrompt('its tags are missing');
  }
  return { ...readHead(head), packets: sound };
}

/** RFC 7845 section 5.1. Mapping families beyond 0 are surround sound, which nobody can hear. */
function readHead(head: Uint8Array): { preSkip: number; channels: number } {
  const isHead = Buffer.from(head.subarray(0, 8)).toString('latin1') === 'OpusHead';
  if (!isHead || head.length < 19) throw unusablePrompt('it is no Opus');
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const channels = view.getUint8(9);
  if (view.getUint8(8) >> 4 !== 0) throw unusablePrompt('its version is not known');
  if (channels !== 1 && channels !== 2) throw unusablePrompt(`it has ${channels} channels`);
  if (view.getUint8(18) !== 0) throw unusablePrompt('its channels are mapped');
  const preSkip = view.getUint16(10, true);
  if (preSkip > SOUND_RATE) throw unusablePrompt('its start is longer than a second');
  return { preSkip, channels };
}

/** RFC 3533 section 6. */
function readPage(file: Uint8Array, at: number): Page {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const isPage =
    at + 27 <= file.length && view.getUint32(at) === 0x4f67_6753 && view.getUint8(at + 4) === 0;
  if (!isPage) throw unusablePrompt(at === 0 ? 'it is no Ogg file' : 'it is damaged');
  const laces = view.getUint8(at + 26);
  const lacing = file.subarray(at + 27, at + 27 + laces);
  const bodyAt = at + 27 + laces;
  const length = lacing.reduce((sum, lace) => sum + lace, 0);
  const end = bodyAt + length;
  if (lacing.length < laces || end > file.length) throw unusablePrompt('it is cut off');
  if (oggChecksum(file.subarray(at, end)) !== view.getUint32(at + 22, true)) {
    throw unusablePrompt('a checksum in it is wrong');
  }
  const serial = view.getUint32(at + 14, true);
  return { flags: view.getUint8(at + 5), serial, lacing, body: file.subarray(bodyAt, end), end };
}

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24;
  for (let bit = 0; bit < 8; bit += 1) value = (value << 1) ^ (value < 0 ? 0x04c1_1db7 : 0);
  return value >>> 0;
});

/** Over the whole page, with its own four bytes as zero. */
export function oggChecksum(page: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < page.length; at += 1) {
    const byte = at >= 22 && at < 26 ? 0 : (page[at] ?? 0);
    sum = ((sum << 8) ^ (CRC[((sum >>> 24) ^ byte) & 0xff] ?? 0)) >>> 0;
  }
  return sum;
}
