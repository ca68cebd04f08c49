import type { AgentId } from '../agents/agent.ts';
import { errorText } from '../platform/failure.ts';
import type { MediaCall } from '../media/media.ts';
import { currentEndpoint } from './call-control.ts';
import type { HandPorts } from './call-session.ts';
import type { EndpointHands, LegWish } from './endpoint-hands.ts';
import type { MediaHands } from './media-hands.ts';

/** The end code of a call whose agent's browser is gone for good. */
const GONE = 'agent_media_lost';

/**
 * An agent's page was loaded again, or their browser died, in the middle of a call: the customer
 * hears music while the same agent is rung once more. Who does not come back in time is somebody
 * who is not there, and the endpoint's `whenNobody` says what the customer hears then.
 */
export class ReturnHands {
  readonly #ports: HandPorts;
  readonly #endpoints: EndpointHands;
  readonly #media: MediaHands;
  #open = false;

  constructor(ports: HandPorts, endpoints: EndpointHands, media: MediaHands) {
    this.#ports = ports;
    this.#endpoints = endpoints;
    this.#media = media;
    const before = endpoints.onCurrentGone;
    endpoints.onCurrentGone = (reason) => before(reason) || this.#onCurrentGone(reason);
  }

  /** The customer hears music because an agent is waited for. */
  get isOpen(): boolean {
    return this.#open;
  }

  #onCurrentGone(reason: string): boolean {
    // Their media is often missed once more after their word.
    if (this.#open) return true;
    const { facts, status } = this.#ports.state();
    const agentId = facts.endpoint?.agentId;
    const media = this.#media.call;
    if (reason !== GONE || agentId === undefined || media === null) return false;
    if (status !== 'bridged' || !this.#ports.isWanted()) return false;
    this.#open = true;
    void this.#await(media, agentId as AgentId);
    return true;
  }

  async #await(media: MediaCall, agentId: AgentId): Promise<void> {
    const { note, clock } = this.#ports;
    // Whom the agent had on hold hears the music already, and hears it on until they resume.
    const wasHeld = this.#media.heldBy !== null;
    media.hold();
    if (!wasHeld) note({ type: 'CallHeld', at: clock.now(), by: 'platform' });
    const legId = await this.#ring(media, agentId);
    this.#open = false;
    if (!this.#ports.isWanted()) return;
    const at = clock.now();
    if (legId !== null) {
      this.#endpoints.use(media, legId, 'agent_returned');
      note({ type: 'LegTaken', at, legId });
      if (this.#media.heldBy !== null) return;
    }
    const ended = legId === null ? this.#media.endHolds() : [];
    media.resume();
    for (const by of wasHeld ? ended : (['platform', ...ended] as const)) {
      note({ type: 'CallResumed', at, by });
    }
    if (legId !== null || this.#endpoints.onNobody(GONE)) return;
    this.#ports.hangUp('endpoint', GONE);
  }

  /** The leg on which the agent is back; null where they do not come. */
  async #ring(media: MediaCall, only: AgentId): Promise<string | null> {
    const wish = await this.#wish(only).catch((error: unknown) => {
      const { log, callId } = this.#ports;
      log.error({ callId, error: errorText(error) }, 'agent not called back');
      return null;
    });
    if (wish === null || !this.#ports.isWanted()) return null;
    const { answered } = this.#endpoints.begin(media, wish);
    const end = await answered;
    return end.up ? end.legId : null;
  }

  async #wish(only: AgentId): Promise<LegWish | null> {
    const { plan, facts } = this.#ports.state();
    const endpointId = currentEndpoint(plan, facts);
    const endpoint = await this.#ports.endpointOf(plan, endpointId);
    const agents = endpoint?.options.agents;
    if (endpoint === null || agents === undefined || agents.returnMs === 0) return null;
    const patient = { ...endpoint, ringTimeoutMs: agents.returnMs };
    return { endpoint: patient, endpointId, purpose: 'return', only };
  }
}
