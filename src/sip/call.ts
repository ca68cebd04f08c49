import type { Clock, TimerHandle } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import type { Log } from '../platform/log.ts';
import type { Random } from '../platform/random.ts';
import { callMove, type CallAction, type CallInput, type CallState } from './call-machine.ts';
import { cancelRequest, newToken, reasonField, reasonHeader, reasonOf } from './call-requests.ts';
import { dialogFromAnswer, type Dialog } from './dialog.ts';
import { DialogSender } from './dialog-sender.ts';
import { answerEarly, EarlyDialogs } from './early-dialogs.ts';
import { cseqOf, tagOf } from './header-fields.ts';
import { WrongOrder } from './hops.ts';
import { InviteRoute } from './invite-route.ts';
import type { LargeRequests } from './large-requests.ts';
import { saveDialog } from './lost-dialog.ts';
import type { SipRequest, SipResponse } from './message.ts';
import { makeReply } from './reply.ts';
import { isFromPeer, Session } from './session.ts';
import type {
  InfoDtmfOutcome,
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
  large: LargeRequests;
  names: Names;
  advertisedAddress?: string;
  /** The call needs no more messages: forget it. */
  onGone: (call: Call) => void;
};

/** What came with an input; each action takes from it what it needs. */
type Facts = {
  response?: SipResponse;
  dialog?: Dialog;
  /** The peer's answer, from the 2xx or from a reliable response before it. */
  sdp?: string;
  status?: number;
  reason?: string;
};

