import type { Clock } from '../platform/clock.ts';
import { invariant } from '../platform/invariant.ts';
import type { Random } from '../platform/random.ts';
import { isRefused } from '../platform/refusal.ts';
import { EndpointLeg } from './endpoint-leg.ts';
import { EndpointSecurity } from './endpoint-security.ts';
import type { SilenceCause } from './media.ts';
import { metaFailure } from './meta-answer.ts';
import { NegotiatedSource } from './negotiated-source.ts';
import { isRtcp, parseRtp, type RtpPacket } from './rtp.ts';
import {
  checkSdesAnswer,
  META_SUITE,
  sdesOffer,
  sdesRefused,
  type SdesAnswer,
} from './sdes-answer.ts';

export type SdesLegOptions = {
  clock: Clock;
  random: Random;
  bindAddress: string;
  port: number;
  /** Of ours, in the c= line; Meta answers to wherever our packets come from. */
  advertisedAddress: string;
  ssrc: number;
  cname: string;
  onConnected: () => void;
  onPacket: (packet: RtpPacket) => void;
  onRtcp: (bytes: Uint8Array) => void;
  /** Something came that cannot be used: from elsewhere, or not authentic. */
  onUseless: (cause: SilenceCause) => void;
};

/**
 * The leg toward a number that Meta has set to SDES: SRTP with keys from the SDP, to the address in
 * Meta's answer and from there only. No check of ICE says who sends, so a packet is looked at after
 * its source, its authentication tag and its place in the replay list are right; the address is
 * never learnt anew. It is up with the answer, because Meta waits for our first packet.
 */
export class SdesLeg {
  readonly offer: string;
  readonly iceConnectedAt = null;
  readonly security = META_SUITE;
  readonly #options: SdesLegOptions;
  readonly #security: EndpointSecurity;
  readonly #source = new NegotiatedSource();
  readonly #key;
  #socket: EndpointLeg | undefined;
  #answer: SdesAnswer | undefined;
  #answerText: string | undefined;
  #closed = false;

  constructor(options: SdesLegOptions) {
    this.#options = options;
    const { random, advertisedAddress: address, port, ssrc, cname } = options;
    this.#security = new EndpointSecurity(random);
    const [key] = this.#security.offer([META_SUITE]);
    invariant(key !== undefined, 'one suite was offered and has no key');
    this.#key = key;
    this.offer = sdesOffer({ sessionId: random.below(2 ** 31), address, port, key, ssrc, cname });
  }

  get answer(): SdesAnswer | undefined {
    return this.#answer;
  }

  /** Binds the port that the offer names. Throws `Failure` `media_no_capacity`. */
  async open(): Promise<void> {
    const { bindAddress, port, onUseless } = this.#options;
    this.#socket = await EndpointLeg.open({
      bindAddress,
      port,
      onDatagram: (bytes) => this.#receive(bytes),
      onStray: () => onUseless('wrong_address'),
    });
    if (this.#closed) this.#socket.close();
  }

  /**
   * Applies the answer. The same text again does nothing; another one, with another key or address,
   * is refused and leaves the leg as it is. Throws `Failure` as a leg with DTLS does.
   */
  applyAnswer(text: string): void {
    if (this.#answerText === text) return;
    if (this.#answer !== undefined || this.#closed) {
      throw metaFailure('An answer was applied before.');
    }
    const { bindAddress, onConnected } = this.#options;
    const answer = checkSdesAnswer(text, { key: this.#key, bindAddress });
    if (isRefused(answer)) {
      this.close();
      throw sdesRefused(answer);
    }
    const wrong = this.#security.applyAnswer([answer.key]);
    invariant(wrong === null, 'a key that was checked does not fit');
    this.#answerText = text;
    this.#answer = answer;
    this.#socket?.setRemote({ address: answer.address, port: answer.port });
    onConnected();
  }

  /** Sends RTP or RTCP; false when there is no answer yet. */
  send(packet: Buffer): boolean {
    if (this.#answer === undefined || this.#closed) return false;
    // RFC 5761 section 5.1.1: without the attribute, reports would belong to a port of their own.
    if (isRtcp(packet) && !this.#answer.rtcpMux) return false;
    return this.#socket?.send(this.#security.protect(packet)) ?? false;
  }

  /** May be called twice. */
  close(): void {
    this.#closed = true;
    this.#socket?.close();
  }

  #receive(bytes: Uint8Array): void {
    if (this.#closed) return;
    const { onUseless, onRtcp, onPacket } = this.#options;
    const plain = this.#security.unprotect(bytes);
    if (plain === null) return onUseless('srtp_failed');
    if (isRtcp(plain)) return onRtcp(plain);
    const packet = parseRtp(plain);
    if (packet === null) return;
    if (this.#source.accepts(packet, this.#answer)) onPacket(packet);
    else onUseless('wrong_codec');
  }
}
