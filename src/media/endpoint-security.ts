import type { Random } from '../platform/random.ts';
import { isRtcp } from './rtp.ts';
import { SRTP_SUITES, SrtpContext, srtpKeyBytes, type SrtpKey, type SrtpSuite } from './srtp.ts';

/** One `a=crypto` line (RFC 4568 section 9.1). */
export type OfferedKey = SrtpKey & { tag: number };

/**
 * Reads the value of an `a=crypto` line; `null` where we do not know the suite, the key has the
 * wrong length, or a session parameter asks for something that we do not do (RFC 4568 section
 * 6.3: an unknown mandatory one makes the line unusable).
 */
export function parseCrypto(value: string): OfferedKey | null {
  const match = /^(\d{1,9}) ([A-Z0-9_]+) inline:([A-Za-z0-9+/=]+)((?:\|[^ ]*)?)((?: .*)?)$/.exec(
    value,
  );
  const [, tag = '', name = '', encoded = '', options = '', parameters = ''] = match ?? [];
  if (!Object.hasOwn(SRTP_SUITES, name)) return null;
  const suite = name as SrtpSuite;
  const key = Buffer.from(encoded, 'base64');
  // A master key index would put more bytes behind each packet (`|1:4`); a lifetime does not.
  if (options.includes(':')) return null;
  if (
    parameters
      .trim()
      .split(' ')
      .some((one) => one !== '' && !one.startsWith('-'))
  )
    return null;
  return key.length === srtpKeyBytes(suite) ? { tag: Number(tag), suite, key } : null;
}

export function formatCrypto({ tag, suite, key }: OfferedKey): string {
  return `a=crypto:${tag} ${suite} inline:${Buffer.from(key).toString('base64')}`;
}

/** GCM first: it is twice as fast here, and both ends must know it to choose it. */
const OUR_SUITES = ['AEAD_AES_128_GCM', 'AES_CM_128_HMAC_SHA1_80'] as const;

/**
 * SRTP keyed in the SDP (SDES), toward an endpoint or a number that Meta has set so. It is as
 * secret as the signalling that carries it: worth something over TLS only. Once agreed there is no
 * way back to plain RTP within the call.
 */
export class EndpointSecurity {
  readonly #random: Random;
  #offered: OfferedKey[] = [];
  #sending: { key: SrtpKey; context: SrtpContext } | null = null;
  #receiving: { key: SrtpKey; context: SrtpContext } | null = null;

  constructor(random: Random) {
    this.#random = random;
  }

  /** The suite in use; null while the leg is plain. */
  get suite(): SrtpSuite | null {
    return this.#sending?.key.suite ?? null;
  }

  /** Fresh keys to offer, one for each suite; all that we know unless some are named. */
  offer(suites: readonly SrtpSuite[] = OUR_SUITES): readonly OfferedKey[] {
    this.#offered = suites.map((suite, index) => this.#newKey(suite, index + 1));
    return this.#offered;
  }

  /** What is wrong with the answer to our offer, or null and the leg is secured by it. */
  applyAnswer(keys: readonly OfferedKey[]): string | null {
    if (this.#offered.length === 0) return keys.length === 0 ? null : 'it wants SRTP, unasked';
    const theirs = keys[0];
    if (theirs === undefined) return 'it does not take SRTP';
    const ours = this.#offered.find(({ tag }) => tag === theirs.tag);
    if (ours?.suite !== theirs.suite) return 'it answered with a key that was not asked for';
    this.#use(ours, theirs);
    return null;
  }

  /** Our key for an offer of theirs within the call; what is wrong with it where there is none. */
  answer(keys: readonly OfferedKey[]): OfferedKey | null | string {
    if (this.#sending === null) return keys.length === 0 ? null : 'it wants SRTP, unasked';
    const { key: current } = this.#sending;
    const theirs = keys.find(({ suite }) => suite === current.suite) ?? keys[0];
    if (theirs === undefined) return 'it wants to go back to plain RTP';
    const { tag, suite } = theirs;
    const ours = suite === current.suite ? { ...current, tag } : this.#newKey(suite, tag);
    this.#use(ours, theirs);
    return ours;
  }

  /** What goes onto the wire for a packet of ours. */
  protect(packet: Buffer): Buffer {
    if (this.#sending === null) return packet;
    const { context } = this.#sending;
    return isRtcp(packet) ? context.protectReport(packet) : context.protect(packet);
  }

  /** The packet that a datagram carries; `null` when it is not to be trusted. */
  unprotect(bytes: Uint8Array): Uint8Array | null {
    if (this.#receiving === null) return this.#offered.length === 0 ? bytes : null;
    const { context } = this.#receiving;
    return isRtcp(bytes) ? context.unprotectReport(bytes) : context.unprotect(bytes);
  }

  /** A key that stays keeps its context: what was taken once must not pass again. */
  #use(ours: SrtpKey, theirs: SrtpKey): void {
    if (this.#sending === null || !isSameKey(this.#sending.key, ours)) {
      this.#sending = { key: ours, context: new SrtpContext(ours) };
    }
    if (this.#receiving === null || !isSameKey(this.#receiving.key, theirs)) {
      this.#receiving = { key: theirs, context: new SrtpContext(theirs) };
    }
  }

  #newKey(suite: SrtpSuite, tag: number): OfferedKey {
    return { tag, suite, key: this.#random.bytes(srtpKeyBytes(suite)) };
  }
}

function isSameKey(a: SrtpKey, b: SrtpKey): boolean {
  return a.suite === b.suite && Buffer.from(a.key).equals(b.key);
}
