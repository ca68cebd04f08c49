import { AGENT_LEFT, NO_MEDIA, type AgentId, type AgentLines } from '../agents/agent.ts';
import { sipTarget, type Endpoint, type EndpointTarget } from '../endpoints/endpoint.ts';
import { mayTryNext } from '../endpoints/failover.ts';
import { guardNamedByPeer, guardTarget, type GuardSettings } from '../endpoints/target-guard.ts';
import type { MediaCall } from '../media/media.ts';
import type { Clock } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import { isRefused } from '../platform/refusal.ts';
import type { Log } from '../platform/log.ts';
import type {
  InfoDtmfOutcome,
  InviteRequest,
  Referral,
  ReofferOutcome,
  ReplacedDialog,
  SipCall,
  SipCallEvent,
  SipUserAgent,
} from '../sip/sip.ts';
import type { CallState } from './call.ts';
import type { CallFact } from './call-rules.ts';
import { inviteHeaders } from './invite-headers.ts';

/** The leg toward the business: INVITE, what comes of it, and the media that belongs to it. */
export type EndpointLegPorts = {
  sip: SipUserAgent;
  /** People in their browsers; absent where nobody can be one. */
  agents?: AgentLines;
  clock: Clock;
  log: Log;
  advertisedAddress: string;
  report: (fact: CallFact) => void;
  hangUp: (by: 'platform' | 'endpoint', reason: string) => void;
  /** False once the call goes down: an endpoint that was not invited yet stays undisturbed. */
  isWanted: () => boolean;
  /** What the other side does inside the answered leg; a transfer is refused when nobody asks. */
  told?: (told: LegTold) => void;
};

/** What the endpoint says inside an answered leg, beside its end. */
export type LegTold =
  | ({ kind: 'referred' } & Referral)
  | { kind: 'held'; held: boolean }
  | { kind: 'answerRepeated' }
  | { kind: 'key'; digit: string; durationMs: number };

/** The media of this one leg. */
export type LegMedia = Pick<
  MediaCall,
  'openEndpoint' | 'applyEndpointAnswer' | 'answerEndpointOffer'
>;

export type EndpointLegTarget = {
  /** Its targets stand in the order in which they are called. */
  endpoint: Endpoint;
  customerLabel: string;
  /** What may be called at all, as it stands right now. */
  guard: GuardSettings;
  /** The one agent to be rung, where the endpoint is people in browsers. */
  only?: AgentId;
  /** For a transfer that the endpoint asked for: whom it replaces, and who asked. */
  referral?: Pick<InviteRequest, 'replaces' | 'referredBy'>;
};

/**
 * Invites the endpoint: its first target, and the next one where the endpoint's failover says so.
 * Where SRTP is only preferred, a target that will not have it gets a second INVITE in plain RTP.
 * Trouble of any kind becomes `EndpointFailed` facts, never an exception.
 */
export async function inviteEndpoint(
  ports: EndpointLegPorts,
  media: LegMedia,
  target: EndpointLegTarget,
  call: Pick<CallState, 'plan' | 'facts'>,
): Promise<EndpointCall | null> {
  const leg = new Leg(ports, media, target, call);
  return (await leg.begin()) ? leg : null;
}

export type EndpointCall = SipCall & {
  /** Its SDP has telephone-event (RFC 4733); undefined while its audio is not agreed. */
  readonly takesEvents: boolean | undefined;
};

/** RFC 3261 section 21.4.26, and what PBXs say instead of 488 when they know no SRTP. */
const NOT_ACCEPTABLE = new Set([415, 488, 606]);
/** Agents whose browsers could not be connected, until the leg is given up. */
const NO_MEDIA_MAX = 3;

/** One leg toward the endpoint, whichever of its INVITEs makes it. */
class Leg implements EndpointCall {
  readonly #ports: EndpointLegPorts;
  readonly #media: LegMedia;
  readonly #target: EndpointLegTarget;
  readonly #about: Pick<CallState, 'plan' | 'facts'>;
  readonly #startedAt: number;
  /** How many targets have been called, the present one included. */
  #tried = 0;
  #unconnected = 0;
  #call: SipCall | null = null;
  #hungUp = false;
  #takesEvents: boolean | undefined;

