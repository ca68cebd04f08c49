import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Random } from '../platform/random.ts';
import { Call, type CallContext } from './call.ts';
import { callIdOf, tagOf } from './header-fields.ts';
import { LargeRequests } from './large-requests.ts';
import { parseMessage, serialise, type SipHeader, type SipRequest } from './message.ts';
import { ALLOW, CAPABILITIES, makeReply, replyHop, stampSource } from './reply.ts';
import { screenRequest, screenResponse } from './screening.ts';
import { endLostDialog } from './lost-dialog.ts';
import { askOptions } from './options-request.ts';
import { openRegistration } from './register-request.ts';
import type {
  InviteRequest,
  OptionsOutcome,
  SavedDialog,
  SipCall,
  SipCallEvent,
  SipRegistration,
  SipTarget,
} from './sip.ts';
import { serverKey, TransactionLayer } from './transaction-layer.ts';
import type { Hop, Names, OnBytes, Wire } from './wire.ts';

/**
 * The user agent without sockets: bytes come in by `receive`, go out by the wire. It takes no
 * calls: requests outside a dialog of ours are answered without keeping any state
 * (RFC 3261 section 8.2.7), so a flood of them costs time but no memory.
 */
export type AgentParts = {
  clock: Clock;
  random: Random;
  log: Log;
  wire: Wire;
  names: Names;
  advertisedAddress?: string;
};

/** RFC 3261 section 21.5.2: methods that exist but are not for us get 405, all others 501. */
const KNOWN_METHODS = new Set(
  'REGISTER MESSAGE SUBSCRIBE PUBLISH REFER UPDATE PRACK INFO NOTIFY BYE'.split(' '),
);

/** An endpoint that takes longer than this for OPTIONS would not answer an INVITE well either. */
const OPTIONS_MS = 5000;

export class AgentCore {
  readonly #parts: AgentParts;
  readonly #transactions: TransactionLayer;
  readonly #large: LargeRequests;
  readonly #calls = new Map<string, Call>();
  /** What every call needs, made once: it has many fields and calls are many. */
  readonly #context: CallContext;
  #refusing = false;
  #closed = false;

  constructor(parts: AgentParts) {
    this.#parts = parts;
    this.#transactions = new TransactionLayer(parts);
    this.#large = new LargeRequests({ ...parts, transactions: this.#transactions });
    this.#context = {
      ...parts,
      transactions: this.#transactions,
      large: this.#large,
      onGone: (call) => {
        if (this.#calls.get(call.sipCallId) === call) this.#calls.delete(call.sipCallId);
      },
    };
  }

  /** Calls that still need messages, and transactions. */
  get liveCount(): number {
    return this.#calls.size + this.#transactions.count;
  }

  /** Requests of ours that still wait for their final answer. */
  get unanswered(): number {
    return this.#transactions.unanswered;
  }

  invite(request: InviteRequest, onEvent: (event: SipCallEvent) => void): SipCall {
    const call = new Call(this.#context, request, onEvent);
    if (this.#refusing) {
      const reason = 'The SIP user agent is closed';
      queueMicrotask(() => onEvent({ kind: 'failed', status: 503, reason }));
      return call;
    }
    this.#calls.set(call.sipCallId, call);
    call.start();
    return call;
  }

  /** See `SipUserAgent.endLost`. */
  endLost(saved: SavedDialog, target: SipTarget, reason?: string): void {
    const parts = { ...this.#parts, large: this.#large };
    if (endLostDialog(parts, saved, target, reason)) return;
    this.#parts.log.warn('a saved SIP dialog could not be read');
  }

  /** See `SipUserAgent.options`. */
  options(target: SipTarget, timeoutMs = OPTIONS_MS): Promise<OptionsOutcome> {
    const outcome = { status: 503, reason: 'The SIP user agent is closed', roundTripMs: 0 };
    if (this.#refusing) return Promise.resolve(outcome);
    return askOptions({ ...this.#parts, transactions: this.#transactions }, target, timeoutMs);
  }

  /** See `SipUserAgent.registration`. */
  registration(target: SipTarget): SipRegistration {
    return openRegistration({ ...this.#parts, transactions: this.#transactions }, target);
  }

  /** Whatever the network brought. Never throws: a fault of ours costs one message only. */
  readonly receive: OnBytes = (bytes, from) => {
    if (this.#closed) return;
    try {
      this.#receive(bytes, from);
    } catch (error) {
      this.#parts.log.error({ err: error }, 'SIP message could not be handled');
    }
  };

  /** Ends every call and takes no new one. */
  hangUpAll(): void {
    this.#refusing = true;
    for (const call of this.#calls.values()) call.hangUp();
  }

  /** Forgets everything. No timer of ours runs afterwards. */
  close(): void {
    this.#closed = true;
    this.#refusing = true;
    this.#transactions.close();
    this.#calls.clear();
  }

  #receive(bytes: Uint8Array, from: Hop): void {
    const parsed = parseMessage(bytes);
    if ('fault' in parsed) {
      this.#parts.log.debug({ fault: parsed.fault }, 'SIP message ignored');
      return;
    }
    const { message } = parsed;
    if (message.kind === 'request') this.#receiveRequest(stampSource(message, from), from);
    else if (screenResponse(message)) this.#transactions.receive(message, from);
  }

  #receiveRequest(request: SipRequest, from: Hop): void {
    const replyTo = replyHop(request, from);
    const screened = screenRequest(request);
    if (screened !== undefined) {
      const { status, reason, headers = [] } = screened;
      return this.#answer(request, replyTo, status, reason, headers);
    }
    if (this.#transactions.absorb(request)) return;
    const call = this.#callOf(request);
    if (request.method === 'ACK') return call?.acknowledge(request);
    if (request.method === 'CANCEL') {
      // RFC 3261 9.2: answered by itself; the request it cancels gets its own 487.
      const known =
        call !== undefined && this.#transactions.isServing(serverKey(request, 'INVITE'));
      if (known) call.cancelOffer();
      return known
        ? this.#answer(request, replyTo, 200, 'OK')
        : this.#answer(request, replyTo, 481, 'Transaction Does Not Exist');
    }
    if (call !== undefined) return call.receive(request, replyTo);
    if (tagOf(request, 'to') !== '') {
      return this.#answer(request, replyTo, 481, 'Call Does Not Exist');
    }
    return this.#answerOutsideDialog(request, replyTo);
  }

  /** The call a request belongs to: both its Call-ID and the tag we gave must be right. */
  #callOf(request: SipRequest): Call | undefined {
    const call = this.#calls.get(callIdOf(request));
    return call?.localTag === tagOf(request, 'to') ? call : undefined;
  }

  #answerOutsideDialog(request: SipRequest, replyTo: Hop): void {
    switch (request.method) {
      case 'OPTIONS':
        return this.#answer(request, replyTo, 200, 'OK', CAPABILITIES);
      case 'INVITE':
        return this.#answer(request, replyTo, 403, 'This gateway takes no calls');
      default:
        return KNOWN_METHODS.has(request.method)
          ? this.#answer(request, replyTo, 405, 'Method Not Allowed', [ALLOW])
          : this.#answer(request, replyTo, 501, 'Not Implemented', [ALLOW]);
    }
  }

  #answer(
    request: SipRequest,
    replyTo: Hop,
    status: number,
    reason: string,
    headers: readonly SipHeader[] = [],
  ): void {
    // RFC 3261 17.1.1.3: an ACK is never answered, not even a wrong one.
    if (request.method === 'ACK') return;
    const reply = makeReply(request, status, reason, { headers });
    this.#parts.wire.send(serialise(reply), replyTo, () => undefined);
  }
}
