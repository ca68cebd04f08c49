import type { Clock, TimerHandle } from '../platform/clock.ts';
import type { InDialogRequest } from './dialog-sender.ts';
import { cseqOf } from './header-fields.ts';
import { headerOf, type SipHeader, type SipRequest } from './message.ts';
import { makeReply } from './reply.ts';
import { parseReferTo } from './refer-values.ts';
import type { SipCallEvent } from './sip.ts';
import type { ServerTransaction } from './transaction-layer.ts';

/**
 * The peer's REFER (RFC 3515): it asks us to call somebody else and is told by NOTIFY how that
 * goes. One at a time. As moves:
 *
 *   asked -> accepted -> over        202, NOTIFY 100, NOTIFY of each progress and of the outcome
 *   asked -> over                    refused by our user, or not answered by it in time
 */
export const PEER_REFER_MACHINE = {
  asked: { accept: 'accepted', reject: 'over', timeout: 'over', ended: 'over' },
  accepted: { outcome: 'over', ended: 'over' },
  over: {},
} as const;

type ReferState = keyof typeof PEER_REFER_MACHINE;
type ReferInput = 'accept' | 'reject' | 'timeout' | 'outcome' | 'ended';

export type PeerReferParts = {
  clock: Clock;
  contact: SipHeader;
  send: (request: InDialogRequest) => void;
  emit: (event: SipCallEvent) => void;
};

/** Our user has this long to take a REFER or leave it. */
const DECIDE_MS = 10_000;
/** How long the subscription that a REFER makes may last, in seconds: a long ringing. */
const SUBSCRIPTION_S = 180;
const REFERRED_BY_MAX = 1024;

export class PeerRefers {
  readonly #parts: PeerReferParts;
  #open: PeerRefer | undefined;
  #count = 0;

  constructor(parts: PeerReferParts) {
    this.#parts = parts;
  }

  receive(server: ServerTransaction): void {
    const { request } = server;
    const asked = parseReferTo(request);
    if (asked === undefined) return server.respond(makeReply(request, 400, 'Bad Refer-To'));
    if (this.#open?.isOpen === true) {
      return server.respond(makeReply(request, 491, 'Another transfer is under way'));
    }
    this.#count += 1;
    const refer = new PeerRefer(this.#parts, server, this.#count > 1);
    this.#open = refer;
    const referredBy = headerOf(request, 'referred-by')?.slice(0, REFERRED_BY_MAX);
    this.#parts.emit({
      kind: 'referred',
      ...asked,
      ...(referredBy === undefined ? {} : { referredBy }),
      accept: () => refer.accept(),
      notify: (status, reason) => refer.notify(status, reason),
      reject: (status, reason) => refer.reject(status, reason),
    });
  }

  /** The dialog is over, and its subscriptions with it. */
  end(): void {
    this.#open?.end();
  }
}

class PeerRefer {
  readonly #parts: PeerReferParts;
  readonly #server: ServerTransaction;
  readonly #event: string;
  /** RFC 4488: a peer that wants no notifications. */
  readonly #silent: boolean;
  #state: ReferState = 'asked';
  readonly #timer: TimerHandle;

  constructor(parts: PeerReferParts, server: ServerTransaction, later: boolean) {
    this.#parts = parts;
    this.#server = server;
    // RFC 3515 section 2.4.6: later REFERs of a dialog are told apart by their CSeq.
    const id = cseqOf(server.request)?.number ?? 0;
    this.#event = later ? `refer;id=${id}` : 'refer';
    this.#silent = wantsSilence(server.request);
    this.#timer = parts.clock.after(DECIDE_MS, () => {
      if (this.#step('timeout')) this.#respond(480, 'Not decided in time');
    });
  }

  get isOpen(): boolean {
    return this.#state !== 'over';
  }

  accept(): void {
    if (!this.#step('accept')) return;
    this.#respond(202, 'Accepted', this.#silent ? [['Refer-Sub', 'false']] : []);
    // RFC 3515 section 2.4.4: the first NOTIFY follows at once.
    this.#notify(100, 'Trying', false);
  }

  reject(status: number, reason: string): void {
    if (!this.#step('reject')) return;
    this.#respond(status >= 300 && status <= 699 ? status : 603, reason);
  }

  notify(status: number, reason: string): void {
    if (this.#state !== 'accepted' || status < 100 || status > 699) return;
    const final = status >= 200;
    if (final) this.#step('outcome');
    this.#notify(status, reason, final);
  }

  end(): void {
    // A REFER that nobody has answered is ended with its dialog (RFC 3261 15.1.2).
    const unanswered = this.#state === 'asked';
    if (this.#step('ended') && unanswered) this.#respond(487, 'Request Terminated');
  }

  #step(input: ReferInput): boolean {
    const moves: Partial<Record<ReferInput, ReferState>> = PEER_REFER_MACHINE[this.#state];
    const next = moves[input];
    if (next === undefined) return false;
    this.#state = next;
    this.#timer.cancel();
    return true;
  }

  #respond(status: number, reason: string, extra: readonly SipHeader[] = []): void {
    const headers = [this.#parts.contact, ...extra];
    this.#server.respond(makeReply(this.#server.request, status, oneLine(reason), { headers }));
  }

  #notify(status: number, reason: string, final: boolean): void {
    if (this.#silent) return;
    const state = final ? 'terminated;reason=noresource' : `active;expires=${SUBSCRIPTION_S}`;
    this.#parts.send({
      method: 'NOTIFY',
      extra: [
        ['Event', this.#event],
        ['Subscription-State', state],
      ],
      contentType: 'message/sipfrag;version=2.0',
      body: `SIP/2.0 ${status} ${oneLine(reason)}\r\n`,
    });
  }
}

function wantsSilence(request: SipRequest): boolean {
  return headerOf(request, 'refer-sub')?.split(';', 1)[0]?.trim().toLowerCase() === 'false';
}

function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what it looks for
  return text.replace(/[\u0000-\u001f\u007f]+/g, ' ').slice(0, 200);
}
