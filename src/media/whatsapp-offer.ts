import { invariant } from '../platform/invariant.ts';

export const OPUS_PAYLOAD_TYPE = 111;
/** Meta uses 126 for telephone events even where an offer does not name them. */
export const EVENT_PAYLOAD_TYPE = 126;

/**
 * The offer in the shape Meta's own samples have, with the engine's ICE and DTLS values. Written
 * by us because the engine's own text leaves the event payload type out of the m= line and names
 * our candidates: Meta is ICE-lite and learns our address from our checks, so a private
 * address need not be told, and no check of ours can cross one of theirs.
 */
export function whatsAppOffer(engineOffer: string, own: { ssrc: number; cname: string }): string {
  const fingerprint = valueOf(engineOffer, 'fingerprint');
  invariant(fingerprint.startsWith('sha-256 '), 'the engine offers no sha-256 fingerprint');
  return [
    'v=0',
    `o=- ${sessionId(engineOffer)} 2 IN IP4 127.0.0.1`,
    's=-',
    't=0 0',
    'a=group:BUNDLE 0',
    `a=msid-semantic: WMS ${own.cname}`,
    `m=audio 9 UDP/TLS/RTP/SAVPF ${OPUS_PAYLOAD_TYPE} ${EVENT_PAYLOAD_TYPE}`,
    'c=IN IP4 0.0.0.0',
    'a=rtcp:9 IN IP4 0.0.0.0',
    `a=ice-ufrag:${valueOf(engineOffer, 'ice-ufrag')}`,
    `a=ice-pwd:${valueOf(engineOffer, 'ice-pwd')}`,
    `a=fingerprint:${fingerprint}`,
    'a=setup:actpass',
    'a=mid:0',
    'a=sendrecv',
    `a=msid:${own.cname} audio0`,
    'a=rtcp-mux',
    `a=rtpmap:${OPUS_PAYLOAD_TYPE} opus/48000/2`,
    `a=fmtp:${OPUS_PAYLOAD_TYPE} minptime=10;useinbandfec=1`,
    `a=rtpmap:${EVENT_PAYLOAD_TYPE} telephone-event/8000`,
    `a=fmtp:${EVENT_PAYLOAD_TYPE} 0-15`,
    'a=ptime:20',
    `a=ssrc:${own.ssrc} cname:${own.cname}`,
    '',
  ].join('\r\n');
}

function valueOf(sdp: string, name: string): string {
  const value = new RegExp(`^a=${name}:(.+?)\\r?$`, 'm').exec(sdp)?.[1];
  invariant(value !== undefined, `the engine's offer has no ${name}`);
  return value;
}

function sessionId(sdp: string): string {
  return /^o=\S+ (\d+) /m.exec(sdp)?.[1] ?? '1';
}
