import type { MediaCall } from '../media/media.ts';
import type { SipCall } from '../sip/sip.ts';
import type { CallPlan } from './call.ts';
import type { HandPorts, SessionTarget } from './call-session.ts';
import { inviteEndpoint, type EndpointLegPorts } from './endpoint-leg.ts';

/** The SIP side of one session: the leg that the call was planned with. */
export class EndpointHands {
  readonly #ports: HandPorts;
  readonly #target: SessionTarget;
  #leg: SipCall | null = null;
  #inviting = false;

  constructor(ports: HandPorts, target: SessionTarget) {
    this.#ports = ports;
    this.#target = target;
  }

  /** Invites the planned endpoint, once. */
  invite(media: MediaCall, plan: CallPlan): void {
    if (this.#inviting) return;
    this.#inviting = true;
    const legPorts: EndpointLegPorts = this.#ports;
    void inviteEndpoint(legPorts, media, this.#target, plan).then((leg) => {
      this.#leg = leg;
      if (this.#ports.isDone()) leg?.hangUp();
      this.#ports.poke();
    });
  }

  /** Ends every leg; may be called again and again. */
  hangUp(reason?: string): void {
    this.#leg?.hangUp(reason);
  }
}
