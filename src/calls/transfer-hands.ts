import { guardNamedByPeer } from '../endpoints/target-guard.ts';
import { errorText } from '../platform/failure.ts';
import type { EndpointId } from '../platform/ids.ts';
import { isRefused } from '../platform/refusal.ts';
import type { Referral } from '../sip/sip.ts';
import { parseSipUri } from '../sip/uri.ts';
import { currentEndpoint, type TransferMode } from './call-control.ts';
import type { EndpointAddress, HandPorts, SessionTarget } from './call-session.ts';
import type { EndpointHands, LegWish } from './endpoint-hands.ts';
import type { MediaHands } from './media-hands.ts';
import type { OrderCode } from './order-codes.ts';

/** Null: done. Else why not: a code of `order-codes.ts` or an end code. */
export type Outcome = string | null;

type OpenTransfer = {
  mode: TransferMode;
  legId: string;
  /** The other endpoint is there and speaks with the one before. */
  isConsulting: boolean;
  /** The one before hung up meanwhile: there is nobody to go back to. */
  isLeft: boolean;
  /** Who asked for it is told of its success while their own leg still stands. */
  onSuccess: () => void;
};

/**
 * Moves the customer from one endpoint to another, one transfer at a time. Meanwhile the customer
 * hears music; WhatsApp's leg knows nothing of it. Whatever fails, the endpoint from before has
 * the customer back, as long as it is there.
 */
export class TransferHands {
  readonly #ports: HandPorts;
  readonly #target: SessionTarget;
  readonly #endpoints: EndpointHands;
  readonly #media: MediaHands;
  #open: OpenTransfer | null = null;

  constructor(
    ports: HandPorts,
    target: SessionTarget,
    endpoints: EndpointHands,
    media: MediaHands,
  ) {
    this.#ports = ports;
    this.#target = target;
    this.#endpoints = endpoints;
    this.#media = media;
    endpoints.onCurrentGone = (reason) => this.#onCurrentGone(reason);
  }

  /** The customer hears music because of a transfer. */
  get isOpen(): boolean {
    return this.#open !== null;
  }