  constructor(
    ports: EndpointLegPorts,
    media: LegMedia,
    target: EndpointLegTarget,
    about: Pick<CallState, 'plan' | 'facts'>,
  ) {
    this.#ports = ports;
    this.#media = media;
    this.#target = target;
    this.#about = about;
    this.#startedAt = ports.clock.now();
  }

  get sipCallId(): string {
    return this.#call?.sipCallId ?? '';
  }

  hangUp(reason?: string): void {
    this.#hungUp = true;
    this.#call?.hangUp(reason);
  }

  reoffer(sdp: string): Promise<ReofferOutcome> {
    const none = { status: 481, reason: 'Not answered' };
    return this.#call?.reoffer(sdp) ?? Promise.resolve(none);
  }

  refer(target: string, replaces?: ReplacedDialog): void {
    this.#call?.refer(target, replaces);
  }

  get takesEvents(): boolean | undefined {
    return this.#takesEvents;
  }

  async sendInfoDtmf(digits: string, durationMs?: number): Promise<InfoDtmfOutcome> {
    const outcome = await this.#call?.sendInfoDtmf(digits, durationMs);
    return outcome ?? { taken: 0, trouble: 'over' };
  }

  replaceable(): ReplacedDialog | undefined {
    return this.#call?.replaceable();
  }

  /** Calls the first target; false when no INVITE went out. */
  async begin(): Promise<boolean> {
    const first = this.#target.endpoint.targets[0];
    if (first === undefined) return false;
    this.#tried = 1;
    return this.#invite(first, first.srtp !== 'off');
  }

  async #invite(target: EndpointTarget, srtp: boolean): Promise<boolean> {
    const { log, advertisedAddress } = this.#ports;
    const callId = this.#about.plan.id;
    const { codecs, options } = this.#target.endpoint;
    const browser = options.agents !== undefined;
    const offer = await this.#media
      .openEndpoint({ codecs, advertisedAddress, srtp, browser })
      .catch((error: unknown) => {
        log.warn({ callId, error: errorText(error) }, 'no media port for the endpoint');
        this.#ports.hangUp('platform', 'media_no_capacity');
        return null;
      });
    if (offer === null || this.#hungUp || !this.#ports.isWanted()) return false;
    // The rules may have been narrowed since the call was taken in.
    const guarded = browser ? null : guardTarget(target.uri, this.#target.guard);
    if (guarded !== null && isRefused(guarded)) {
      this.#ports.hangUp('platform', guarded.refused.code);
      return false;
    }
    try {
      this.#call = this.#send(target, offer, srtp);
    } catch (error) {
      log.warn({ callId, error: errorText(error) }, 'the INVITE cannot be sent');
      this.#ports.hangUp('endpoint', 'endpoint_unavailable');
      return false;
    }
    const { sipCallId } = this.#call;
    const at = this.#ports.clock.now();
    this.#ports.report({ type: 'EndpointInvited', at, sipCallId, target: target.uri });
    return true;
  }

  #send(target: EndpointTarget, offer: string, srtp: boolean): SipCall {
    const { endpoint, customerLabel, guard, only } = this.#target;
    const { agents: options } = endpoint.options;
    const { agents } = this.#ports;
    if (options !== undefined && agents !== undefined) {
      const { id: callId, accountId } = this.#about.plan;
      const { ringTimeoutMs } = endpoint;
      return agents.ring(
        { accountId, callId, options, offer, ringTimeoutMs, ...(only && { only }) },
        (event) => void this.#onSipEvent(event, target, srtp),
      );
    }
    const own = endpoint.targets.map(({ uri }) => uri);
    return this.#ports.sip.invite(
      {
        target: sipTarget(target),
        from: { user: customerLabel, displayName: 'WhatsApp customer' },
        headers: inviteHeaders(this.#about, endpoint.options),
        offer,
        ringTimeoutMs: endpoint.ringTimeoutMs,
        ...this.#target.referral,
        mayFollow: (uri) => !isRefused(guardNamedByPeer(uri, guard, own)),
      },
      (event) => void this.#onSipEvent(event, target, srtp),
    );
  }

