import type { Clock } from '../platform/clock.ts';
import type { Random } from '../platform/random.ts';
import { afterRequest, contactOf, type Dialog } from './dialog.ts';
import type { DialogSender, InDialogRequest, RequestOutcome } from './dialog-sender.ts';
import { cseqOf, tagOf } from './header-fields.ts';
import { INFO_TYPES, parseInfoDtmf } from './info-dtmf.ts';
import { headerOf, listOf, type SipHeader, type SipMessage } from './message.ts';
import type { SipRequest, SipResponse } from './message.ts';
import { OwnKeys } from './own-keys.ts';
import { OwnOffers } from './own-offers.ts';
import { OwnRefers } from './own-refer.ts';
import { PeerOffers } from './peer-offers.ts';
import { PeerRefers } from './peer-refer.ts';
import { CAPABILITIES, makeReply, SUPPORTED } from './reply.ts';
import { SessionTimer } from './session-timer.ts';
import type { InfoDtmfOutcome, ReofferOutcome, ReplacedDialog, SipCallEvent } from './sip.ts';
import type { ServerTransaction } from './transaction-layer.ts';

/**
 * An answered call between its ACK and its BYE: the requests inside its dialog, both ways. Each
 * kind of request has a file of its own; this one hands them out and keeps the dialog current.
 */
export type SessionParts = {
  clock: Clock;
  random: Random;
  sender: DialogSender;
  contact: SipHeader;
  /** What we offered in the INVITE. */
  localSdp: string;
  emit: (event: SipCallEvent) => void;
  onBye: (request: SipRequest) => void;
  /** The peer is gone without a BYE, or knows nothing of the call. */
  onLost: (reason: string) => void;
};

export class Session {
  readonly #parts: SessionParts;
  // Made when first needed: most calls end without an offer or a transfer inside them.
  #peerOffers: PeerOffers | undefined;
  #ownOffers: OwnOffers | undefined;
  #peerRefers: PeerRefers | undefined;
  #ownRefers: OwnRefers | undefined;
  #ownKeys: OwnKeys | undefined;
  readonly #timer: SessionTimer;
  /** The methods of the peer's last Allow header; undefined while it has said nothing. */
  #allow: ReadonlySet<string> | undefined;
  #dialog: Dialog;
  #localSdp: string;