  /** Calls the other endpoint; done when a blind one is over, an attended one can be completed. */
  async transfer(
    mode: TransferMode,
    wish: LegWish,
    by: 'business' | 'endpoint',
    onSuccess: () => void = () => {},
  ): Promise<Outcome> {
    const media = this.#media.call;
    if (media === null) return 'call_over' satisfies OrderCode;
    if (this.#open !== null) return 'transfer_under_way' satisfies OrderCode;
    media.hold();
    const { legId, answered } = this.#endpoints.begin(media, wish);
    const open: OpenTransfer = { mode, legId, isConsulting: false, isLeft: false, onSuccess };
    this.#open = open;
    const { endpointId } = wish;
    const at = this.#ports.clock.now();
    this.#ports.note({ type: 'CallTransferStarted', at, mode, by, legId, endpointId });
    const end = await answered;
    // It was cancelled, and the leg with it; or the call is over.
    if (this.#open !== open) return end.up ? null : end.reason;
    if (!end.up) return this.#failed(open, end.reason);
    if (mode === 'blind' || open.isLeft) return this.#complete(open);
    open.isConsulting = true;
    // Hold has taken the customer out: the two endpoints hear each other, and nobody else.
    media.addListener(legId, 'whisper');
    return null;
  }

  complete(): Outcome {
    if (this.#open === null) return 'no_transfer' satisfies OrderCode;
    if (!this.#open.isConsulting) return 'transfer_not_answered' satisfies OrderCode;
    return this.#complete(this.#open);
  }

  cancel(): Outcome {
    const open = this.#open;
    if (open === null) return 'no_transfer' satisfies OrderCode;
    this.#failed(open, 'transfer_canceled' satisfies OrderCode);
    return null;
  }

  /** The other endpoint of a consultation hung up. */
  onLegGone(legId: string, reason: string): void {
    if (this.#open?.legId === legId) this.#failed(this.#open, reason);
  }

  /** The PBX asks for a transfer (REFER, RFC 3515); it is told how it goes by NOTIFY. */
  async referred(referral: Referral): Promise<void> {
    const { log, callId, isWanted, note, clock } = this.#ports;
    const addresses = await this.#addresses();
    const own = addresses.map(({ uri }) => uri);
    const guarded = guardNamedByPeer(referral.target, this.#target.guard, own);
    if (isRefused(guarded)) {
      const { code } = guarded.refused;
      log.warn({ callId, code }, 'the endpoint asked for a transfer out of bounds');
      note({ type: 'CallTransferRefused', at: clock.now(), code });
      referral.reject(403, 'Forbidden');
      return;
    }
    if (this.#open !== null || !isWanted()) return referral.reject(491, 'Request Pending');
    referral.accept();
    referral.notify(180, 'Ringing');
    const wish = await this.#referredWish(referral, addresses);
    // RFC 5589 section 6.1: the outcome is told in the dialog that its success ends.
    const tell = (): void => referral.notify(200, 'OK');
    const outcome = await this.transfer('blind', wish, 'endpoint', tell);
    if (outcome !== null) referral.notify(statusOf(outcome), 'Transfer failed');
  }

  /** Without the database the planned endpoint's own addresses are all that is known. */
  async #addresses(): Promise<readonly EndpointAddress[]> {
    const { addressesOf, state, log, callId } = this.#ports;
    const { id: endpointId, targets } = this.#target.endpoint;
    try {
      return await addressesOf(state().plan);
    } catch (error) {
      log.error({ callId, error: errorText(error) }, 'endpoints not read for a transfer');
      return targets.map(({ uri }) => ({ endpointId, uri }));
    }
  }

  /**
   * The endpoint that has this address, or one on the same host: its credentials fit there. Any
   * other host, which an allow-list has let pass, is called without credentials.
   */
  async #referredWish(
    { target: uri, replaces, referredBy }: Referral,
    addresses: readonly EndpointAddress[],
  ): Promise<LegWish> {
    const like =
      addresses.find((address) => address.uri === uri) ??
      addresses.find((address) => sameHost(address.uri, uri));
    const { endpointOf, state } = this.#ports;
    const known = like === undefined ? null : await endpointOf(state().plan, like.endpointId);
    const endpoint = known ?? this.#target.endpoint;
    const model = endpoint.targets.find((one) => one.uri === like?.uri) ?? endpoint.targets[0];
    const secret = known === null ? { username: null, password: null } : {};
    return {
      endpoint: { ...endpoint, targets: model === undefined ? [] : [{ ...model, ...secret, uri }] },
      endpointId: known?.id ?? this.#currentId(),
      purpose: 'transfer',
      referral: {
        ...(replaces === undefined ? {} : { replaces }),
        ...(referredBy === undefined ? {} : { referredBy }),
      },
    };
  }

  #currentId(): EndpointId {
    const { plan, facts } = this.#ports.state();
    return currentEndpoint(plan, facts);
  }

  #complete(open: OpenTransfer): Outcome {
    const media = this.#media.call;
    this.#open = null;
    if (media === null) return 'call_over' satisfies OrderCode;
    const { legId } = open;
    if (open.isConsulting) media.removeListener(legId);
    open.onSuccess();
    this.#endpoints.use(media, legId, 'transferred');
    // Whoever comes on the line is heard at once, also after a hold of the one before.
    media.resume();
    const at = this.#ports.clock.now();
    this.#ports.note({ type: 'CallTransferred', at, legId });
    for (const by of this.#media.endHolds()) this.#ports.note({ type: 'CallResumed', at, by });
    return null;
  }

  #failed(open: OpenTransfer, reason: string): Outcome {
    if (this.#open !== open) return reason;
    this.#open = null;
    const { legId } = open;
    const media = this.#media.call;
    if (open.isConsulting) media?.removeListener(legId);
    const at = this.#ports.clock.now();
    this.#ports.note({ type: 'CallTransferFailed', at, legId, reason });
    this.#endpoints.drop(legId, reason);
    if (open.isLeft) this.#ports.hangUp('endpoint', 'transfer_failed');
    else if (this.#media.heldBy === null) media?.resume();
    return reason;
  }

  /** The endpoint that had the customer hung up: in the middle of a transfer, it means go on. */
  #onCurrentGone(_reason: string): boolean {
    const open = this.#open;
    if (open === null || !this.#ports.isWanted()) return false;
    if (open.isConsulting) this.#complete(open);
    else open.isLeft = true;
    return true;
  }
}

function sameHost(one: string, other: string): boolean {
  const host = parseSipUri(one)?.host.toLowerCase();
  return host !== undefined && host === parseSipUri(other)?.host.toLowerCase();
}

/** What a NOTIFY says of an end reason; RFC 3515 wants a SIP status. */
function statusOf(reason: string): number {
  if (reason === 'endpoint_busy') return 486;
  if (reason === 'endpoint_no_answer') return 408;
  if (reason === 'endpoint_not_found') return 404;
  if (reason === 'endpoint_declined') return 603;
  return reason === 'target_not_voip' || reason === 'target_not_allowed' ? 403 : 503;
}