  /** SRTP given up, the next target, or the end. */
  async #onFailed(status: number, reason: string, target: EndpointTarget, srtp: boolean) {
    if (target.srtp === 'preferred' && srtp && NOT_ACCEPTABLE.has(status)) {
      await this.#invite(target, false);
      return;
    }
    const { clock, report, hangUp } = this.#ports;
    const at = clock.now();
    report({ type: 'EndpointFailed', at, status, reason });
    const { targets, options } = this.#target.endpoint;
    const next = targets[this.#tried];
    const soFar = { status, tried: this.#tried, elapsedMs: at - this.#startedAt };
    const goesOn = next !== undefined && !this.#hungUp && this.#ports.isWanted();
    if (goesOn && mayTryNext(options.failover, soFar)) {
      this.#tried += 1;
      await this.#invite(next, next.srtp !== 'off');
      return;
    }
    hangUp('endpoint', endpointReason(status));
  }

  /** A browser that cannot be connected says nothing of the next agent's. */
  async #onNoMedia(target: EndpointTarget): Promise<void> {
    const isAgent = this.#target.endpoint.options.agents !== undefined;
    this.#unconnected += 1;
    const goesOn = isAgent && this.#unconnected < NO_MEDIA_MAX;
    if (goesOn && !this.#hungUp && this.#ports.isWanted()) await this.#invite(target, false);
    else this.#ports.hangUp('endpoint', 'endpoint_codec_refused');
  }

  async #onSipEvent(event: SipCallEvent, target: EndpointTarget, srtp: boolean): Promise<void> {
    const { clock, log, report, hangUp } = this.#ports;
    const at = clock.now();
    switch (event.kind) {
      case 'ringing':
        report({ type: 'EndpointRinging', at });
        return;
      case 'answered':
        try {
          this.#takesEvents = (await this.#media.applyEndpointAnswer(event.sdp)).dtmf;
          report({ type: 'EndpointAnswered', at, dialog: event.dialog });
        } catch (error) {
          log.warn(
            { callId: this.#about.plan.id, error: errorText(error) },
            'endpoint SDP not usable',
          );
          this.#call?.hangUp(NO_MEDIA);
          report({ type: 'EndpointFailed', at, status: 488, reason: 'unusable SDP answer' });
          await this.#onNoMedia(target);
        }
        return;
      case 'failed':
        await this.#onFailed(event.status, event.reason, target, srtp);
        return;
      case 'offered':
        await this.#media.answerEndpointOffer(event.sdp).then(
          (sdp) => {
            // Ours mirrors theirs in this (RFC 3264 section 6.1).
            this.#takesEvents = /^a=rtpmap:\d+ telephone-event\//m.test(sdp);
            event.reply({ sdp });
            this.#ports.told?.({ kind: 'held', held: holdsCall(event.sdp) });
          },
          () => event.reply({ status: 488 }),
        );
        return;
      case 'referred':
        if (this.#ports.told === undefined) event.reject(405, 'Method Not Allowed');
        else this.#ports.told(event);
        return;
      case 'answerRepeated':
        this.#ports.told?.(event);
        return;
      case 'infoDtmf':
        this.#ports.told?.({ kind: 'key', digit: event.digit, durationMs: event.durationMs });
        return;
      case 'referProgress':
        return;
      case 'ended':
        report({ type: 'EndpointEnded', at });
        if (event.by === 'us') return;
        hangUp('endpoint', event.reason === AGENT_LEFT ? 'agent_media_lost' : 'endpoint_hung_up');
        return;
    }
  }
}

/** RFC 3264 section 8.4, and the address of zeros that RFC 2543 had for it. */
export function holdsCall(offer: string): boolean {
  return /^a=(sendonly|inactive)\r?$/m.test(offer) || /^c=IN IP4 0\.0\.0\.0\r?$/m.test(offer);
}

const REASONS: ReadonlyMap<number, string> = new Map([
  [401, 'endpoint_auth_failed'],
  [403, 'endpoint_forbidden'],
  [404, 'endpoint_not_found'],
  [407, 'endpoint_auth_failed'],
  [408, 'endpoint_no_answer'],
  [480, 'endpoint_no_answer'],
  [486, 'endpoint_busy'],
  [488, 'endpoint_codec_refused'],
  [600, 'endpoint_busy'],
  [603, 'endpoint_declined'],
]);

/** The end reason for a SIP status: RFC 3261 section 21, in our words. */
export function endpointReason(status: number): string {
  return REASONS.get(status) ?? (status >= 500 ? 'endpoint_unavailable' : 'endpoint_refused');
}
