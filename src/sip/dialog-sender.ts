import type { Random } from '../platform/random.ts';
import {
  contactHeader,
  dialogRequest,
  placeToward,
  reasonHeader,
  viaHeader,
  type DialogRequestParts,
} from './call-requests.ts';
import type { Dialog } from './dialog.ts';
import type { DigestCredentials } from './digest.ts';
import { findHop } from './hops.ts';
import type { LargeRequests } from './large-requests.ts';
import { headersOf, serialise, type SipHeader } from './message.ts';
import type { SipRequest, SipResponse } from './message.ts';
import type { ClientUser } from './transaction-layer.ts';
import type { Hop, Names, Wire } from './wire.ts';

/**
 * Requests in the dialogs of one call. There may be several: each branch of a forked INVITE
 * that answers makes one, and each has to be acknowledged, again for every repeated 2xx
 * (RFC 3261 section 13.2.2.4).
 */
export type DialogSenderParts = {
  random: Random;
  wire: Wire;
  names: Names;
  large: LargeRequests;
  advertisedAddress?: string | undefined;
  credentials: DigestCredentials;
  /** The user part of our Contact. */
  contactUser: string;
  /** Where the INVITE went: the only place that credentials go, and the last resort for others. */
  target: Hop;
  /** The next CSeq number of the call. */
  nextSequence: () => number;
  /** A transaction is under way, or has been dealt with; told in pairs. */
  onOpen: () => void;
  onDone: () => void;
};

export type InDialogRequest = {
  method: Exclude<DialogRequestParts['method'], 'ACK'>;
  extra?: readonly SipHeader[];
  contentType?: string;
  body?: string;
};

/** How a request ended: with a final response, or without one. */
export type RequestOutcome =
  | { kind: 'response'; request: SipRequest; response: SipResponse }
  | { kind: 'timeout' }
  | { kind: 'unsendable' };

type Attempt = {
  dialog: Dialog;
  what: InDialogRequest;
  hop: Hop;
  onOutcome: (outcome: RequestOutcome) => void;
};

/** An ACK as it was sent, or without bytes while its next hop is looked up. */
type Acknowledged = { sequence: number; sent?: { bytes: Buffer; hop: Hop } };

/** More forks than this are left unacknowledged; their sides time out by themselves. */
const FORKS_MAX = 8;
/** These carry our Contact (RFC 3261 table 3, RFC 3311, RFC 3515). */
const WITH_CONTACT = new Set(['INVITE', 'UPDATE', 'REFER', 'NOTIFY']);

export class DialogSender {
  readonly #parts: DialogSenderParts;
  /** The last ACK of each dialog, by the peer's tag. */
  readonly #acknowledged = new Map<string, Acknowledged>();

  constructor(parts: DialogSenderParts) {
    this.#parts = parts;
  }

  get isFull(): boolean {
    return this.#acknowledged.size >= FORKS_MAX;
  }

  /** Sends the ACK of a 2xx once more; false when there has been none. */
  repeatAck(remoteTag: string, sequence: number): boolean {
    const last = this.#acknowledged.get(remoteTag);
    if (last === undefined || last.sequence < sequence) return false;
    const { sent } = last;
    if (sent !== undefined && last.sequence === sequence) {
      this.#parts.wire.send(sent.bytes, sent.hop, () => undefined);
    }
    return true;
  }

  /** Acknowledges a 2xx to an INVITE or re-INVITE with this CSeq number. */
  acknowledge(dialog: Dialog, invite: SipRequest, sequence: number): void {
    this.#acknowledged.set(dialog.remoteTag, { sequence });
    // RFC 3261 section 22.1: the ACK repeats the credentials of its INVITE.
    const credentials = ['Authorization', 'Proxy-Authorization'].flatMap((name) =>
      headersOf(invite, name.toLowerCase()).map((value): SipHeader => [name, value]),
    );
    this.#withHop(dialog, (hop) => {
      const via = this.#viaTo(hop);
      const extra = this.#isTarget(hop) ? credentials : [];
      const bytes = serialise(dialogRequest(dialog, { method: 'ACK', sequence, via, extra }));
      this.#acknowledged.set(dialog.remoteTag, { sequence, sent: { bytes, hop } });
      // Should it get lost, the peer repeats its 2xx and this is sent again.
      this.#parts.wire.send(bytes, hop, () => undefined);
    });
  }

  /** The call is over for us with the BYE, whatever becomes of it (RFC 3261 15.1.1). */
  bye(dialog: Dialog, reason: string | undefined): void {
    this.request(dialog, { method: 'BYE', extra: reasonHeader(reason) }, () => undefined);
  }

  /** Sends a request in the dialog, with credentials where they are asked for. */
  request(
    dialog: Dialog,
    what: InDialogRequest,
    onOutcome: (outcome: RequestOutcome) => void,
  ): void {
    this.#parts.onOpen();
    this.#withHop(dialog, (hop) => {
      this.#attempt({ dialog, what, hop, onOutcome });
      this.#parts.onDone();
    });
  }

  #attempt(attempt: Attempt): void {
    const { dialog, what, hop, onOutcome } = attempt;
    const { large, onOpen, onDone, nextSequence } = this.#parts;
    const sequence = nextSequence();
    let request: SipRequest | undefined;
    const user: ClientUser = {
      onResponse: (response, from) => {
        if (request === undefined || response.status < 200) return;
        if (this.#isAnswerable(response, hop, from)) return this.#attempt(attempt);
        onOutcome({ kind: 'response', request, response });
      },
      onTimeout: () => onOutcome({ kind: 'timeout' }),
      onSendFailed: () => onOutcome({ kind: 'unsendable' }),
      onGone: onDone,
    };
    large.send({
      hop,
      user,
      build: (place) => this.#build(dialog, what, sequence, place),
      onSent: (sent) => {
        onOpen();
        request = sent;
      },
    });
  }

  /** A challenge that came from where the secret belongs. */
  #isAnswerable(response: SipResponse, hop: Hop, from: Hop): boolean {
    const challenge = response.status === 401 || response.status === 407;
    if (!challenge || !this.#isTarget(hop) || !this.#isTarget(from)) return false;
    return this.#parts.credentials.accept(response);
  }

  #build(dialog: Dialog, what: InDialogRequest, sequence: number, hop: Hop): SipRequest {
    const { method, extra = [], contentType = 'application/sdp', body = '' } = what;
    const via = this.#viaTo(hop);
    const bare = dialogRequest(dialog, { method, sequence, via, extra });
    const answers = this.#isTarget(hop) ? this.#parts.credentials.headersFor(bare) : [];
    const contact = WITH_CONTACT.has(method) ? [this.contactToward(hop)] : [];
    const type: SipHeader[] = body === '' ? [] : [['Content-Type', contentType]];
    const more = [...contact, ...answers, ...type];
    return more.length === 0 ? bare : { ...bare, headers: [...bare.headers, ...more], body };
  }

  contactToward(hop: Hop): SipHeader {
    const { wire, advertisedAddress, contactUser } = this.#parts;
    return contactHeader(hop, placeToward(wire, hop, advertisedAddress), contactUser);
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
