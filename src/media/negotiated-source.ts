import type { RtpPacket } from './rtp.ts';

/** What an answer of Meta or a browser settled about the packets that come. */
export type AgreedAudio = {
  opusPayloadType: number;
  /** Telephone events at 8000 Hz; `null` where none were answered. */
  eventPayloadType: number | null;
  /** SSRCs the answer declares. */
  ssrcs: readonly number[];
};

/** Guard G8: negotiated payload types only, and only the first source or a declared one. */
export class NegotiatedSource {
  #heardSsrc: number | undefined;

  accepts(packet: RtpPacket, agreed: AgreedAudio | undefined): boolean {
    if (agreed === undefined) return false;
    const { opusPayloadType, eventPayloadType, ssrcs } = agreed;
    if (packet.payloadType !== opusPayloadType && packet.payloadType !== eventPayloadType) {
      return false;
    }
    this.#heardSsrc ??= packet.ssrc;
    return packet.ssrc === this.#heardSsrc || ssrcs.includes(packet.ssrc);
  }
}
