import { Failure } from '../platform/failure.ts';
import type { Refused } from '../platform/refusal.ts';
import { checkWebRtcAnswer, type WebRtcAnswer } from './webrtc-answer.ts';
import type { WebRtcPeer } from './webrtc-leg.ts';
import { whatsAppOffer } from './whatsapp-offer.ts';

/** RFC 8445 section 5.1.2.1 for a host candidate of component 1. */
const HOST_PRIORITY = 2_130_706_431;

/**
 * Reads a browser's answer (guard G4). It need not name where it is: it is full ICE, knows our
 * address from the offer and comes to us, also out of a network that hides it (mDNS names are
 * left out unasked). Never throws.
 */
export function checkBrowserAnswer(text: string): WebRtcAnswer | Refused {
  return checkWebRtcAnswer(text, { candidates: false });
}

/** A browser as the other side of a WebRTC leg; it finds us at our advertised address. */
export function browserPeer(advertisedAddress: string): WebRtcPeer {
  return {
    name: 'browser',
    offer: (engineOffer, own) =>
      [
        whatsAppOffer(engineOffer, own).trimEnd(),
        `a=candidate:1 1 UDP ${HOST_PRIORITY} ${advertisedAddress} ${own.port} typ host`,
        'a=end-of-candidates',
        '',
      ].join('\r\n'),
    check: checkBrowserAnswer,
    refused: (message, _rule, cause) => browserFailure(message, cause),
  };
}

/** The agent's browser cannot be connected; `reason` is a sentence. */
export function browserFailure(reason: string, cause?: unknown): Failure {
  return new Failure({
    code: 'agent_media_refused',
    message: `The audio of the agent's browser cannot be connected: ${reason}`,
    fix:
      'Let UDP pass from the browser to the media ports of this server, and set ' +
      'ASKFIRST_ADVERTISED_ADDRESS to the address at which browsers reach it.',
    verdict: 'terminal',
    side: 'upstream',
    cause,
  });
}
