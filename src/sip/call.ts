import type { Clock, TimerHandle } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import type { Log } from '../platform/log.ts';
import type { Random } from '../platform/random.ts';
import { callMove, type CallAction, type CallInput, type CallState } from './call-machine.ts';
import {
  cancelRequest,
  contactHeader,
  inviteRequest,
  newToken,
  placeToward,
  reasonHeader,
  viaHeader,
  wrongInvite,
} from './call-requests.ts';
import { afterRequest, dialogFromAnswer, type Dialog } from './dialog.ts';
import { saveDialog } from './lost-dialog.ts';
import { DialogSender } from './dialog-sender.ts';
import { DigestCredentials } from './digest.ts';
import { tagOf } from './header-fields.ts';
import { findTargets, WrongOrder } from './hops.ts';
import { headerOf, type SipHeader, type SipRequest } from './message.ts';
import type { SipResponse } from './message.ts';
import { PeerOffers } from './peer-offers.ts';
import { ALLOW, makeReply } from './reply.ts';
import type {
  InviteRequest,
  ReofferOutcome,
  ReplacedDialog,
  SipCall,
  SipCallEvent,
} from './sip.ts';
import type { ClientTransaction, TransactionLayer } from './transaction-layer.ts';
import type { Hop, Names, Wire } from './wire.ts';

/** One outgoing call: walks `CALL_MACHINE` and does what its moves say. */
export type CallContext = {
  clock: Clock;
  random: Random;
  log: Log;
  wire: Wire;
  transactions: TransactionLayer;
  names: Names;
  advertisedAddress?: string;
  /** The call needs no more messages: forget it. */
  onGone: (call: Call) => void;
};

/** What came with an input; each action takes from it what it needs. */
type Facts = { response?: SipResponse; dialog?: Dialog; status?: number; reason?: string };

export class Call implements SipCall {
  readonly sipCallId: string;
  readonly localTag: string;
  readonly #context: CallContext;
  readonly #request: InviteRequest;
  readonly #onEvent: (event: SipCallEvent) => void;
  readonly #credentials: DigestCredentials;
  #state: CallState = 'resolving';
  /** Where the INVITE goes: found once, so that a retry with credentials meets the same host. */
  #hop: Hop | undefined;
  /** Servers to try when that one cannot be reached. */
  #otherHops: Hop[] = [];
  #sender: DialogSender | undefined;
  #sequence = 0;
  #invite: SipRequest | undefined;
  #transaction: ClientTransaction | undefined;
  /** INVITE, CANCEL and BYE transactions that may still bring something for this call. */
  #openTransactions = 0;
  #cancelled = false;
  #hangUpReason: string | undefined;
  #dialog: Dialog | undefined;
  #offers: PeerOffers | undefined;
  #ringTimer: TimerHandle | undefined;
  /** The user has been told the end; nothing is told after it. */
  #ended = false;

  constructor(
    context: CallContext,
    request: InviteRequest,
    onEvent: (event: SipCallEvent) => void,
  ) {
    this.#context = context;
    this.#request = request;
    this.#onEvent = onEvent;
    this.sipCallId = `${newToken(context.random)}${newToken(context.random)}`;
    this.localTag = newToken(context.random);
    this.#credentials = new DigestCredentials(request.target, context.random);
  }

  get state(): CallState {
    return this.#state;
  }

  /** Looks the target up and sends the INVITE; never in the same turn, so no event comes early. */
  start(): void {
    this.#ringTimer = this.#context.clock.after(this.#request.ringTimeoutMs, () =>
      this.#step('ringTimeout', { status: 408, reason: 'No answer in time' }),
    );
    const { names, random } = this.#context;
    const wrong = wrongInvite(this.#request);
    const found =
      wrong === undefined
        ? findTargets(this.#request.target.uri, names, random)
        : Promise.reject(new WrongOrder(wrong));
    void found.then(
      ([hop, ...others]) => {
        this.#otherHops = others;
        this.#choose(hop);
        this.#step('resolved', {});
      },
      (error: unknown) => {
        const status = error instanceof WrongOrder ? 400 : 503;
        this.#step('unsendable', { status, reason: errorText(error) });
      },
    );
  }

  #choose(hop: Hop | undefined): void {
    if (hop === undefined) return;
    this.#hop = hop;
    this.#sender = this.#makeSender(hop);
  }

