import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  timingSafeEqual,
  type CipherGCM,
} from 'node:crypto';

/**
 * SRTP and SRTCP for one direction of one leg (RFC 3711, RFC 7714), keyed by SDES (RFC 4568). A
 * packet that is not authentic, or was taken before, is `null` and changes nothing: no state moves
 * before the tag has been checked. Several senders may share a master key; each SSRC has its own
 * roll-over counter and replay window, and strangers' SSRCs cannot grow the table without a key.
 */
export const SRTP_SUITES = {
  AES_CM_128_HMAC_SHA1_80: { saltBytes: 14, tagBytes: 10 },
  AEAD_AES_128_GCM: { saltBytes: 12, tagBytes: 16 },
} as const;
export type SrtpSuite = keyof typeof SRTP_SUITES;

/** `key` is the master key (16 bytes) with the master salt behind it. */
export type SrtpKey = { suite: SrtpSuite; key: Uint8Array };

const KEY_BYTES = 16;
/** Master key and salt of a suite, as `inline:` carries them. */
export function srtpKeyBytes(suite: SrtpSuite): number {
  return KEY_BYTES + SRTP_SUITES[suite].saltBytes;
}

/** RFC 3711 section 3.3.2 asks for 64 at least. */
const REPLAY_WINDOW = 128n;
const WINDOW_MASK = (1n << REPLAY_WINDOW) - 1n;
const SOURCES_MAX = 16;
const RTP_HEADER_BYTES = 12;
const RTCP_HEADER_BYTES = 8;
const INDEX_BYTES = 4;
/** An index of SRTCP has 31 bits; the 32nd says that the packet is encrypted. */
const ENCRYPTED_FLAG = 0x8000_0000;

type Keys = { key: Buffer; salt: Buffer; auth: Buffer };
type Source = { newest: number; window: bigint };

/** Labels of the key derivation (RFC 3711 section 4.3.2). */
const LABELS = { rtp: { key: 0, auth: 1, salt: 2 }, rtcp: { key: 3, auth: 4, salt: 5 } };

export class SrtpContext {
  readonly #suite: SrtpSuite;
  readonly #rtp: Keys;
  readonly #rtcp: Keys;
  readonly #sources = new Map<number, Source>();
  readonly #reports = new Map<number, Source>();

  constructor({ suite, key }: SrtpKey) {
    this.#suite = suite;
    this.#rtp = sessionKeys(suite, key, LABELS.rtp);
    this.#rtcp = sessionKeys(suite, key, LABELS.rtcp);
  }

  /** An RTP packet of ours, encrypted and signed. Sequence numbers must go up. */
  protect(packet: Buffer): Buffer {
    const ssrc = packet.readUInt32BE(8);
    const index = this.#noteSent(ssrc, packet.readUInt16BE(2));
    return this.#sealRtp(packet, rtpHeaderBytes(packet) ?? RTP_HEADER_BYTES, ssrc, index);
  }

