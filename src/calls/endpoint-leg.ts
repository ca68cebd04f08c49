import type { Endpoint } from '../endpoints/endpoint.ts';
import type { MediaCall } from '../media/media.ts';
import type { Clock } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import type { Log } from '../platform/log.ts';
import type { SipCall, SipCallEvent, SipTarget, SipUserAgent } from '../sip/sip.ts';
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

/** Sends the INVITE. Trouble of any kind becomes an `EndpointFailed` fact, never an exception. */
export async function inviteEndpoint(
  ports: EndpointLegPorts,
  media: MediaCall,
  target: EndpointLegTarget,
  plan: CallPlan,
): Promise<SipCall | null> {
  const { endpoint } = target;
  const offer = await media
    .openEndpoint({ codecs: endpoint.codecs, advertisedAddress: ports.advertisedAddress })
    .catch((error: unknown) => {
      ports.log.warn(
        { callId: plan.id, error: errorText(error) },
        'no media port for the endpoint',
      );
      ports.hangUp('platform', 'media_no_capacity');
      return null;
    });
  if (offer === null || !ports.isWanted()) return null;
  let call: SipCall | null = null;
  try {
    call = sendInvite(ports, media, target, plan, offer, () => call?.hangUp());
  } catch (error) {
    ports.log.warn({ callId: plan.id, error: errorText(error) }, 'the INVITE cannot be sent');
    ports.hangUp('endpoint', 'endpoint_unavailable');
    return null;
  }
  const { sipCallId } = call;
  ports.report({ type: 'EndpointInvited', at: ports.clock.now(), sipCallId });
  return call;
}

function sendInvite(
  ports: EndpointLegPorts,
  media: MediaCall,
  target: EndpointLegTarget,
  plan: CallPlan,
  offer: string,
  hangUpLeg: () => void,
): SipCall {
  const { endpoint, customerLabel } = target;
  return ports.sip.invite(
    {
      target: sipTarget(endpoint),
      from: { user: customerLabel, displayName: 'WhatsApp customer' },
      headers: {
        'X-WA-Call-Id': plan.id,
        'X-WA-Purpose': encodeURIComponent(plan.purpose),
        ...(plan.clientReference === null
          ? {}
          : { 'X-WA-Customer-Ref': encodeURIComponent(plan.clientReference) }),
      },
      offer,
      ringTimeoutMs: endpoint.ringTimeoutMs,
    },
    (event) => void onSipEvent({ ...ports, hangUpLeg }, media, plan, event),
  );
}

/** The endpoint as the SIP user agent wants it. */
export function sipTarget({ uri, username, password }: Endpoint): SipTarget {
  return {
    uri,
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
  };
}

async function onSipEvent(
  ports: EndpointLegPorts & { hangUpLeg: () => void },
  media: MediaCall,
  plan: CallPlan,
  event: SipCallEvent,
): Promise<void> {
  const at = ports.clock.now();
  switch (event.kind) {
    case 'ringing':
      ports.report({ type: 'EndpointRinging', at });
      return;
    case 'answered':
      try {
        await media.applyEndpointAnswer(event.sdp);
        ports.report({ type: 'EndpointAnswered', at, dialog: event.dialog });
      } catch (error) {
        ports.log.warn({ callId: plan.id, error: errorText(error) }, 'endpoint SDP not usable');
        ports.hangUpLeg();
        ports.report({ type: 'EndpointFailed', at, status: 488, reason: 'unusable SDP answer' });
        ports.hangUp('endpoint', 'endpoint_codec_refused');
      }
      return;
    case 'failed':
      ports.report({ type: 'EndpointFailed', at, status: event.status, reason: event.reason });
      ports.hangUp('endpoint', endpointReason(event.status));
      return;
    case 'offered':
      await media.answerEndpointOffer(event.sdp).then(
        (sdp) => event.reply({ sdp }),
        () => event.reply({ status: 488 }),
      );
      return;
    case 'ended':
      ports.report({ type: 'EndpointEnded', at });
      if (event.by === 'endpoint') ports.hangUp('endpoint', 'endpoint_hung_up');
      return;
  }
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
