import type { Clock, TimerHandle } from '../platform/clock.ts';
import { cseqOf } from './header-fields.ts';
import type { SipHeader, SipRequest } from './message.ts';
import { ALLOW, makeReply } from './reply.ts';
import type { SipCallEvent } from './sip.ts';
import type { ServerTransaction } from './transaction-layer.ts';

/**
 * The peer's re-INVITEs inside one dialog (RFC 3261 section 14.2): one at a time, each answered
 * in finite time whether or not our user replies.
 */
export type PeerOffersParts = {
  clock: Clock;
  contact: SipHeader;
  /** Our side of the session as last negotiated. */
  localSdp: string;
  emit: (event: SipCallEvent) => void;
};

/** The user has this long to answer an offer; peers give up after 32 s. */
const REPLY_MS = 10_000;

type Pending = { server: ServerTransaction; timer: TimerHandle };
type Accepted = { server: ServerTransaction; sequence: number; offerless: boolean };

export class PeerOffers {
  readonly #parts: PeerOffersParts;
  #localSdp: string;
  #pending: Pending | undefined;
  #accepted: Accepted | undefined;

  constructor(parts: PeerOffersParts) {
    this.#parts = parts;
    this.#localSdp = parts.localSdp;
  }

  receive(server: ServerTransaction): void {
    const { request } = server;
    if (this.#pending !== undefined) {
      // RFC 3261 14.2: a second INVITE before our answer to the first.
      const headers: SipHeader[] = [['Retry-After', '3']];
      server.respond(makeReply(request, 500, 'Still answering an offer', { headers }));
      return;
    }
    server.respond(makeReply(request, 100, 'Trying'));
    if (request.body === '') {
      // No offer means that we make one; we repeat the session as it is and hear the answer
      // in the ACK.
      this.#accept(server, this.#localSdp, true);
      return;
    }
    const timer = this.#parts.clock.after(REPLY_MS, () => this.#refuse(server, 500, 'No Answer'));
    this.#pending = { server, timer };
    this.#parts.emit({
      kind: 'offered',
      sdp: request.body,
      reply: (answer) => {
        // A reply that comes late, or twice, finds the offer gone and does nothing.
        if (this.#pending?.server !== server) return;
        if ('sdp' in answer) this.#accept(server, answer.sdp, false);
        else this.#refuse(server, answer.status, 'Not Acceptable Here');
      },
    });
  }

  /** The ACK of a 2xx of ours; it brings the peer's answer when the offer was ours. */
  acknowledge(ack: SipRequest): void {
    const accepted = this.#accepted;
    if (accepted === undefined || cseqOf(ack)?.number !== accepted.sequence) return;
    this.#accepted = undefined;
    accepted.server.acknowledged();
    if (!accepted.offerless || ack.body === '') return;
    // The media plane only has to learn the peer's side; there is nobody left to reply to.
    this.#parts.emit({ kind: 'offered', sdp: ack.body, reply: () => undefined });
  }

  /** True for a re-INVITE that we accepted and whose ACK has not come. */
  isUnacknowledged(request: SipRequest): boolean {
    return this.#accepted?.server.request === request;
  }

  /** The peer cancelled its re-INVITE, or the dialog ended under it. */
  cancel(): void {
    const pending = this.#pending;
    if (pending !== undefined) this.#refuse(pending.server, 487, 'Request Terminated');
  }

  #accept(server: ServerTransaction, sdp: string, offerless: boolean): void {
    this.#settle();
    this.#localSdp = sdp;
    const sequence = cseqOf(server.request)?.number ?? 0;
    this.#accepted = { server, sequence, offerless };
    const headers: SipHeader[] = [this.#parts.contact, ALLOW, ['Content-Type', 'application/sdp']];
    server.respond(makeReply(server.request, 200, 'OK', { headers, body: sdp }));
  }

  #refuse(server: ServerTransaction, status: number, reason: string): void {
    this.#settle();
    const final = status >= 300 && status <= 699 ? status : 488;
    server.respond(makeReply(server.request, final, reason));
  }

  #settle(): void {
    this.#pending?.timer.cancel();
    this.#pending = undefined;
  }
}
