import type { Random } from '../platform/random.ts';
import { dialogRequest, placeToward, reasonHeader, viaHeader } from './call-requests.ts';
import type { Dialog } from './dialog.ts';
import type { DigestCredentials } from './digest.ts';
import { findHop } from './hops.ts';
import { headersOf, serialise, type SipHeader, type SipRequest } from './message.ts';
import type { ClientUser, TransactionLayer } from './transaction-layer.ts';
import type { Hop, Names, Wire } from './wire.ts';

/**
 * ACK and BYE in the dialogs of one call. There may be several: each branch of a forked INVITE
 * that answers makes one, and each has to be acknowledged, again for every repeated 2xx
 * (RFC 3261 section 13.2.2.4).
 */
export type DialogSenderParts = {
  random: Random;
  wire: Wire;
  transactions: TransactionLayer;
  names: Names;
  advertisedAddress?: string;
  credentials: DigestCredentials;
  /** Where the INVITE went: the only place that credentials go, and the last resort for others. */
  target: Hop;
  /** A BYE is under way, or has been dealt with; told in pairs. */
  onOpen: () => void;
  onDone: () => void;
};

/** An ACK as it was sent, or `pending` while its next hop is looked up. */
type Acknowledged = { bytes: Buffer; hop: Hop } | 'pending';

/** More forks than this are left unacknowledged; their sides time out by themselves. */
const FORKS_MAX = 8;

export class DialogSender {
  readonly #parts: DialogSenderParts;
  readonly #acknowledged = new Map<string, Acknowledged>();

  constructor(parts: DialogSenderParts) {
    this.#parts = parts;
  }

  get isFull(): boolean {
    return this.#acknowledged.size >= FORKS_MAX;
  }

  /** Sends the ACK of a dialog once more; false when there has been none. */
  repeatAck(remoteTag: string): boolean {
    const sent = this.#acknowledged.get(remoteTag);
    if (sent === undefined) return false;
    if (sent !== 'pending') this.#parts.wire.send(sent.bytes, sent.hop, () => undefined);
    return true;
  }

  acknowledge(dialog: Dialog, invite: SipRequest): void {
    this.#acknowledged.set(dialog.remoteTag, 'pending');
    // RFC 3261 section 22.1: the ACK repeats the credentials of its INVITE.
    const credentials = ['Authorization', 'Proxy-Authorization'].flatMap((name) =>
      headersOf(invite, name.toLowerCase()).map((value): SipHeader => [name, value]),
    );
    this.#withHop(dialog, (hop) => {
      const via = this.#viaTo(hop);
      const extra = this.#isTarget(hop) ? credentials : [];
      const sequence = dialog.localSequence;
      const bytes = serialise(dialogRequest(dialog, { method: 'ACK', sequence, via, extra }));
      this.#acknowledged.set(dialog.remoteTag, { bytes, hop });
      // Should it get lost, the peer repeats its 2xx and this is sent again.
      this.#parts.wire.send(bytes, hop, () => undefined);
    });
  }

  bye(dialog: Dialog, reason: string | undefined): void {
    this.#parts.onOpen();
    const sequence = dialog.localSequence + 1;
    this.#withHop(dialog, (hop) => this.#attemptBye(dialog, sequence, hop, reasonHeader(reason)));
  }

  #attemptBye(dialog: Dialog, sequence: number, hop: Hop, reason: readonly SipHeader[]): void {
    const { credentials, transactions, onOpen, onDone } = this.#parts;
    const via = this.#viaTo(hop);
    const bare = dialogRequest(dialog, { method: 'BYE', sequence, via, extra: reason });
    const answers = this.#isTarget(hop) ? credentials.headersFor(bare) : [];
    const user: ClientUser = {
      onResponse: (response, from) => {
        const challenge = response.status === 401 || response.status === 407;
        if (!challenge || !this.#isTarget(hop) || !this.#isTarget(from)) return;
        if (!credentials.accept(response)) return;
        onOpen();
        this.#attemptBye(dialog, sequence + 1, hop, reason);
      },
      // The call is over for us with the BYE, whatever becomes of it (RFC 3261 15.1.1).
      onTimeout: () => undefined,
      onSendFailed: () => undefined,
      onGone: onDone,
    };
    transactions.request({ ...bare, headers: [...bare.headers, ...answers] }, hop, user);
  }

  #withHop(dialog: Dialog, use: (hop: Hop) => void): void {
    findHop(dialog, this.#parts.target, this.#parts.names, use);
  }

  #isTarget(hop: Hop): boolean {
    return hop.address === this.#parts.target.address;
  }

  #viaTo(hop: Hop): SipHeader {
    const { wire, random, advertisedAddress } = this.#parts;
    return viaHeader(hop, placeToward(wire, hop, advertisedAddress), random);
  }
}
