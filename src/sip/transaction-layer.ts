import type { Clock, TimerHandle } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { callIdOf, cseqOf, topVia } from './header-fields.ts';
import { serialise, type SipMessage, type SipRequest, type SipResponse } from './message.ts';
import { Transaction, type TransactionInput, type TransactionOutput } from './transaction.ts';
import { isReliable, type Hop, type Wire } from './wire.ts';

/**
 * All transactions of the user agent: finds the one a message belongs to (RFC 3261 sections
 * 17.1.3 and 17.2.3), gives it the time, and carries its outputs to the wire and to its user.
 */
export type ClientUser = {
  onResponse(response: SipResponse, from: Hop): void;
  /** No final response in time. */
  onTimeout(): void;
  onSendFailed(): void;
  onGone?(): void;
};

export type ServerUser = {
  onAcknowledged?(): void;
  /** The ACK of our final response to an INVITE never came. */
  onTimeout?(): void;
};

export type ClientTransaction = { cancelled(): void };
export type ServerTransaction = {
  readonly request: SipRequest;
  respond(response: SipResponse): void;
  acknowledged(): void;
};

type Entry = {
  key: string;
  transaction: Transaction;
  hop: Hop;
  /** Where the message being handled came from. */
  from: Hop;
  user: Partial<ClientUser> & ServerUser;
  timer: TimerHandle | undefined;
};

/** Requests of peers beyond this are dropped; they are resent until there is room. */
const SERVER_LIMIT = 20_000;

export class TransactionLayer {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #wire: Wire;
  readonly #clients = new Map<string, Entry>();
  readonly #servers = new Map<string, Entry>();

  constructor(parts: { clock: Clock; log: Log; wire: Wire }) {
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#wire = parts.wire;
  }

  get count(): number {
    return this.#clients.size + this.#servers.size;
  }

  /** Requests of ours that wait for a final answer. */
  get unanswered(): number {
    const waiting = new Set(['calling', 'trying', 'proceeding', 'cancelling']);
    return [...this.#clients.values()].filter((entry) => waiting.has(entry.transaction.state))
      .length;
  }

  request(request: SipRequest, hop: Hop, user: ClientUser): ClientTransaction {
    const role = request.method === 'INVITE' ? 'inviteClient' : 'nonInviteClient';
    const entry = this.#open(this.#clients, clientKey(request), role, request, hop, user);
    return { cancelled: () => this.#feed(entry, { kind: 'cancelled' }) };
  }

  /** Gives a response to its transaction; one that belongs to none is dropped. */
  receive(response: SipResponse, from: Hop): void {
    const entry = this.#clients.get(clientKey(response));
    if (entry === undefined) return;
    entry.from = from;
    this.#feed(entry, { kind: 'response', response });
  }

  /** True when the request is a repetition, or the ACK of a refusal, and has been dealt with. */
  absorb(request: SipRequest): boolean {
    const entry = this.#servers.get(serverKey(request));
    if (entry === undefined) return false;
    this.#feed(entry, { kind: request.method === 'ACK' ? 'ack' : 'repeated' });
    return true;
  }

  isServing(key: string): boolean {
    return this.#servers.has(key);
  }

  /** Opens a server transaction; undefined when there are too many. */
  serve(request: SipRequest, hop: Hop, user: ServerUser): ServerTransaction | undefined {
    if (this.#servers.size >= SERVER_LIMIT) return undefined;
    const role = request.method === 'INVITE' ? 'inviteServer' : 'nonInviteServer';
    const entry = this.#open(this.#servers, serverKey(request), role, request, hop, user);
    return {
      request,
      respond: (response) => this.#feed(entry, { kind: 'response', response }),
      acknowledged: () => this.#feed(entry, { kind: 'ack' }),
    };
  }

  /** Stops every timer and forgets everything, without a word to anybody. */
  close(): void {
    for (const entry of [...this.#clients.values(), ...this.#servers.values()]) {
      entry.timer?.cancel();
    }
    this.#clients.clear();
    this.#servers.clear();
  }

  #open(
    table: Map<string, Entry>,
    key: string,
    role: Transaction['role'],
    request: SipRequest,
    hop: Hop,
    user: Entry['user'],
  ): Entry {
    const transaction = new Transaction(role, request, isReliable(hop.transport));
    const entry: Entry = { key, transaction, hop, from: hop, user, timer: undefined };
    table.set(key, entry);
    this.#run(entry, transaction.start(this.#clock.now()));
    return entry;
  }

  #feed(entry: Entry, input: TransactionInput): void {
    this.#run(entry, entry.transaction.handle(input, this.#clock.now()));
  }

  #run(entry: Entry, outputs: readonly TransactionOutput[]): void {
    // Re-arm first: an output may close the whole layer.
    this.#rearm(entry);
    for (const output of outputs) this.#perform(entry, output);
  }

  #rearm(entry: Entry): void {
    entry.timer?.cancel();
    entry.timer = undefined;
    const at = entry.transaction.nextWakeAt;
    if (at === undefined) return;
    entry.timer = this.#clock.after(at - this.#clock.now(), () => {
      this.#run(entry, entry.transaction.wake(this.#clock.now()));
    });
  }

  #perform(entry: Entry, output: TransactionOutput): void {
    switch (output.kind) {
      case 'send':
        return this.#send(entry, output.message);
      case 'response':
        return entry.user.onResponse?.(output.response, entry.from);
      case 'acknowledged':
        return entry.user.onAcknowledged?.();
      case 'timeout':
        return entry.user.onTimeout?.();
      case 'sendFailed':
        return entry.user.onSendFailed?.();
      case 'terminated':
        this.#forget(entry);
        return entry.user.onGone?.();
    }
  }

  #send(entry: Entry, message: SipMessage): void {
    this.#wire.send(serialise(message), entry.hop, (error) => {
      this.#log.debug({ err: error, method: entry.transaction.request.method }, 'SIP send failed');
      if (this.#isLive(entry)) this.#feed(entry, { kind: 'sendFailed' });
    });
  }

  #isLive(entry: Entry): boolean {
    return this.#clients.get(entry.key) === entry || this.#servers.get(entry.key) === entry;
  }

  #forget(entry: Entry): void {
    entry.timer?.cancel();
    if (this.#clients.get(entry.key) === entry) this.#clients.delete(entry.key);
    if (this.#servers.get(entry.key) === entry) this.#servers.delete(entry.key);
  }
}

/** Our own branch is unguessable; the method tells a CANCEL from its INVITE. */
function clientKey(message: SipMessage): string {
  const branch = topVia(message)?.parameters.get('branch') ?? '';
  return `${branch} ${cseqOf(message)?.method ?? ''}`;
}

/**
 * The branch of a peer may be missing or not unique (RFC 2543, RFC 4475 3.2.1), so Call-ID and
 * CSeq stand in the key beside it. An ACK belongs to its INVITE.
 */
export function serverKey(request: SipRequest, method: string = request.method): string {
  const via = topVia(request);
  const branch = via?.parameters.get('branch') ?? '';
  const of = method === 'ACK' ? 'INVITE' : method;
  const number = cseqOf(request)?.number ?? 0;
  return [branch, via?.sentBy ?? '', callIdOf(request), number, of].join(' ');
}
