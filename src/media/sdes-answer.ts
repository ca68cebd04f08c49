import { isIPv6 } from 'node:net';
import type { Failure } from '../platform/failure.ts';
import { isRefused, type Refused } from '../platform/refusal.ts';
import { parseEndpointSdp } from './endpoint-sdp.ts';
import { formatCrypto, parseCrypto, type OfferedKey } from './endpoint-security.ts';
import { metaFailure } from './meta-answer.ts';
import type { AgreedAudio } from './negotiated-source.ts';
import { attributeValues, parseSdp, refuseSdp, type Sdp, type SdpMedia } from './sdp.ts';
import { EVENT_PAYLOAD_TYPE, OPUS_PAYLOAD_TYPE } from './whatsapp-offer.ts';

/** The one suite that is offered to Meta: its pages mask the name, and every stack has this one. */
export const META_SUITE = 'AES_CM_128_HMAC_SHA1_80';

/** What Meta's answer to an SDES offer settles. */
export type SdesAnswer = AgreedAudio & {
  address: string;
  port: number;
  key: OfferedKey;
  /** RTCP comes and goes on the port of RTP; else none is sent. */
  rtcpMux: boolean;
};

export type OwnSdes = {
  sessionId: number;
  address: string;
  port: number;
  key: OfferedKey;
  ssrc: number;
  cname: string;
};

/** The offer toward a number that is set to SDES: no ICE, no DTLS, and the key in the SDP. */
export function sdesOffer(own: OwnSdes): string {
  const family = isIPv6(own.address) ? 'IP6' : 'IP4';
  return [
    'v=0',
    `o=- ${own.sessionId} 2 IN ${family} ${own.address}`,
    's=-',
    `c=IN ${family} ${own.address}`,
    't=0 0',
    `m=audio ${own.port} RTP/SAVP ${OPUS_PAYLOAD_TYPE} ${EVENT_PAYLOAD_TYPE}`,
    formatCrypto(own.key),
    'a=sendrecv',
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

/**
 * Reads Meta's answer to an SDES offer (guard G4 of this leg). Nothing proves who sends here, as
 * ICE does elsewhere: the key and the address in this answer are all there is, so neither may be
 * ambiguous. Never throws.
 */
export function checkSdesAnswer(
  text: string,
  own: { key: OfferedKey; bindAddress: string },
): SdesAnswer | Refused {
  const sdp = parseSdp(text);
  if (isRefused(sdp)) return sdp;
  const [audio] = sdp.media;
  if (audio === undefined || sdp.media.length !== 1 || audio.kind !== 'audio') {
    return refuseSdp('sdp_media_lines', 'The answer must have exactly one m= line, for audio.');
  }
  if (audio.port === 0) return refuseSdp('sdp_rejected', 'The answer rejects the audio (port 0).');
  const key = refusedProfile(audio) ?? readKey(sdp, audio, own.key);
  if (isRefused(key)) return key;
  const read = parseEndpointSdp(text);
  if (isRefused(read)) return read;
  const { address, port, codecs, events, rtcpMux, direction } = read;
  if (direction === 'inactive' || isIPv6(address) !== isIPv6(own.bindAddress)) {
    return refuseSdp('sdp_address', 'The answer names no address that we can send to.');
  }
  const opus = codecs.find(({ codec }) => codec === 'opus');
  if (opus === undefined) return refuseSdp('sdp_codec', 'The answer does not take Opus.');
  const event = events.find(({ clockRate }) => clockRate === 8000);
  return {
    address,
    port,
    key,
    rtcpMux,
    opusPayloadType: opus.payloadType,
    eventPayloadType: event?.payloadType ?? null,
    ssrcs: declaredSsrcs(audio),
  };
}

/** The failure of the call for what is wrong with an answer. */
export function sdesRefused({ refused }: Refused): Failure {
  return metaFailure(refused.message, refused.code);
}

function refusedProfile({ protocol }: SdpMedia): Refused | null {
  if (/^UDP\/TLS\/RTP\/SAVPF?$/.test(protocol)) {
    return refuseSdp('sdp_key_exchange', 'The answer is for DTLS, and this line is set to SDES.');
  }
  if (/^RTP\/SAVPF?$/.test(protocol)) return null;
  return refuseSdp('sdp_protocol', 'The answer is not for SRTP, so the sound would be readable.');
}

/** RFC 4568 section 7.1.3: the answer has exactly one line, with tag and suite of the offer. */
function readKey(sdp: Sdp, audio: SdpMedia, ours: OfferedKey): OfferedKey | Refused {
  const lines = [...attributeValues(sdp.session, 'crypto'), ...attributeValues(audio, 'crypto')];
  const [line] = lines;
  if (line === undefined) return refuseSdp('sdp_crypto', 'The answer has no a=crypto line.');
  if (lines.length > 1) return refuseSdp('sdp_crypto', 'The answer has several a=crypto lines.');
  if (!line.includes(` ${META_SUITE} `)) {
    return refuseSdp('sdp_crypto', `The key of the answer is not for ${META_SUITE}.`);
  }
  const key = parseCrypto(line);
  if (key === null) {
    return refuseSdp('sdp_crypto', 'The key of the answer has a wrong length or unknown options.');
  }
  if (key.tag !== ours.tag) {
    return refuseSdp('sdp_crypto', 'The answer takes a key that was not offered.');
  }
  // With one key for both directions our own packets, sent back, would pass for the customer's.
  return Buffer.from(key.key).equals(ours.key)
    ? refuseSdp('sdp_crypto', 'The answer repeats our own key.')
    : key;
}

function declaredSsrcs(audio: SdpMedia): number[] {
  const ssrcs = attributeValues(audio, 'ssrc')
    .map((value) => Number(/^(\d{1,10}) /.exec(value)?.[1] ?? Number.NaN))
    .filter((ssrc) => Number.isInteger(ssrc) && ssrc < 2 ** 32);
  return [...new Set(ssrcs)];
}
