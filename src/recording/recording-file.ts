import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import type { RecordedCodec, RecordedItem, RecordedParty } from './recording.ts';

/**
 * The file of a recording: a head that names it, then chunks. Each chunk is sealed by AES-256-GCM
 * under the recording's own key; its number is the nonce and may never be used twice, which holds
 * because a file is made once and only added to. Number, last mark and head are authenticated, so
 * chunks that are swapped, missing, cut off or of another file are found out.
 *
 * ```
 * head   'AFREC' 0x01, id length u8, id
 * chunk  sealed length u32, number u32, last u8, sealed bytes (text and 16-byte tag)
 * text   items: kind u8, party and codec u8, at ms u32, timestamp u32, payload length u16, payload
 * ```
 */
const MAGIC = Buffer.from('AFREC\x01', 'latin1');
export const CHUNK_HEAD_BYTES = 9;
const TAG_BYTES = 16;
const ITEM_HEAD_BYTES = 12;
/** Ours are below 64 kB; a longer one is damage, not sound. */
export const CHUNK_BYTES_MAX = 256 * 1024;
export const PAYLOAD_BYTES_MAX = 1500;

const CODECS: readonly RecordedCodec[] = ['opus', 'PCMU', 'PCMA'];
const KINDS: readonly RecordedItem['kind'][] = ['frame', 'paused', 'resumed', 'stopped'];

export type ChunkPlace = { head: Buffer; number: number; isLast: boolean };

export function fileHead(recordingId: string): Buffer {
  const id = Buffer.from(recordingId, 'latin1');
  return Buffer.concat([MAGIC, Buffer.of(id.length), id]);
}

/** The head at the start of these bytes; null where they are not a recording of that id. */
export function readHead(bytes: Buffer, recordingId: string): Buffer | null {
  const head = fileHead(recordingId);
  return bytes.subarray(0, head.length).equals(head) ? head : null;
}

/** The chunk as it goes to the disk. */
export function sealChunk(key: KeyObject, place: ChunkPlace, text: Buffer): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonceOf(place.number));
  cipher.setAAD(authenticated(place));
  const sealed = [cipher.update(text), cipher.final()];
  const length = text.length + TAG_BYTES;
  return Buffer.concat([chunkHead(place, length), ...sealed, cipher.getAuthTag()]);
}

/** What a chunk holds; null where it was altered, moved, or sealed under another key. */
export function openChunk(key: KeyObject, place: ChunkPlace, sealed: Buffer): Buffer | null {
  if (sealed.length < TAG_BYTES) return null;
  const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(place.number), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(authenticated(place));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  try {
    const text = decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES));
    return Buffer.concat([text, decipher.final()]);
  } catch {
    return null;
  }
}

export function writeItem(item: RecordedItem): Buffer {
  const payload = item.kind === 'frame' ? item.payload : new Uint8Array(0);
  const bytes = Buffer.alloc(ITEM_HEAD_BYTES + payload.length);
  bytes.writeUInt8(KINDS.indexOf(item.kind), 0);
  bytes.writeUInt32BE(item.atMs, 2);
  if (item.kind === 'frame') {
    const party = item.party === 'customer' ? 0 : 1;
    bytes.writeUInt8((party << 4) | CODECS.indexOf(item.codec), 1);
    bytes.writeUInt32BE(item.timestamp, 6);
  }
  bytes.writeUInt16BE(payload.length, 10);
  bytes.set(payload, ITEM_HEAD_BYTES);
  return bytes;
}

/** The items of an opened chunk. Stops at what it does not know: the seal makes that a bug. */
export function readItems(text: Buffer): RecordedItem[] {
  const items: RecordedItem[] = [];
  for (let at = 0; at + ITEM_HEAD_BYTES <= text.length;) {
    const length = text.readUInt16BE(at + 10);
    const end = at + ITEM_HEAD_BYTES + length;
    const kind = KINDS[text.readUInt8(at)];
    const about = text.readUInt8(at + 1);
    const codec = CODECS[about & 0x0f];
    if (kind === undefined || codec === undefined || end > text.length) break;
    const atMs = text.readUInt32BE(at + 2);
    if (kind === 'frame') {
      const party: RecordedParty = about >> 4 === 0 ? 'customer' : 'endpoint';
      const timestamp = text.readUInt32BE(at + 6);
      const payload = text.subarray(at + ITEM_HEAD_BYTES, end);
      items.push({ kind, party, codec, atMs, timestamp, payload });
    } else {
      items.push({ kind, atMs });
    }
    at = end;
  }
  return items;
}

function chunkHead({ number, isLast }: ChunkPlace, length: number): Buffer {
  const bytes = Buffer.alloc(CHUNK_HEAD_BYTES);
  bytes.writeUInt32BE(length, 0);
  bytes.writeUInt32BE(number, 4);
  bytes.writeUInt8(isLast ? 1 : 0, 8);
  return bytes;
}

function nonceOf(number: number): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(number, 8);
  return nonce;
}

function authenticated({ head, number, isLast }: ChunkPlace): Buffer {
  const tail = Buffer.alloc(5);
  tail.writeUInt32BE(number, 0);
  tail.writeUInt8(isLast ? 1 : 0, 4);
  return Buffer.concat([head, tail]);
}
