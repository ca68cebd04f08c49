import type { Endpoint } from '../endpoints/endpoint.ts';
import type { MediaCall } from '../media/media.ts';
import type { Clock } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import type { Log } from '../platform/log.ts';
import type {
  ReofferOutcome,
  ReplacedDialog,
  SipCall,
  SipCallEvent,
  SipTarget,
  SipUserAgent,
} from '../sip/sip.ts';
import type { CallPlan } from './call.ts';
import type { CallFact } from './call-rules.ts';

/** The leg toward the business: INVITE, what comes of it, and the media that belongs to it. */
export type EndpointLegPorts = {
  sip: SipUserAgent;
  clock: Clock;
  log: Log;
  advertisedAddress: string;
  report: (fact: CallFact) => void;
  hangUp: (by: 'platform' | 'endpoint', reason: string) => void;
  /** False once the call goes down: an endpoint that was not invited yet stays undisturbed. */
  isWanted: () => boolean;
};

export type EndpointLegTarget = { endpoint: Endpoint; customerLabel: string };

/**
 * Sends the INVITE, and where SRTP is only preferred a second one in plain RTP if the endpoint
 * will not have the first. Trouble of any kind becomes an `EndpointFailed` fact, never an
 * exception.
 */
export async function inviteEndpoint(
  ports: EndpointLegPorts,
  media: MediaCall,
  target: EndpointLegTarget,
  plan: CallPlan,
): Promise<SipCall | null> {
  const leg = new Leg(ports, media, target, plan);
  const call = await leg.invite(target.endpoint.srtp !== 'off');
  return call === null ? null : leg;
}

/** RFC 3261 section 21.4.26, and what PBXs say instead of 488 when they know no SRTP. */
const NOT_ACCEPTABLE = new Set([415, 488, 606]);

/** One leg toward the endpoint, whichever of its INVITEs makes it. */
class Leg implements SipCall {
  readonly #ports: EndpointLegPorts;
  readonly #media: MediaCall;
  readonly #target: EndpointLegTarget;
  readonly #plan: CallPlan;
  #call: SipCall | null = null;
  #hungUp = false;

  constructor(
    ports: EndpointLegPorts,
    media: MediaCall,
    target: EndpointLegTarget,
    plan: CallPlan,
  ) {
    this.#ports = ports;
    this.#media = media;
    this.#target = target;
    this.#plan = plan;
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

  sendInfoDtmf(digit: string, durationMs?: number): void {
    this.#call?.sendInfoDtmf(digit, durationMs);
  }

  replaceable(): ReplacedDialog | undefined {
    return this.#call?.replaceable();
  }

  async invite(srtp: boolean): Promise<SipCall | null> {
    const { log, advertisedAddress, clock } = this.#ports;
    const { id: callId } = this.#plan;
    const { codecs } = this.#target.endpoint;
    const offer = await this.#media
      .openEndpoint({ codecs, advertisedAddress, srtp })
      .catch((error: unknown) => {
        log.warn({ callId, error: errorText(error) }, 'no media port for the endpoint');
        this.#ports.hangUp('platform', 'media_no_capacity');
        return null;
      });
    if (offer === null || this.#hungUp || !this.#ports.isWanted()) return null;
    try {
      this.#call = this.#send(offer, srtp);
    } catch (error) {
      log.warn({ callId, error: errorText(error) }, 'the INVITE cannot be sent');
      this.#ports.hangUp('endpoint', 'endpoint_unavailable');
      return null;
    }
    const { sipCallId } = this.#call;
    this.#ports.report({ type: 'EndpointInvited', at: clock.now(), sipCallId });
    return this.#call;
  }

  #send(offer: string, srtp: boolean): SipCall {
    const { endpoint, customerLabel } = this.#target;
    const plan = this.#plan;
    const headers = {
      'X-WA-Call-Id': plan.id,
      'X-WA-Purpose': encodeURIComponent(plan.purpose),
      ...(plan.clientReference === null
        ? {}
        : { 'X-WA-Customer-Ref': encodeURIComponent(plan.clientReference) }),
    };
    return this.#ports.sip.invite(
      {
        target: sipTarget(endpoint),
        from: { user: customerLabel, displayName: 'WhatsApp customer' },
        headers,
        offer,
        ringTimeoutMs: endpoint.ringTimeoutMs,
      },
      (event) => void this.#onSipEvent(event, srtp),
    );
  }

  async #onSipEvent(event: SipCallEvent, srtp: boolean): Promise<void> {
    const { clock, log, report, hangUp } = this.#ports;
    const at = clock.now();
    switch (event.kind) {
      case 'ringing':
        report({ type: 'EndpointRinging', at });
        return;
      case 'answered':
        try {
          await this.#media.applyEndpointAnswer(event.sdp);
          report({ type: 'EndpointAnswered', at, dialog: event.dialog });
        } catch (error) {
          log.warn({ callId: this.#plan.id, error: errorText(error) }, 'endpoint SDP not usable');
          this.#call?.hangUp();
          report({ type: 'EndpointFailed', at, status: 488, reason: 'unusable SDP answer' });
          hangUp('endpoint', 'endpoint_codec_refused');
        }
        return;
      case 'failed': {
        const mayBePlain = this.#target.endpoint.srtp === 'preferred' && srtp;
        if (mayBePlain && NOT_ACCEPTABLE.has(event.status)) {
          await this.invite(false);
          return;
        }
        report({ type: 'EndpointFailed', at, status: event.status, reason: event.reason });
        hangUp('endpoint', endpointReason(event.status));
        return;
      }
      case 'offered':
        await this.#media.answerEndpointOffer(event.sdp).then(
          (sdp) => event.reply({ sdp }),
          () => event.reply({ status: 488 }),
        );
        return;
      case 'referred':
        event.reject(405, 'Method Not Allowed');
        return;
      case 'referProgress':
      case 'infoDtmf':
        return;
      case 'ended':
        report({ type: 'EndpointEnded', at });
        if (event.by === 'endpoint') hangUp('endpoint', 'endpoint_hung_up');
        return;
    }
  }
}

/** The endpoint as the SIP user agent wants it. */
export function sipTarget({ uri, username, password }: Endpoint): SipTarget {
  return {
    uri,
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
  };
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
