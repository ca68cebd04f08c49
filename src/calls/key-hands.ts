import type { MediaEvent, MediaLeg } from '../media/media.ts';
import type { InfoDtmfOutcome } from '../sip/sip.ts';
import type { HandPorts } from './call-session.ts';
import type { EndpointHands } from './endpoint-hands.ts';
import type { EndpointCall } from './endpoint-leg.ts';
import type { MediaHands } from './media-hands.ts';
import type { OrderCode } from './order-codes.ts';

const CODES: Readonly<Record<NonNullable<InfoDtmfOutcome['trouble']>, OrderCode>> = {
  refused: 'keys_refused',
  unanswered: 'keys_unanswered',
  over: 'call_over',
};

/**
 * Keys for the legs of one call: in the audio where the leg takes RFC 4733, and by SIP INFO to an
 * endpoint that does not. A key goes one of these ways, never both.
 */
export class KeyHands {
  readonly #ports: HandPorts;
  readonly #media: MediaHands;
  readonly #endpoints: EndpointHands;

  constructor(ports: HandPorts, media: MediaHands, endpoints: EndpointHands) {
    this.#ports = ports;
    this.#media = media;
    this.#endpoints = endpoints;
    media.listen((event) => {
      if (event.kind === 'unsentDigit') void this.#unsent(event);
    });
  }

  /** Presses keys toward a leg; why they did not all get there, or null. */
  async press(leg: MediaLeg, digits: string): Promise<OrderCode | null> {
    const media = this.#media.call;
    if (media === null) return 'call_over';
    if (leg === 'endpoint') {
      const call = this.#endpoints.callOf();
      if (call?.takesEvents === undefined) return 'call_not_up';
      if (!call.takesEvents) return this.#pressByInfo(call, digits);
    }
    media.sendDtmf(leg, digits);
    this.#note(leg, digits.length);
    return null;
  }

  async #pressByInfo(call: EndpointCall, digits: string): Promise<OrderCode | null> {
    const { taken, trouble } = await call.sendInfoDtmf(digits);
    if (taken > 0) this.#note('endpoint', taken);
    return trouble === null ? null : CODES[trouble];
  }

  /** Mostly the customer's own key, which nobody waits for. */
  async #unsent(event: Extract<MediaEvent, { kind: 'unsentDigit' }>): Promise<void> {
    const { digit, durationMs, legId } = event;
    const call = this.#endpoints.callOf(legId);
    const { trouble } = (await call?.sendInfoDtmf(digit, durationMs)) ?? { trouble: 'over' };
    if (trouble === null || trouble === 'over') return;
    const { log, callId } = this.#ports;
    log.warn({ callId, reason: CODES[trouble] }, 'a key did not reach the endpoint');
  }

  #note(leg: MediaLeg, count: number): void {
    this.#ports.note({ type: 'CallDigitsSent', at: this.#ports.clock.now(), leg, count });
  }
}
