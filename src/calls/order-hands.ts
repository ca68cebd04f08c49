import { isRefused } from '../platform/refusal.ts';
import { guardTarget } from '../endpoints/target-guard.ts';
import { ENDPOINT_LEGS_MAX, type MediaCall, type Sound } from '../media/media.ts';
import { errorText } from '../platform/failure.ts';
import type { EndpointId } from '../platform/ids.ts';
import type { CallState } from './call.ts';
import type { CallOrder, LegPurpose, OrderWish } from './call-control.ts';
import type { RecordOrder } from './call-hands.ts';
import { finishOrder, takeOrder, waitingOrders } from './call-orders.ts';
import type { HandPorts, SessionTarget } from './call-session.ts';
import type { EndpointHands, LegWish } from './endpoint-hands.ts';
import type { KeyHands } from './key-hands.ts';
import type { MediaHands } from './media-hands.ts';
import type { OrderCode } from './order-codes.ts';
import type { ReturnHands } from './return-hands.ts';
import type { Outcome, TransferHands } from './transfer-hands.ts';

const BUILTIN = ['ringing', 'hold_music', 'beep', 'silence'] as const;

export type OrderPartners = {
  media: MediaHands;
  endpoints: EndpointHands;
  transfers: TransferHands;
  returns: ReturnHands;
  keys: KeyHands;
  record: (order: RecordOrder) => Promise<boolean>;
};

/**
 * Follows the orders that stand in the row. Each is taken in a transaction before it is done and
 * its outcome is recorded after it, so a gateway that dies in between leaves an order that nobody
 * repeats. They are begun in the order they were given; one that takes long, such as a transfer,
 * does not keep the next one waiting.
 */
export class OrderHands {
  readonly #ports: HandPorts;
  readonly #target: SessionTarget;
  readonly #with: OrderPartners;
  /** Endpoints that listen, or are being called to, by the leg they have. */
  readonly #listeners = new Map<EndpointId, string>();

  constructor(ports: HandPorts, target: SessionTarget, partners: OrderPartners) {
    this.#ports = ports;
    this.#target = target;
    this.#with = partners;
  }

  /** Begins every order that waits in this state. */
  async work(state: CallState): Promise<void> {
    const { desk, callId } = this.#ports;
    for (const { id } of waitingOrders(state)) {
      const { news, state: now } = await desk.decide(callId, 'platform', (before, at) =>
        takeOrder(before, id, at),
      );
      const taken = news.some(({ type }) => type === 'CallOrderTaken');
      const order = now.facts.control?.orders.find((other) => other.id === id);
      if (taken && order !== undefined) this.#follow(order);
    }
  }

  /** A listener hung up. */
  onLegGone(legId: string, reason: string): void {
    for (const [endpointId, listening] of this.#listeners) {
      if (listening === legId) this.#forget(endpointId, legId, reason);
    }
  }