export class Call implements SipCall {
  readonly sipCallId: string;
  readonly localTag: string;
  readonly #context: CallContext;
  readonly #request: InviteRequest;
  readonly #onEvent: (event: SipCallEvent) => void;
  readonly #route: InviteRoute;
  #state: CallState = 'resolving';
  #sender: DialogSender | undefined;
  #early: EarlyDialogs | undefined;
  #sequence = 0;
  #invite: SipRequest | undefined;
  /** Where that INVITE really went: a large one leaves UDP for TCP. */
  #sentTo: Hop | undefined;
  #transaction: ClientTransaction | undefined;
  /** Transactions that may still bring something for this call. */
  #openTransactions = 0;
  #cancelled = false;
  #hangUpReason: string | undefined;
  #session: Session | undefined;
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
    this.#route = new InviteRoute(request, context.names, context.random);
    this.sipCallId = newToken(context.random, 16);
    this.localTag = newToken(context.random);
  }

  /** Looks the target up and sends the INVITE; never in the same turn, so no event comes early. */
  start(): void {
    this.#ringTimer = this.#context.clock.after(this.#request.ringTimeoutMs, () =>
      this.#step('ringTimeout', { status: 408, reason: 'No answer in time' }),
    );
    this.#resolve();
  }

  #resolve(): void {
    this.#route.resolve().then(
      () => {
        this.#useServer();
        this.#step('resolved', {});
      },
      (error: unknown) => {
        const status = error instanceof WrongOrder ? 400 : 503;
        this.#missed({ status, reason: errorText(error) });
      },
    );
  }

  #useServer(): void {
    const { hop } = this.#route;
    if (hop === undefined) return;
    this.#sender = this.#makeSender(hop);
    this.#early = new EarlyDialogs(this.#sender);
  }

  /** Turns to the next server, then to the next place of a redirect, or gives up. */
  #missed(facts: Facts): void {
    if (this.#route.toNextServer()) {
      this.#useServer();
      return this.#step('nextServer', {});
    }
    if (!this.#redirect({ status: 503, headers: [] })) this.#step('unsendable', facts);
  }

  /** Follows a redirect, where there is one that may be followed. */
  #redirect(refusal: Pick<SipResponse, 'status' | 'headers'>): boolean {
    if (this.#state === 'abandoned' || this.#state === 'over') return false;
    if (!this.#route.toRedirect(refusal)) return false;
    this.#step('redirected', {});
    this.#resolve();
    return true;
  }

  hangUp(reason?: string): void {
    this.#hangUpReason = reason;
    this.#step('hangUp', {});
  }

  reoffer(sdp: string): Promise<ReofferOutcome> {
    const none = { status: 481, reason: 'There is no call' };
    return this.#liveSession()?.reoffer(sdp) ?? Promise.resolve(none);
  }

  refer(target: string, replaces?: ReplacedDialog): void {
    this.#liveSession()?.refer(target, replaces);
  }

  async sendInfoDtmf(digits: string, durationMs?: number): Promise<InfoDtmfOutcome> {
    const sent = this.#liveSession()?.sendInfoDtmf(digits, durationMs);
    return sent ?? { taken: 0, trouble: 'over' };
  }

  replaceable(): ReplacedDialog | undefined {
    const dialog = this.#liveSession()?.dialog;
    if (dialog === undefined) return undefined;
    return { callId: dialog.callId, toTag: dialog.remoteTag, fromTag: dialog.localTag };
  }

  #liveSession(): Session | undefined {
    return this.#state === 'established' ? this.#session : undefined;
  }

  /** A request of the peer under our Call-ID and tag (RFC 3261 section 12.2.2). */
  receive(request: SipRequest, replyTo: Hop): void {
    const server = this.#context.transactions.serve(request, replyTo, {
      onTimeout: () => {
        if (this.#session?.isUnacknowledged(request) === true) {
          this.#step('lost', { reason: 'No ACK to our answer' });
        }
      },
    });
    if (server === undefined) return;
    const session = this.#session;
    if (session !== undefined && isFromPeer(session.dialog, request)) {
      return session.receive(server, this.#state === 'over');
    }
    const before = this.#state !== 'established' && this.#state !== 'over';
    if (before) answerEarly(server, this.#early);
    else server.respond(makeReply(request, 481, 'Call Does Not Exist'));
  }

  /** The ACK of a 2xx we sent: a transaction of its own, so it comes here and not there. */
  acknowledge(ack: SipRequest): void {
    this.#session?.acknowledge(ack);
  }

  cancelOffer(): void {
    this.#session?.cancelOffer();
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
    if (move.to === 'over') this.#session?.end();
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
        return this.#sendBye(facts.dialog ?? this.#session?.dialog);
      case 'reportRinging':
        return this.#reportRinging(facts.response);
      case 'reportAnswered':
        return this.#reportAnswered(facts);
      case 'reportFailed':
        return this.#emit({
          kind: 'failed',
          status: facts.status ?? 500,
          reason: facts.reason ?? '',
        });
      case 'reportEndedByUs':
        return this.#emit({ kind: 'ended', by: 'us', ...reasonField(facts.reason) });
      case 'reportEndedByEndpoint':
        return this.#emit({ kind: 'ended', by: 'endpoint', ...reasonField(facts.reason) });
    }
  }

  #sendInvite(): void {
    const { hop, uri, credentials } = this.#route;
    if (hop === undefined) return;
    this.#sequence += 1;
    const answers = credentials.headersFor({ method: 'INVITE', uri });
    const { sipCallId: callId, localTag } = this;
    const sequence = this.#sequence;
    let sent: SipRequest | undefined;
    // After a challenge the old transaction still absorbs repetitions; they mean nothing now.
    const isCurrent = (): boolean => this.#invite === sent;
    this.#context.large.send({
      hop,
      build: (place) =>
        this.#route.invite(this.#context, place, { callId, localTag, sequence, answers }),
      onSent: (invite, place, transaction) => {
        this.#openTransactions += 1;
        sent = invite;
        this.#invite = invite;
        this.#sentTo = place;
        this.#transaction = transaction;
      },
      user: {
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
      },
    });
  }

  #receiveResponse(response: SipResponse, from: Hop): void {
    const { status, reason } = response;
    if (status < 200) return this.#receiveProvisional(response);
    if (status < 300) return this.#receiveAnswer(response);
    const live = this.#state === 'calling' || this.#state === 'proceeding';
    if (live) {
      if (this.#route.canSatisfy(response, from)) return this.#step('again', {});
      if (status === 503 && this.#route.hasOtherServers()) return this.#missed({});
      if (this.#redirect(response)) return;
    }
    return this.#step('refused', { status, reason: reason.slice(0, 200) });
  }

  #receiveProvisional(response: SipResponse): void {
    const live = this.#state === 'calling' || this.#state === 'proceeding';
    const invite = this.#invite;
    if (live && invite !== undefined && this.#early?.take(invite, response) === false) return;
    this.#step('provisional', { response });
  }

  /** A 2xx: the first one makes the call, a resent one gets its ACK again, another is a fork. */
  #receiveAnswer(response: SipResponse): void {
    const sequence = cseqOf(response)?.number ?? 0;
    const tag = tagOf(response, 'to');
    if (this.#sender?.repeatAck(tag, sequence) === true) {
      // A fork that we end with BYE may repeat itself too; that says nothing of this call.
      if (tag === this.#session?.dialog.remoteTag) this.#emit({ kind: 'answerRepeated' });
      return;
    }
    if (this.#invite === undefined || this.#sender?.isFull === true) return;
    const dialog = dialogFromAnswer(this.#invite, response);
    const early = this.#early?.answerOf(response) ?? '';
    const sdp = response.body.trim() === '' ? early : response.body;
    this.#step(sdp === '' ? 'answeredEmpty' : 'answered', {
      response,
      dialog,
      sdp,
      status: 488,
      reason: 'Answered without a session description',
    });
  }

  #sendCancel(): void {
    const hop = this.#sentTo;
    if (this.#cancelled || this.#invite === undefined || hop === undefined) return;
    this.#cancelled = true;
    this.#transaction?.cancelled();
    const cancel = cancelRequest(this.#invite, reasonHeader(this.#hangUpReason));
    this.#openTransactions += 1;
    // What becomes of the CANCEL itself tells nothing: the INVITE's final response counts.
    this.#context.transactions.request(cancel, hop, {
      onResponse: () => undefined,
      onTimeout: () => undefined,
      onSendFailed: () => undefined,
      onGone: () => this.#closeTransaction(),
    });
  }

  #acknowledge(dialog: Dialog | undefined): void {
    if (dialog === undefined || this.#invite === undefined) return;
    this.#sender?.acknowledge(dialog, this.#invite, dialog.localSequence);
  }

  /** Ends a dialog: that of the call, or that of a fork which came too late. */
  #sendBye(dialog: Dialog | undefined): void {
    if (dialog !== undefined) this.#sender?.bye(dialog, this.#hangUpReason);
  }

  #makeSender(target: Hop): DialogSender {
    const { random, wire, names, large, advertisedAddress } = this.#context;
    return new DialogSender({
      random,
      wire,
      names,
      large,
      advertisedAddress,
      credentials: this.#route.credentials,
      contactUser: this.#request.from.user,
      target,
      nextSequence: () => (this.#sequence += 1),
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

  #reportAnswered({ response, dialog, sdp = '' }: Facts): void {
    const [hop, sender] = [this.#sentTo, this.#sender];
    if (response === undefined || dialog === undefined) return;
    if (hop === undefined || sender === undefined) return;
    const { clock, random } = this.#context;
    const parts = {
      clock,
      random,
      sender,
      contact: sender.contactToward(hop),
      localSdp: this.#request.offer,
      emit: (event: SipCallEvent) => this.#emit(event),
      onBye: (request: SipRequest) => this.#step('peerBye', reasonOf(request)),
      onLost: (reason: string) => this.#step('lost', { reason }),
    };
    this.#session = new Session(parts, dialog, response);
    this.#emit({ kind: 'answered', sdp, dialog: saveDialog(dialog, hop) });
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