  /** Turns to the next server, or gives up. */
  #missed(facts: Facts): void {
    const next = this.#otherHops.shift();
    if (next === undefined) return this.#step('unsendable', facts);
    this.#choose(next);
    this.#step('nextServer', {});
  }

  hangUp(reason?: string): void {
    this.#hangUpReason = reason;
    this.#step('hangUp', {});
  }

  reoffer(_sdp: string): Promise<ReofferOutcome> {
    return Promise.resolve({ status: 488, reason: 'Not possible yet' });
  }

  refer(_target: string, _replaces?: ReplacedDialog): void {
    this.#emit({ kind: 'referProgress', status: 488, reason: 'Not possible yet', final: true });
  }

  sendInfoDtmf(_digit: string, _durationMs?: number): void {}

  replaceable(): ReplacedDialog | undefined {
    const dialog = this.#dialog;
    if (dialog === undefined) return undefined;
    return { callId: dialog.callId, toTag: dialog.remoteTag, fromTag: dialog.localTag };
  }

  /** A request of the peer under our Call-ID and tag (RFC 3261 section 12.2.2). */
  receive(request: SipRequest, replyTo: Hop): void {
    const server = this.#context.transactions.serve(request, replyTo, {
      onTimeout: () => {
        if (this.#offers?.isUnacknowledged(request) === true) {
          this.#step('ackLost', { reason: 'No ACK to our answer' });
        }
      },
    });
    if (server === undefined) return;
    const answer = (status: number, reason: string, headers: readonly SipHeader[] = []): void =>
      server.respond(makeReply(request, status, reason, { headers }));
    const dialog = this.#dialog;
    const before = this.#state !== 'established' && this.#state !== 'over';
    // RFC 3261 14.2: their offer crosses ours, which has no answer yet.
    if (before && request.method === 'INVITE') return answer(491, 'Request Pending');
    if (dialog === undefined || tagOf(request, 'from') !== dialog.remoteTag) {
      return answer(481, 'Call Does Not Exist');
    }
    const next = afterRequest(dialog, request);
    if (next === 'late') return answer(500, 'CSeq out of order');
    this.#dialog = next;
    switch (request.method) {
      case 'BYE':
        // A BYE that crosses ours is answered like any other.
        answer(200, 'OK');
        this.#offers?.cancel();
        return this.#step('peerBye', reasonOf(request));
      case 'INVITE':
        if (this.#state === 'over') return answer(481, 'Call Does Not Exist');
        return this.#offers?.receive(server);
      case 'INFO':
      case 'NOTIFY':
      case 'OPTIONS':
        return answer(200, 'OK', [ALLOW]);
      default:
        return answer(405, 'Method Not Allowed', [ALLOW]);
    }
  }

  /** The ACK of a 2xx we sent: a transaction of its own, so it comes here and not there. */
  acknowledge(ack: SipRequest): void {
    this.#offers?.acknowledge(ack);
  }

  cancelOffer(): void {
    this.#offers?.cancel();
  }

  /** Makes the table's move, if it names one, and does what the move says. */
  #step(input: CallInput, facts: Facts): void {
    const move = callMove(this.#state, input);
    if (move === undefined) return;
    this.#state = move.to;
    if (move.to !== 'resolving' && move.to !== 'calling' && move.to !== 'proceeding') {
      this.#ringTimer?.cancel();
    }
    for (const action of move.do) this.#perform(action, facts);
    this.#leaveIfDone();
  }

  #perform(action: CallAction, facts: Facts): void {
    switch (action) {
      case 'sendInvite':
        return this.#sendInvite();
      case 'cancel':
        return this.#sendCancel();
      case 'acknowledge':
        return this.#acknowledge(facts.dialog);
      case 'bye':
        return this.#sendBye(facts.dialog ?? this.#dialog);
      case 'reportRinging':
        return this.#reportRinging(facts.response);
      case 'reportAnswered':
        return this.#reportAnswered(facts);
      case 'reportFailed':
        return this.#end({
          kind: 'failed',
          status: facts.status ?? 500,
          reason: facts.reason ?? '',
        });
      case 'reportEndedByUs':
        return this.#end({ kind: 'ended', by: 'us', ...reasonField(facts.reason) });
      case 'reportEndedByEndpoint':
        return this.#end({ kind: 'ended', by: 'endpoint', ...reasonField(facts.reason) });
    }
  }

  #sendInvite(): void {
    const hop = this.#hop;
    if (hop === undefined) return;
    const { random, wire, transactions, advertisedAddress } = this.#context;
    const local = placeToward(wire, hop, advertisedAddress);
    const { uri } = this.#request.target;
    this.#sequence += 1;
    const invite = inviteRequest({
      request: this.#request,
      via: viaHeader(hop, local, random),
      contact: contactHeader(hop, local, this.#request.from.user),
      localAddress: local.address,
      callId: this.sipCallId,
      localTag: this.localTag,
      sequence: this.#sequence,
      credentials: this.#credentials.headersFor({ method: 'INVITE', uri }),
    });
    this.#invite = invite;
    this.#openTransactions += 1;
    // After a challenge the old transaction still absorbs repetitions; they mean nothing now.
    const isCurrent = (): boolean => this.#invite === invite;
    this.#transaction = transactions.request(invite, hop, {
      onResponse: (response, from) => {
        if (isCurrent()) this.#receiveResponse(response, from);
      },
      onTimeout: () => {
        if (isCurrent()) this.#missed({ status: 408, reason: 'Request Timeout' });
      },
      onSendFailed: () => {
        if (isCurrent()) this.#missed({ status: 503, reason: 'Not reachable' });
      },
      onGone: () => this.#closeTransaction(),
    });
  }

  #receiveResponse(response: SipResponse, from: Hop): void {
    const { status, reason } = response;
    if (status < 200) return this.#step('provisional', { response });
    if (status < 300) return this.#receiveAnswer(response);
    // The secret goes to nobody but the host that was configured (a redirect is never followed).
    const fromTarget = from.address === this.#hop?.address;
    const challenge = status === 401 || status === 407;
    const live = this.#state === 'calling' || this.#state === 'proceeding';
    if (challenge && live && fromTarget && this.#credentials.accept(response)) {
      return this.#step('challenged', {});
    }
    if (status === 503 && live && this.#otherHops.length > 0) return this.#missed({});
    return this.#step('refused', { status, reason: reason.slice(0, 200) });
  }

  /** A 2xx: the first one makes the call, a resent one gets its ACK again, another is a fork. */
  #receiveAnswer(response: SipResponse): void {
    if (this.#sender?.repeatAck(tagOf(response, 'to')) === true) return;
    if (this.#invite === undefined || this.#sender?.isFull === true) return;
    const dialog = dialogFromAnswer(this.#invite, response);
    const empty = response.body.trim() === '';
    this.#step(empty ? 'answeredEmpty' : 'answered', {
      response,
      dialog,
      status: 488,
      reason: 'Answered without a session description',
    });
  }

  #sendCancel(): void {
    if (this.#cancelled || this.#invite === undefined || this.#hop === undefined) return;
    this.#cancelled = true;
    this.#transaction?.cancelled();
    const cancel = cancelRequest(this.#invite, reasonHeader(this.#hangUpReason));
    this.#openTransactions += 1;
    // What becomes of the CANCEL itself tells nothing: the INVITE's final response counts.
    this.#context.transactions.request(cancel, this.#hop, {
      onResponse: () => undefined,
      onTimeout: () => undefined,
      onSendFailed: () => undefined,
      onGone: () => this.#closeTransaction(),
    });
  }

  #acknowledge(dialog: Dialog | undefined): void {
    if (dialog === undefined || this.#invite === undefined) return;
    this.#sender?.acknowledge(dialog, this.#invite);
  }

  /** Ends a dialog: that of the call, or that of a fork which came too late. */
  #sendBye(dialog: Dialog | undefined): void {
    if (dialog === undefined) return;
    this.#sender?.bye(dialog, this.#hangUpReason);
    // RFC 3261 15.1.2: requests that are still open in the dialog are ended with it.
    if (this.#state === 'over') this.#offers?.cancel();
  }

  #makeSender(target: Hop): DialogSender {
    return new DialogSender({
      ...this.#context,
      credentials: this.#credentials,
      target,
      onOpen: () => (this.#openTransactions += 1),
      onDone: () => this.#closeTransaction(),
    });
  }

  #closeTransaction(): void {
    this.#openTransactions -= 1;
    this.#leaveIfDone();
  }

  #reportRinging(response: SipResponse | undefined): void {
    // 100 Trying only says that a hop has the request.
    if (response === undefined || response.status === 100) return;
    const sdp = response.body === '' ? {} : { sdp: response.body };
    this.#emit({ kind: 'ringing', status: response.status, ...sdp });
  }

  #reportAnswered({ response, dialog }: Facts): void {
    const hop = this.#hop;
    if (response === undefined || dialog === undefined || hop === undefined) return;
    const { wire, clock, advertisedAddress } = this.#context;
    this.#dialog = dialog;
    const local = placeToward(wire, hop, advertisedAddress);
    this.#offers = new PeerOffers({
      clock,
      contact: contactHeader(hop, local, this.#request.from.user),
      localSdp: this.#request.offer,
      emit: (event) => this.#emit(event),
    });
    this.#emit({ kind: 'answered', sdp: response.body, dialog: saveDialog(dialog, hop) });
  }

  #end(event: SipCallEvent): void {
    this.#emit(event);
    this.#ended = true;
  }

  #emit(event: SipCallEvent): void {
    if (this.#ended) return;
    if (event.kind === 'failed' || event.kind === 'ended') this.#ended = true;
    try {
      this.#onEvent(event);
    } catch (error) {
      // A fault of the listener must not stop the ACK or BYE that comes next.
      this.#context.log.error({ err: error, event: event.kind }, 'SIP call listener threw');
    }
  }

  #leaveIfDone(): void {
    if (this.#state === 'over' && this.#openTransactions === 0) this.#context.onGone(this);
  }
}

function reasonOf(request: SipRequest): Facts {
  const reason = headerOf(request, 'reason');
  return reason === undefined ? {} : { reason: reason.slice(0, 256) };
}

function reasonField(reason: string | undefined): { reason?: string } {
  return reason === undefined ? {} : { reason };
}