  #follow(order: CallOrder): void {
    const { decide, log, callId } = this.#ports;
    const finish = (code: Outcome): void =>
      decide((state, now) => finishOrder(state, order.id, code, now));
    this.#do(order).then(finish, (error: unknown) => {
      const { action } = order.wish;
      log.error({ callId, action, error: errorText(error) }, 'order not followed');
      finish('order_failed' satisfies OrderCode);
    });
  }

  async #do({ wish }: CallOrder): Promise<Outcome> {
    const media = this.#with.media.call;
    if (media === null) return 'call_over' satisfies OrderCode;
    switch (wish.action) {
      case 'hang_up':
        return null;
      case 'transfer':
        return this.#transfer(wish);
      case 'complete_transfer':
        return this.#with.transfers.complete();
      case 'cancel_transfer':
        return this.#with.transfers.cancel();
      case 'add_listener':
        return this.#addListener(media, wish);
      case 'remove_listener':
        return this.#removeListener(wish.endpointId);
      case 'play':
        return this.#play(wish);
      case 'send_dtmf':
        return this.#with.keys.press(wish.leg, wish.digits);
      case 'start_recording':
      case 'pause_recording':
      case 'resume_recording':
      case 'stop_recording':
        return this.#record(wish.action);
      default:
        return this.#atOnce(media, wish);
    }
  }

  /** What the media does in the same breath. Doing it twice changes nothing. */
  #atOnce(media: MediaCall, wish: QuickWish): Outcome {
    const { media: hands } = this.#with;
    const { note, clock } = this.#ports;
    const at = clock.now();
    switch (wish.action) {
      case 'hold':
        if (hands.heldBy !== null) return null;
        hands.heldBy = 'business';
        media.hold();
        note({ type: 'CallHeld', at, by: 'business' });
        return null;
      case 'resume':
        if (hands.heldBy === null) return null;
        note({ type: 'CallResumed', at, by: hands.heldBy });
        hands.heldBy = null;
        if (!this.#with.transfers.isOpen && !this.#with.returns.isOpen) media.resume();
        return null;
      case 'mute':
      case 'unmute': {
        const muted = wish.action === 'mute';
        media.setMuted(wish.leg, muted);
        note({ type: muted ? 'CallMuted' : 'CallUnmuted', at, leg: wish.leg });
        return null;
      }
      case 'stop_playing':
        media.stopPlaying(wish.leg);
        return null;
    }
  }

  async #transfer(wish: Extract<OrderWish, { action: 'transfer' }>): Promise<Outcome> {
    // Whoever is waited for would come back into a call that is somebody else's.
    if (this.#with.returns.isOpen) return 'agent_awaited' satisfies OrderCode;
    const leg = await this.#legWish(wish.endpointId, 'transfer');
    if (typeof leg === 'string') return leg;
    return this.#with.transfers.transfer(wish.mode, leg, 'business');
  }

  async #addListener(
    media: MediaCall,
    wish: Extract<OrderWish, { action: 'add_listener' }>,
  ): Promise<Outcome> {
    const { endpointId, mode } = wish;
    const { note, clock } = this.#ports;
    const known = this.#listeners.get(endpointId);
    if (known !== undefined) {
      media.addListener(known, mode);
      note({ type: 'CallListenerAdded', at: clock.now(), legId: known, endpointId, mode });
      return null;
    }
    const leg = await this.#legWish(endpointId, 'listener');
    if (typeof leg === 'string') return leg;
    const { legId, answered } = this.#with.endpoints.begin(media, leg);
    this.#listeners.set(endpointId, legId);
    const end = await answered;
    if (!end.up) {
      this.#listeners.delete(endpointId);
      return end.reason;
    }
    media.addListener(legId, mode);
    note({ type: 'CallListenerAdded', at: clock.now(), legId, endpointId, mode });
    return null;
  }

  #removeListener(endpointId: EndpointId): Outcome {
    const legId = this.#listeners.get(endpointId);
    if (legId === undefined) return 'listener_unknown' satisfies OrderCode;
    this.#with.media.call?.removeListener(legId);
    this.#forget(endpointId, legId, 'removed');
    this.#with.endpoints.drop(legId, 'removed');
    return null;
  }

  #forget(endpointId: EndpointId, legId: string, reason: string): void {
    this.#listeners.delete(endpointId);
    const at = this.#ports.clock.now();
    this.#ports.note({ type: 'CallListenerRemoved', at, legId, reason });
  }

  /** The endpoint to invite, as it may be called right now; or why not. */
  async #legWish(endpointId: EndpointId, purpose: LegPurpose): Promise<LegWish | string> {
    if (this.#with.endpoints.furtherLegs >= ENDPOINT_LEGS_MAX - 1) {
      return 'legs_full' satisfies OrderCode;
    }
    const endpoint = await this.#ports.endpointOf(this.#ports.state().plan, endpointId);
    if (endpoint === null) return 'endpoint_not_found';
    const sipTargets = endpoint.options.agents === undefined ? endpoint.targets : [];
    for (const { uri } of sipTargets) {
      const guarded = guardTarget(uri, this.#target.guard);
      if (isRefused(guarded)) return guarded.refused.code;
    }
    return { endpoint, endpointId, purpose };
  }

  /** A loop is done when it is on; anything else when it has been heard, or stopped. */
  async #play(wish: Extract<OrderWish, { action: 'play' }>): Promise<Outcome> {
    const { leg, loop, interrupt } = wish;
    const sound = await this.#sound(wish.sound);
    if (sound === null) return 'sound_unknown' satisfies OrderCode;
    const end = this.#with.media.play(leg, sound, { loop, interrupt });
    if (loop) return null;
    return (await end).trouble === null ? null : ('sound_unplayable' satisfies OrderCode);
  }

  async #sound(name: string): Promise<Sound | null> {
    const builtin = BUILTIN.find((known) => known === name);
    if (builtin !== undefined) return { kind: 'builtin', name: builtin };
    return (await this.#ports.promptOf?.(this.#ports.state().plan, name)) ?? null;
  }

  async #record(action: RecordAction): Promise<Outcome> {
    const done = await this.#with.record(RECORD_ORDERS[action]);
    return done ? null : ('recording_unavailable' satisfies OrderCode);
  }
}

type QuickWish = Extract<
  OrderWish,
  { action: 'hold' | 'resume' | 'mute' | 'unmute' | 'stop_playing' }
>;
type RecordAction = 'start_recording' | 'pause_recording' | 'resume_recording' | 'stop_recording';

const RECORD_ORDERS: Readonly<Record<RecordAction, RecordOrder>> = {
  start_recording: 'start',
  pause_recording: 'pause',
  resume_recording: 'resume',
  stop_recording: 'stop',
};