  /** The RTP packet inside, or `null`. */
  unprotect(bytes: Uint8Array): Buffer | null {
    const packet = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const header = rtpHeaderBytes(packet);
    if (header === null || packet.length < header + SRTP_SUITES[this.#suite].tagBytes) return null;
    const ssrc = packet.readUInt32BE(8);
    const source = this.#sources.get(ssrc);
    const index = guessIndex(source, packet.readUInt16BE(2));
    if (index < 0 || isReplay(source, index)) return null;
    const plain = this.#openRtp(packet, header, ssrc, index);
    if (plain === null || !remember(this.#sources, ssrc, index)) return null;
    return plain;
  }

  /** A compound RTCP packet of ours, encrypted and signed. */
  protectReport(packet: Buffer): Buffer {
    const ssrc = packet.readUInt32BE(4);
    const index = ((this.#reports.get(ssrc)?.newest ?? 0) + 1) % ENCRYPTED_FLAG;
    remember(this.#reports, ssrc, index);
    const trailer = Buffer.alloc(INDEX_BYTES);
    trailer.writeUInt32BE((ENCRYPTED_FLAG + index) >>> 0);
    const header = packet.subarray(0, RTCP_HEADER_BYTES);
    const body = packet.subarray(RTCP_HEADER_BYTES);
    if (this.#suite === 'AEAD_AES_128_GCM') {
      const cipher = gcm(this.#rtcp, gcmNonce(this.#rtcp, ssrc, index));
      cipher.setAAD(Buffer.concat([header, trailer]));
      return Buffer.concat([
        header,
        cipher.update(body),
        cipher.final(),
        cipher.getAuthTag(),
        trailer,
      ]);
    }
    const sealed = Buffer.concat([header, ctr(this.#rtcp, ssrc, index, body), trailer]);
    return Buffer.concat([sealed, this.#tag(this.#rtcp, sealed)]);
  }

  /** The RTCP packet inside, or `null`. */
  unprotectReport(bytes: Uint8Array): Buffer | null {
    const packet = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const { tagBytes } = SRTP_SUITES[this.#suite];
    if (packet.length < RTCP_HEADER_BYTES + INDEX_BYTES + tagBytes) return null;
    const isGcm = this.#suite === 'AEAD_AES_128_GCM';
    // GCM has its tag before the index (RFC 7714 section 9.1), the other suite behind it.
    const indexAt = packet.length - INDEX_BYTES - (isGcm ? 0 : tagBytes);
    const word = packet.readUInt32BE(indexAt);
    const index = word % ENCRYPTED_FLAG;
    const ssrc = packet.readUInt32BE(4);
    if (word < ENCRYPTED_FLAG || isReplay(this.#reports.get(ssrc), index)) return null;
    const header = packet.subarray(0, RTCP_HEADER_BYTES);
    const plain = isGcm
      ? openGcm(
          this.#rtcp,
          gcmNonce(this.#rtcp, ssrc, index),
          Buffer.concat([header, packet.subarray(indexAt)]),
          packet.subarray(RTCP_HEADER_BYTES, indexAt),
        )
      : this.#openReport(packet, indexAt, ssrc, index);
    if (plain === null || !remember(this.#reports, ssrc, index)) return null;
    return Buffer.concat([header, plain]);
  }

  #openReport(packet: Buffer, indexAt: number, ssrc: number, index: number): Buffer | null {
    const end = indexAt + INDEX_BYTES;
    const tag = this.#tag(this.#rtcp, packet.subarray(0, end));
    if (!timingSafeEqual(tag, packet.subarray(end))) return null;
    return ctr(this.#rtcp, ssrc, index, packet.subarray(RTCP_HEADER_BYTES, indexAt));
  }

  #noteSent(ssrc: number, sequence: number): number {
    const index = guessIndex(this.#sources.get(ssrc), sequence);
    remember(this.#sources, ssrc, index);
    return index;
  }

  #sealRtp(packet: Buffer, headerBytes: number, ssrc: number, index: number): Buffer {
    const header = packet.subarray(0, headerBytes);
    const body = packet.subarray(headerBytes);
    if (this.#suite === 'AEAD_AES_128_GCM') {
      const cipher = gcm(this.#rtp, gcmNonce(this.#rtp, ssrc, index));
      cipher.setAAD(header);
      return Buffer.concat([header, cipher.update(body), cipher.final(), cipher.getAuthTag()]);
    }
    const sealed = Buffer.concat([header, ctr(this.#rtp, ssrc, index, body)]);
    return Buffer.concat([sealed, this.#tag(this.#rtp, sealed, rollOver(index))]);
  }

  #openRtp(packet: Buffer, headerBytes: number, ssrc: number, index: number): Buffer | null {
    const header = packet.subarray(0, headerBytes);
    if (this.#suite === 'AEAD_AES_128_GCM') {
      const nonce = gcmNonce(this.#rtp, ssrc, index);
      const body = openGcm(this.#rtp, nonce, header, packet.subarray(headerBytes));
      return body === null ? null : Buffer.concat([header, body]);
    }
    const end = packet.length - SRTP_SUITES[this.#suite].tagBytes;
    const tag = this.#tag(this.#rtp, packet.subarray(0, end), rollOver(index));
    if (!timingSafeEqual(tag, packet.subarray(end))) return null;
    const body = ctr(this.#rtp, ssrc, index, packet.subarray(headerBytes, end));
    return Buffer.concat([header, body]);
  }

  #tag(keys: Keys, signed: Buffer, more: Buffer = Buffer.alloc(0)): Buffer {
    const digest = createHmac('sha1', keys.auth).update(signed).update(more).digest();
    return digest.subarray(0, SRTP_SUITES[this.#suite].tagBytes);
  }
}

/** RFC 3711 section 4.3.1 with a derivation rate of zero; RFC 7714 section 11 uses it too. */
function sessionKeys(suite: SrtpSuite, master: Uint8Array, labels: typeof LABELS.rtp): Keys {
  const { saltBytes } = SRTP_SUITES[suite];
  const key = master.subarray(0, KEY_BYTES);
  const salt = master.subarray(KEY_BYTES);
  const derive = (label: number, bytes: number): Buffer => {
    const block = Buffer.alloc(16);
    block.set(salt);
    block.writeUInt8(block.readUInt8(7) ^ label, 7);
    const cipher = createCipheriv('aes-128-ctr', key, block);
    return cipher.update(Buffer.alloc(bytes));
  };
  return {
    key: derive(labels.key, KEY_BYTES),
    auth: derive(labels.auth, 20),
    salt: derive(labels.salt, saltBytes),
  };
}

/** AES in counter mode over one packet (RFC 3711 section 4.1.1); it is its own inverse. */
function ctr(keys: Keys, ssrc: number, index: number, body: Buffer): Buffer {
  const counter = Buffer.alloc(16);
  keys.salt.copy(counter);
  counter.writeUInt32BE((counter.readUInt32BE(4) ^ ssrc) >>> 0, 4);
  xorIndex(counter, index, 8);
  return createCipheriv('aes-128-ctr', keys.key, counter).update(body);
}

/** RFC 7714 sections 8.1 and 9.1. */
function gcmNonce(keys: Keys, ssrc: number, index: number): Buffer {
  const nonce = Buffer.from(keys.salt);
  nonce.writeUInt32BE((nonce.readUInt32BE(2) ^ ssrc) >>> 0, 2);
  xorIndex(nonce, index, 6);
  return nonce;
}

/** Mixes the 48-bit packet index in. */
function xorIndex(block: Buffer, index: number, at: number): void {
  const high = Math.floor(index / 2 ** 32);
  block.writeUInt16BE(block.readUInt16BE(at) ^ high, at);
  block.writeUInt32BE((block.readUInt32BE(at + 2) ^ (index % 2 ** 32)) >>> 0, at + 2);
}

function gcm(keys: Keys, nonce: Buffer): CipherGCM {
  return createCipheriv('aes-128-gcm', keys.key, nonce);
}

/** `sealed` ends with its tag. Null when it is not authentic. */
function openGcm(keys: Keys, nonce: Buffer, header: Buffer, sealed: Buffer): Buffer | null {
  const { tagBytes } = SRTP_SUITES.AEAD_AES_128_GCM;
  const decipher = createDecipheriv('aes-128-gcm', keys.key, nonce);
  decipher.setAAD(header);
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
  const body = decipher.update(sealed.subarray(0, sealed.length - tagBytes));
  try {
    decipher.final();
    return body;
  } catch {
    return null;
  }
}

/** Header, CSRCs and extension: what SRTP leaves in the clear. Null when it is no RTP packet. */
function rtpHeaderBytes(packet: Buffer): number | null {
  if (packet.length < RTP_HEADER_BYTES || packet.readUInt8(0) >> 6 !== 2) return null;
  const first = packet.readUInt8(0);
  const bytes = RTP_HEADER_BYTES + (first & 0x0f) * 4;
  if ((first & 0x10) === 0) return bytes <= packet.length ? bytes : null;
  if (bytes + 4 > packet.length) return null;
  const extended = bytes + 4 + packet.readUInt16BE(bytes + 2) * 4;
  return extended <= packet.length ? extended : null;
}

/** The 48-bit index nearest to the newest one (RFC 3711 section 3.3.1); negative is before time. */
function guessIndex(source: Source | undefined, sequence: number): number {
  if (source === undefined) return sequence;
  const newestSequence = source.newest % 0x1_0000;
  return source.newest + (((sequence - newestSequence) << 16) >> 16);
}

function rollOver(index: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(Math.floor(index / 0x1_0000) >>> 0);
  return bytes;
}

function isReplay(source: Source | undefined, index: number): boolean {
  if (source === undefined || index > source.newest) return false;
  const age = BigInt(source.newest - index);
  return age >= REPLAY_WINDOW || ((source.window >> age) & 1n) === 1n;
}

/** Notes an authentic packet; false when there are more senders than any call has. */
function remember(sources: Map<number, Source>, ssrc: number, index: number): boolean {
  const known = sources.get(ssrc);
  if (known === undefined) {
    if (sources.size >= SOURCES_MAX) return false;
    sources.set(ssrc, { newest: index, window: 1n });
    return true;
  }
  if (index > known.newest) {
    const by = BigInt(index - known.newest);
    known.window = by >= REPLAY_WINDOW ? 1n : ((known.window << by) | 1n) & WINDOW_MASK;
    known.newest = index;
  } else {
    known.window |= 1n << BigInt(known.newest - index);
  }
  return true;
}
