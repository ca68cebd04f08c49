import type { Clock, TimerHandle } from '../platform/clock.ts';
import type { Random } from '../platform/random.ts';
import type { RequestOutcome } from './dialog-sender.ts';
import type { ReofferOutcome } from './sip.ts';

/**
 * Our own offers inside one dialog (re-INVITE, RFC 3261 section 14.1), one at a time:
 *
 *   idle -> sent -> idle                    answered or refused
 *   idle -> waiting -> sent                 an offer of the peer is under way and goes first
 *   sent -> backingOff -> sent | waiting    491: both sides offered at once
 *
 * Inputs that a state does not name change nothing.
 */
export const OWN_OFFER_MACHINE = {
  idle: { asked: 'sent', askedBusy: 'waiting' },
  waiting: { free: 'sent', ended: 'idle' },
  sent: { settled: 'idle', glare: 'backingOff', ended: 'idle' },
  backingOff: { due: 'sent', dueBusy: 'waiting', ended: 'idle' },
} as const;

type OfferState = keyof typeof OWN_OFFER_MACHINE;
type OfferInput =
  | 'asked'
  | 'askedBusy'
  | 'free'
  | 'settled'
  | 'glare'
  | 'due'
  | 'dueBusy'
  | 'ended';

/** A peer that says 491 more often than this will never take our offer. */
const GLARES_MAX = 4;

export type OwnOffersParts = {
  clock: Clock;
  random: Random;
  /** Whether an offer of the peer is under way. */
  isPeerBusy: () => boolean;
  send: (sdp: string, onOutcome: (outcome: RequestOutcome) => void) => void;
};

type Waiting = { sdp: string; tell: (outcome: ReofferOutcome) => void };

export class OwnOffers {
  readonly #parts: OwnOffersParts;
  #state: OfferState = 'idle';
  #offer: Waiting | undefined;
  #glares = 0;
  #timer: TimerHandle | undefined;

  constructor(parts: OwnOffersParts) {
    this.#parts = parts;
  }

  /** Whether the peer's offer would cross ours (it then gets 491). */
  get isOpen(): boolean {
    return this.#state === 'sent';
  }

  offer(sdp: string): Promise<ReofferOutcome> {
    if (this.#state !== 'idle') {
      return Promise.resolve({ status: 491, reason: 'Another offer of ours is under way' });
    }
    return new Promise((tell) => {
      this.#offer = { sdp, tell };
      this.#glares = 0;
      this.#step(this.#parts.isPeerBusy() ? 'askedBusy' : 'asked');
    });
  }

  /** The peer's offer has been settled. */
  free(): void {
    this.#step('free');
  }

  /** The dialog is over. */
  end(): void {
    this.#timer?.cancel();
    this.#step('ended');
    this.#tell({ status: 481, reason: 'The call is over' });
  }

  #step(input: OfferInput): void {
    const moves: Partial<Record<OfferInput, OfferState>> = OWN_OFFER_MACHINE[this.#state];
    const next = moves[input];
    if (next === undefined) return;
    this.#state = next;
    if (next === 'sent') this.#send();
    if (next === 'backingOff') this.#backOff();
  }

  #send(): void {
    const offer = this.#offer;
    if (offer === undefined) return;
    this.#parts.send(offer.sdp, (outcome) => {
      if (this.#state !== 'sent' || this.#offer !== offer) return;
      if (outcome.kind !== 'response') {
        return this.#settle({ status: 408, reason: 'No answer to our offer' });
      }
      const { status, reason, body } = outcome.response;
      if (status === 491 && this.#glares < GLARES_MAX) return this.#step('glare');
      if (status >= 300) return this.#settle({ status, reason });
      const answered = body.trim() !== '';
      this.#settle(answered ? { sdp: body } : { status: 488, reason: 'Answered without SDP' });
    });
  }

  #backOff(): void {
    this.#glares += 1;
    // The Call-ID is ours, so our wait is the longer one: 2.1 to 4 s in steps of 10 ms.
    const waitMs = 2100 + 10 * this.#parts.random.below(191);
    this.#timer = this.#parts.clock.after(waitMs, () => {
      this.#step(this.#parts.isPeerBusy() ? 'dueBusy' : 'due');
    });
  }

  #settle(outcome: ReofferOutcome): void {
    this.#step('settled');
    this.#tell(outcome);
  }

  #tell(outcome: ReofferOutcome): void {
    const offer = this.#offer;
    this.#offer = undefined;
    offer?.tell(outcome);
  }
}