  constructor(parts: SessionParts, dialog: Dialog, answer: SipResponse) {
    this.#parts = parts;
    this.#dialog = dialog;
    this.#localSdp = parts.localSdp;
    this.#noteAllow(answer);
    this.#timer = new SessionTimer({
      clock: parts.clock,
      refresh: () => this.#refresh(),
      expire: () => parts.onLost('The session was not refreshed'),
    });
    this.#timer.answered(answer);
  }

  get dialog(): Dialog {
    return this.#dialog;
  }

  #offersOfPeer(): PeerOffers {
    const { clock, contact, emit } = this.#parts;
    this.#peerOffers ??= new PeerOffers({
      clock,
      contact,
      emit,
      localSdp: () => this.#localSdp,
      onAccepted: (request, sdp) => {
        if (sdp !== '') this.#localSdp = sdp;
        return this.#timer.accepted(request);
      },
      onFree: () => this.#ownOffers?.free(),
    });
    return this.#peerOffers;
  }

  #offersOfOurs(): OwnOffers {
    const { clock, random } = this.#parts;
    this.#ownOffers ??= new OwnOffers({
      clock,
      random,
      isPeerBusy: () => this.#peerOffers?.isOpen === true,
      send: (sdp, onOutcome) => this.#sendOffer(sdp, onOutcome),
    });
    return this.#ownOffers;
  }

  #refersOfPeer(): PeerRefers {
    const { clock, contact, emit } = this.#parts;
    this.#peerRefers ??= new PeerRefers({
      clock,
      contact,
      emit,
      send: (request) => this.#send(request, () => undefined),
    });
    return this.#peerRefers;
  }

  #refersOfOurs(): OwnRefers {
    const { clock, emit } = this.#parts;
    this.#ownRefers ??= new OwnRefers({
      clock,
      ownAddress: this.#dialog.localAddress.replace(/;tag=[^;]*$/, ''),
      emit,
      send: (request, onOutcome) => this.#send(request, onOutcome),
    });
    return this.#ownRefers;
  }

  reoffer(sdp: string): Promise<ReofferOutcome> {
    return this.#offersOfOurs().offer(sdp);
  }

  refer(target: string, replaces: ReplacedDialog | undefined): void {
    this.#refersOfOurs().start(target, replaces);
  }

  sendInfoDtmf(digits: string, durationMs: number | undefined): Promise<InfoDtmfOutcome> {
    this.#ownKeys ??= new OwnKeys({
      // RFC 3261 section 20.5: no Allow says nothing, so the peer is asked.
      mayInform: () => this.#allow?.has('INFO') !== false,
      send: (request, onOutcome) => this.#send(request, onOutcome),
    });
    return this.#ownKeys.press(digits, durationMs);
  }

  /** A request of the peer in this dialog (RFC 3261 section 12.2.2). */
  receive(server: ServerTransaction, over: boolean): void {
    const { request } = server;
    const next = afterRequest(this.#dialog, request);
    if (next === 'late') return answer(server, 500, 'CSeq out of order');
    this.#dialog = next;
    this.#noteAllow(request);
    if (request.method === 'BYE') {
      // A BYE that crosses ours is answered like any other.
      answer(server, 200, 'OK');
      return this.#parts.onBye(request);
    }
    if (over) return answer(server, 481, 'Call Does Not Exist');
    switch (request.method) {
      case 'INVITE':
      case 'UPDATE':
        return this.#receiveOffer(server);
      case 'REFER':
        return this.#refersOfPeer().receive(server);
      case 'NOTIFY':
        return this.#receiveNotify(server);
      case 'INFO':
        return this.#receiveInfo(server);
      case 'OPTIONS':
        return answer(server, 200, 'OK', CAPABILITIES);
      case 'PRACK':
        // RFC 3262 section 3: we send no reliable provisional response, so it matches none.
        return answer(server, 481, 'Nothing to acknowledge');
      default:
        return answer(server, 405, 'Method Not Allowed', CAPABILITIES);
    }
  }

  acknowledge(ack: SipRequest): void {
    this.#peerOffers?.acknowledge(ack);
  }

  cancelOffer(): void {
    this.#peerOffers?.cancel();
  }

  isUnacknowledged(request: SipRequest): boolean {
    return this.#peerOffers?.isUnacknowledged(request) === true;
  }

  /** RFC 3261 15.1.2: requests that are still open in the dialog are ended with it. */
  end(): void {
    this.#timer.stop();
    this.#ownOffers?.end();
    this.#peerOffers?.cancel();
    this.#peerRefers?.end();
    this.#ownRefers?.end();
    this.#ownKeys?.end();
  }

  #receiveOffer(server: ServerTransaction): void {
    const { request } = server;
    const offering = request.method === 'INVITE' || request.body !== '';
    // RFC 3261 14.2: their offer crosses ours.
    if (offering && this.#ownOffers?.isOpen === true) return answer(server, 491, 'Request Pending');
    const minimum = this.#timer.tooShort(request);
    if (minimum !== undefined) return answer(server, 422, 'Session Interval Too Small', minimum);
    this.#offersOfPeer().receive(server);
  }

  #receiveNotify(server: ServerTransaction): void {
    const event = headerOf(server.request, 'event') ?? '';
    if (event.split(';', 1)[0]?.trim().toLowerCase() !== 'refer') {
      return answer(server, 489, 'Bad Event', [['Allow-Events', 'refer']]);
    }
    const known = this.#ownRefers?.notified(server.request) === true;
    return known ? answer(server, 200, 'OK') : answer(server, 481, 'No such subscription');
  }

  #receiveInfo(server: ServerTransaction): void {
    const { request } = server;
    const key = parseInfoDtmf(request);
    if (key === 'wrong') return answer(server, 400, 'Not a key');
    if (key !== 'other') {
      answer(server, 200, 'OK');
      return this.#parts.emit({ kind: 'infoDtmf', ...key });
    }
    // RFC 6086 section 4.2.2: an empty INFO is fine, packages have to be agreed upon first.
    if (headerOf(request, 'info-package') !== undefined) {
      return answer(server, 469, 'Bad Info Package', [['Recv-Info', '']]);
    }
    if (request.body === '') return answer(server, 200, 'OK');
    return answer(server, 415, 'Unsupported Media Type', [['Accept', INFO_TYPES]]);
  }

  #sendOffer(sdp: string, onOutcome: (outcome: RequestOutcome) => void): void {
    const extra = [SUPPORTED, ...this.#timer.requestHeaders()];
    this.#send({ method: 'INVITE', extra, body: sdp }, (outcome) => {
      if (outcome.kind === 'response' && outcome.response.status < 300) {
        const sequence = cseqOf(outcome.request)?.number ?? 0;
        // A 2xx is acknowledged each time it comes, even when the call has ended meanwhile.
        if (this.#parts.sender.repeatAck(this.#dialog.remoteTag, sequence)) return;
        this.#takeAnswer(outcome.response);
        this.#parts.sender.acknowledge(this.#dialog, outcome.request, sequence);
        this.#localSdp = sdp;
      }
      if (this.#isTooShort(outcome)) return this.#sendOffer(sdp, onOutcome);
      onOutcome(outcome);
    });
  }

  /** A 2xx to a re-INVITE or UPDATE may move the peer's target (RFC 3261 section 12.2.1.2). */
  #takeAnswer(response: SipResponse): void {
    const remoteTarget = contactOf(response) ?? this.#dialog.remoteTarget;
    this.#dialog = { ...this.#dialog, remoteTarget };
    this.#timer.answered(response);
  }

  /** UPDATE where the peer knows it, as it carries no offer; else a re-INVITE with the same. */
  #refresh(): void {
    if (this.#allow?.has('UPDATE') !== true) {
      void this.#offersOfOurs().offer(this.#localSdp);
      return;
    }
    const extra = [SUPPORTED, ...this.#timer.requestHeaders()];
    this.#send({ method: 'UPDATE', extra }, (outcome) => {
      if (this.#isTooShort(outcome)) return this.#refresh();
      if (outcome.kind !== 'response') return;
      const { response } = outcome;
      if (response.status < 300) return this.#takeAnswer(response);
      // It named UPDATE in its Allow, but something on the way does not take it.
      const unknown = response.status === 405 || response.status === 501;
      if (unknown) void this.#offersOfOurs().offer(this.#localSdp);
      // Any other refusal: the session's end is near, and its BYE is the timer's business.
    });
  }

  /** RFC 4028 section 7.4: 422 asks for a longer interval, and for the same request once more. */
  #isTooShort(outcome: RequestOutcome): boolean {
    if (outcome.kind !== 'response' || outcome.response.status !== 422) return false;
    return this.#timer.lengthen(outcome.response);
  }

  #noteAllow(message: SipMessage): void {
    if (headerOf(message, 'allow') === undefined) return;
    // RFC 3261 section 21.4.6: a 405 has to tell what is taken. Other refusals may be a proxy's.
    const counts = message.kind === 'request' || message.status < 300 || message.status === 405;
    if (!counts) return;
    this.#allow = new Set(listOf(message, 'allow').map((method) => method.toUpperCase()));
  }

  #send(request: InDialogRequest, onOutcome: (outcome: RequestOutcome) => void): void {
    this.#parts.sender.request(this.#dialog, request, (outcome) => {
      if (outcome.kind === 'response') this.#noteAllow(outcome.response);
      onOutcome(outcome);
      if (endsDialog(request.method, outcome)) this.#parts.onLost('The endpoint lost the call');
    });
  }
}

/**
 * RFC 3261 section 12.2.1.2 with RFC 5057: 481 says that there is no such dialog. No answer at
 * all ends it where the request was about the session, not where it was about something else.
 */
function endsDialog(method: string, outcome: RequestOutcome): boolean {
  if (outcome.kind === 'response') {
    // A NOTIFY that is refused with 481 ends its subscription only (RFC 6665 section 4.2.2).
    return outcome.response.status === 481 && method !== 'NOTIFY';
  }
  return method === 'INVITE' || method === 'UPDATE';
}

function answer(
  server: ServerTransaction,
  status: number,
  reason: string,
  headers: readonly SipHeader[] = [],
): void {
  server.respond(makeReply(server.request, status, reason, { headers }));
}

/** Whether a request comes from the dialog's other side. */
export function isFromPeer(dialog: Dialog, request: SipRequest): boolean {
  return tagOf(request, 'from') === dialog.remoteTag;
}
