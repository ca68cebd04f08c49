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
  refused: metaFailure,
};

/**
 * Meta's answer cannot be used; `rule` names what it broke. An answer for the other key exchange
 * has a code of its own, because a setting puts it right.
 */
export function metaFailure(message: string, rule?: string, cause?: unknown): Failure {
  const isOtherExchange = rule === 'sdp_key_exchange';
  return new Failure({
    code: isOtherExchange ? 'meta_key_exchange_mismatch' : 'meta_sdp_refused',
    message: `Meta's SDP answer was refused: ${message}`,
    fix: isOtherExchange
      ? 'Set line and Meta to the same: POST /v1/lines/{id}/key-exchange.'
      : 'End the call; if it happens again, report this sentence and the time to Meta.',
    verdict: 'terminal',
    side: 'upstream',
    cause,
  });
}
