import type { Clock, TimerHandle } from '../platform/clock.ts';
import { cseqOf } from './header-fields.ts';
import type { SipHeader, SipRequest } from './message.ts';
import { ALLOW, makeReply, SUPPORTED } from './reply.ts';
import type { SipCallEvent } from './sip.ts';
import type { ServerTransaction } from './transaction-layer.ts';

/**
 * The peer's offers inside one dialog, by re-INVITE (RFC 3261 section 14.2) or UPDATE (RFC 3311
 * section 5.2): one at a time, each answered in finite time whether or not our user replies.
 */
export type PeerOffersParts = {
  clock: Clock;
  contact: SipHeader;
  /** Our side of the session as last negotiated. */
  localSdp: () => string;
  /** An answer of ours went out; the headers of its 2xx, for the session timer. */
  onAccepted: (request: SipRequest, sdp: string) => readonly SipHeader[];
  /** Nothing of the peer is under way any more. */
  onFree: () => void;
  emit: (event: SipCallEvent) => void;
};

/** The user has this long to answer an offer; peers give up after 32 s. */
const REPLY_MS = 10_000;

type Pending = { server: ServerTransaction; timer: TimerHandle };
type Accepted = { server: ServerTransaction; sequence: number; offerless: boolean };

export class PeerOffers {
  readonly #parts: PeerOffersParts;
  #pending: Pending | undefined;
  #accepted: Accepted | undefined;

  constructor(parts: PeerOffersParts) {
    this.#parts = parts;
  }

  /** Whether an offer of the peer waits for our answer, or our answer for its ACK. */
  get isOpen(): boolean {
    return this.#pending !== undefined || this.#accepted !== undefined;
  }

  receive(server: ServerTransaction): void {
    const { request } = server;
    if (this.#pending !== undefined) {
      // RFC 3261 14.2, RFC 3311 5.2: a second offer before our answer to the first.
      const headers: SipHeader[] = [['Retry-After', '3']];
      server.respond(makeReply(request, 500, 'Still answering an offer', { headers }));
      return;
    }
    if (request.method === 'INVITE') server.respond(makeReply(request, 100, 'Trying'));
    if (request.body === '') {
      // An INVITE without an offer means that we make one; we repeat the session as it is and
      // hear the answer in the ACK. An UPDATE without one only refreshes the session.
      this.#accept(server, request.method === 'INVITE' ? this.#parts.localSdp() : '', true);
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
    if (accepted.offerless && ack.body !== '') {
      // The media plane only has to learn the peer's side; there is nobody left to reply to.
      this.#parts.emit({ kind: 'offered', sdp: ack.body, reply: () => undefined });
    }
    this.#parts.onFree();
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
    const { request } = server;
    this.#settle();
    if (request.method === 'INVITE') {
      const sequence = cseqOf(request)?.number ?? 0;
      this.#accepted = { server, sequence, offerless };
    }
    const timer = this.#parts.onAccepted(request, sdp);
    const type: SipHeader[] = sdp === '' ? [] : [['Content-Type', 'application/sdp']];
    const headers = [this.#parts.contact, ALLOW, SUPPORTED, ...timer, ...type];
    server.respond(makeReply(request, 200, 'OK', { headers, body: sdp }));
    if (request.method !== 'INVITE') this.#parts.onFree();
  }

  #refuse(server: ServerTransaction, status: number, reason: string): void {
    this.#settle();
    const final = status >= 300 && status <= 699 ? status : 488;
    server.respond(makeReply(server.request, final, reason));
    this.#parts.onFree();
  }

  #settle(): void {
    this.#pending?.timer.cancel();
    this.#pending = undefined;
  }
}
