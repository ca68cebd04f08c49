import type { Random } from '../src/platform/random.ts';
import { SDES_KEY_BYTES, type KeyExchange, type OfferFacts } from './sdp-offer.ts';

/** Where media goes and with which keys; from the media engine, or made up when there is none. */
export type RelayFacts = {
  ufrag: string;
  pwd: string;
  /** `AA:BB:…`, sha-256. */
  fingerprint: string;
  address: string;
  port: number;
  ssrc: number;
};

/**
 * An SDP in Meta's shape and line order: ice-lite at session level, one IPv4 candidate and an
 * IPv6 candidate of higher priority. The IPv6 address is from the documentation range and is
 * never reachable, because a caller that insists on it would fail at the real Meta too.
 */
export function metaSdp(
  offer: OfferFacts,
  relay: RelayFacts,
  random: Random,
  setup: 'active' | 'actpass' = 'active',
): string {
  const { opusPayloadType: opus, dtmfPayloadType: dtmf, mid } = offer;
  const stream = uuid(random);
  const { address, port } = relay;
  const lines = [
    'v=0',
    `o=- ${1_700_000_000_000 + random.below(90_000_000_000)} 2 IN IP4 127.0.0.1`,
    's=-',
    't=0 0',
    `a=group:BUNDLE ${mid}`,
    `a=msid-semantic: WMS ${stream}`,
    'a=ice-lite',
    `m=audio ${port} UDP/TLS/RTP/SAVPF ${opus} ${dtmf}`,
    `c=IN IP4 ${address}`,
    'a=rtcp:9 IN IP4 0.0.0.0',
    candidate(random, 2_122_260_223, address, port),
    candidate(random, 2_122_262_783, '2001:db8::1', port),
    `a=ice-ufrag:${relay.ufrag}`,
    `a=ice-pwd:${relay.pwd}`,
    `a=fingerprint:sha-256 ${relay.fingerprint}`,
    `a=setup:${setup}`,
    `a=mid:${mid}`,
    'a=sendrecv',
    `a=msid:${stream} WhatsAppTrack1`,
    'a=rtcp-mux',
    `a=rtpmap:${opus} opus/48000/2`,
    `a=rtcp-fb:${opus} transport-cc`,
    `a=fmtp:${opus} maxaveragebitrate=20000;maxplaybackrate=16000;minptime=20;` +
      'sprop-maxcapturerate=16000;useinbandfec=1',
    `a=rtpmap:${dtmf} telephone-event/8000`,
    'a=maxptime:20',
    'a=ptime:20',
    `a=ssrc:${relay.ssrc} cname:WhatsAppAudioStream1`,
    '',
  ];
  return lines.join('\r\n');
}

/** Where SRTP goes on a number with SDES, and the key that comes from there. */
export type SdesRelayFacts = { address: string; port: number; key: Uint8Array; ssrc: number };

/** The same for a number with SDES: no ICE, no DTLS, the key in the SDP (SIP page). */
export function metaSdesSdp(offer: OfferFacts, relay: SdesRelayFacts, random: Random): string {
  const { opusPayloadType: opus, dtmfPayloadType: dtmf, mid, sdes } = offer;
  const key = Buffer.from(relay.key).toString('base64');
  return [
    'v=0',
    `o=- ${1_700_000_000_000 + random.below(90_000_000_000)} 2 IN IP4 127.0.0.1`,
    's=-',
    't=0 0',
    `m=audio ${relay.port} RTP/SAVP ${opus} ${dtmf}`,
    `c=IN IP4 ${relay.address}`,
    `a=crypto:${sdes?.tag ?? 1} AES_CM_128_HMAC_SHA1_80 inline:${key}`,
    `a=mid:${mid}`,
    'a=sendrecv',
    'a=rtcp-mux',
    `a=rtpmap:${opus} opus/48000/2`,
    `a=fmtp:${opus} maxaveragebitrate=20000;maxplaybackrate=16000;minptime=20;` +
      'sprop-maxcapturerate=16000;useinbandfec=1',
    `a=rtpmap:${dtmf} telephone-event/8000`,
    'a=maxptime:20',
    'a=ptime:20',
    `a=ssrc:${relay.ssrc} cname:WhatsAppAudioStream1`,
    '',
  ].join('\r\n');
}

/** An SDP of a number in the shape it has there, with keys, and nobody who listens. */
export function pretendSdp(
  offer: OfferFacts,
  random: Random,
  exchange: KeyExchange,
  setup: 'active' | 'actpass' = 'active',
): string {
  const relay = pretendRelay(random);
  if (exchange === 'DTLS') return metaSdp(offer, relay, random, setup);
  return metaSdesSdp(offer, { ...relay, key: random.bytes(SDES_KEY_BYTES) }, random);
}

/** Well-formed keys and a relay nobody listens on, for a simulator without media. */
function pretendRelay(random: Random): RelayFacts {
  const hex = Buffer.from(random.bytes(32)).toString('hex').toUpperCase();
  return {
    ufrag: iceText(random, 16),
    pwd: Buffer.from(random.bytes(18)).toString('base64'),
    fingerprint: (hex.match(/../g) ?? []).join(':'),
    address: '127.0.0.1',
    port: 3480,
    ssrc: 1 + random.below(0xffff_fffe),
  };
}

/** What the answer looks like when a fault spoils it. */
export function spoiledSdp(sdp: string, how: SdpFault): string {
  switch (how) {
    case 'setup_actpass':
      return sdp.replace('a=setup:active', 'a=setup:actpass');
    case 'sdp_without_fingerprint':
      return sdp.replace(/a=fingerprint:[^\r]*\r\n/, '');
    case 'sdp_sha1_fingerprint':
      return sdp.replace(
        /a=fingerprint:sha-256 ([0-9A-F:]*)/i,
        (_all, hex: string) => `a=fingerprint:sha-1 ${hex.slice(0, 59)}`,
      );
    case 'sdp_without_crypto':
      return sdp.replace(/a=crypto:[^\r]*\r\n/, '');
    case 'sdp_wrong_suite':
      return sdp.replace('AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_32');
    case 'sdp_short_key':
      return sdp.replace(/( inline:.{20})[^\r]*/, '$1');
    case 'sdp_garbage':
      return '\u0000not a session description \u20ac';
  }
}

export const SDP_FAULTS = [
  'setup_actpass',
  'sdp_without_fingerprint',
  'sdp_sha1_fingerprint',
  'sdp_without_crypto',
  'sdp_wrong_suite',
  'sdp_short_key',
  'sdp_garbage',
] as const;
export type SdpFault = (typeof SDP_FAULTS)[number];

/** Random text of RFC 8839 ice-chars. */
export function iceText(random: Random, length: number): string {
  return Buffer.from(random.bytes(length)).toString('hex').slice(0, length);
}

function candidate(random: Random, priority: number, address: string, port: number): string {
  const foundation = 1 + random.below(4_000_000_000);
  return (
    `a=candidate:${foundation} 1 udp ${priority} ${address} ${port} ` +
    'typ host generation 0 network-cost 50'
  );
}

function uuid(random: Random): string {
  const hex = Buffer.from(random.bytes(16)).toString('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-');
}
