import { Failure } from '../platform/failure.ts';
import type { Refused } from '../platform/refusal.ts';
import { checkWebRtcAnswer, type WebRtcAnswer } from './webrtc-answer.ts';
import type { WebRtcPeer } from './webrtc-leg.ts';
import { whatsAppOffer } from './whatsapp-offer.ts';

/** Reads Meta's answer (guard G4): it is ICE-lite, so it must name where it is. Never throws. */
export function checkMetaAnswer(text: string): WebRtcAnswer | Refused {
  return checkWebRtcAnswer(text, { candidates: true });
}

/** Meta as the other side of a WebRTC leg. */
export const META_PEER: WebRtcPeer = {
  name: 'whatsapp',
  offer: whatsAppOffer,
  check: checkMetaAnswer,
  refused: (message, cause) =>
    new Failure({
      code: 'meta_sdp_refused',
      message: `Meta's SDP answer was refused: ${message}`,
      fix: 'End the call; if it happens again, report this sentence and the time to Meta.',
      verdict: 'terminal',
      side: 'upstream',
      cause,
    }),
};
