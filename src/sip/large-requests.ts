import type { Clock } from '../platform/clock.ts';
import type { SipRequest } from './message.ts';
import type { ClientTransaction, ClientUser, TransactionLayer } from './transaction-layer.ts';
import type { Hop, Wire } from './wire.ts';

/**
 * Requests that would not fit a datagram go by TCP (RFC 3261 section 18.1.1), where the URI left
 * the transport open; a peer that takes no TCP gets them by UDP after all, and for a while is not
 * asked for TCP again, because finding out may cost seconds of a caller's time.
 */
const DATAGRAM_MAX = 1300;
const REMEMBER_MS = 600_000;
const REMEMBERED_MAX = 1000;

export type Outgoing = {
  /** Makes the request; its Via and Contact name the transport of the hop. */
  build: (hop: Hop) => SipRequest;
  hop: Hop;
  user: ClientUser;
  /** Told for each transaction that is opened: two when TCP was tried in vain. */
  onSent: (request: SipRequest, hop: Hop, transaction: ClientTransaction) => void;
};

export class LargeRequests {
  readonly #clock: Clock;
  readonly #wire: Wire;
  readonly #transactions: TransactionLayer;
  /** When TCP toward an address last failed. */
  readonly #failedAt = new Map<string, number>();

  constructor(parts: { clock: Clock; wire: Wire; transactions: TransactionLayer }) {
    this.#clock = parts.clock;
    this.#wire = parts.wire;
    this.#transactions = parts.transactions;
  }

  send(outgoing: Outgoing): void {
    const { build, hop, user } = outgoing;
    const request = build(hop);
    if (!this.#mayGrow(hop) || sizeOf(request) <= DATAGRAM_MAX) {
      return this.#open(outgoing, request, hop, user);
    }
    const stream: Hop = { ...hop, transport: 'tcp' };
    this.#open(outgoing, build(stream), stream, {
      ...user,
      onSendFailed: () => {
        this.#remember(hop);
        this.#open(outgoing, build(hop), hop, user);
      },
    });
  }

  #open({ onSent }: Outgoing, request: SipRequest, hop: Hop, user: ClientUser): void {
    onSent(request, hop, this.#transactions.request(request, hop, user));
  }

  #mayGrow(hop: Hop): boolean {
    if (hop.transport !== 'udp' || hop.mayChange !== true || !this.#wire.speaks('tcp')) {
      return false;
    }
    const failedAt = this.#failedAt.get(placeOf(hop));
    return failedAt === undefined || this.#clock.monotonic() - failedAt > REMEMBER_MS;
  }

  #remember(hop: Hop): void {
    if (this.#failedAt.size >= REMEMBERED_MAX) this.#failedAt.clear();
    this.#failedAt.set(placeOf(hop), this.#clock.monotonic());
  }
}

function placeOf({ address, port }: Hop): string {
  return `${address} ${port}`;
}

/** Bytes on the wire, a few too many rather than too few. */
function sizeOf({ method, uri, headers, body }: SipRequest): number {
  const lines = headers.reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value) + 4,
    0,
  );
  return method.length + uri.length + lines + Buffer.byteLength(body) + 36;
}
