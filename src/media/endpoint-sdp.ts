import { isIPv4, isIPv6 } from 'node:net';
import { isRefused, type Refused } from '../platform/refusal.ts';
import { formatCrypto, parseCrypto, type OfferedKey } from './endpoint-security.ts';
import type { EndpointCodec } from './media.ts';
import {
  attributeValues,
  parseSdp,
  payloadNames,
  refuseSdp,
  type Sdp,
  type SdpMedia,
} from './sdp.ts';

export type MediaDirection = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';
export type OfferedCodec = { codec: EndpointCodec; payloadType: number };
export type OfferedEvents = { payloadType: number; clockRate: 8000 | 48_000 };

/** What a SIP endpoint's offer or answer says about its audio. */
export type EndpointDescription = {
  address: string;
  port: number;
  /** In the endpoint's order of preference. */
  codecs: readonly OfferedCodec[];
  events: readonly OfferedEvents[];
  /** As the endpoint sees it: `sendonly` means it will not listen. */
  direction: MediaDirection;
  rtcpMux: boolean;
  /** The keys of SRTP that we can use, in the endpoint's order; none when it wants plain RTP. */
  keys: readonly OfferedKey[];
  /** Position and number of m= lines: an answer must mirror them all (RFC 3264 section 6). */
  mediaLines: readonly { kind: string; protocol: string; format: string }[];
  audioIndex: number;
};

const CODEC_BY_NAME: Readonly<Record<string, EndpointCodec>> = {
  'opus/48000/2': 'opus',
  'pcmu/8000': 'PCMU',
  'pcma/8000': 'PCMA',
  'pcmu/8000/1': 'PCMU',
  'pcma/8000/1': 'PCMA',
};
const RTPMAP: Readonly<Record<EndpointCodec, string>> = {
  opus: 'opus/48000/2',
  PCMU: 'PCMU/8000',
  PCMA: 'PCMA/8000',
};

/**
 * Reads an endpoint's SDP: RTP, or SRTP keyed by `a=crypto` lines (RFC 4568); the first audio
 * line with a port counts. The address must be literal: audio is sent only where the SDP says,
 * and a name would have us ask a DNS server in the middle of a call.
 */
export function parseEndpointSdp(text: string): EndpointDescription | Refused {
  const sdp = parseSdp(text);
  if (isRefused(sdp)) return sdp;
  const audioIndex = sdp.media.findIndex((media) => media.kind === 'audio' && media.port > 0);
  const audio = sdp.media[audioIndex];
  if (audio === undefined) return refuseSdp('sdp_rejected', 'The SDP has no audio line in use.');
  const profile = /^RTP\/(S?)AVPF?$/.exec(audio.protocol);
  if (profile === null) {
    return refuseSdp('sdp_protocol', 'The endpoint wants something other than RTP or SRTP.');
  }
  const keys = profile[1] === 'S' ? offeredKeys(audio) : [];
  if (profile[1] === 'S' && keys.length === 0) {
    return refuseSdp('sdp_protocol', 'The endpoint wants SRTP and names no key that we can use.');
  }
  const address = connectionAddress(audio) ?? connectionAddress(sdp.session);
  if (address === undefined) {
    return refuseSdp('sdp_address', 'The SDP has no literal IP address in its c= line.');
  }
  if (/^(2(2[4-9]|[345]\d)\.|ff)/i.test(address)) {
    return refuseSdp('sdp_address', 'The SDP has a multicast or broadcast address.');
  }
  const codecs = offeredCodecs(audio);
  if (codecs.length === 0) {
    return refuseSdp('sdp_codec', 'The SDP has none of Opus, PCMU and PCMA.');
  }
  return {
    address,
    port: audio.port,
    codecs,
    events: offeredEvents(audio),
    direction: readDirection(sdp, audio, address),
    rtcpMux: attributeValues(audio, 'rtcp-mux').length > 0,
    keys,
    mediaLines: sdp.media.map(({ kind, protocol, formats }) => ({
      kind,
      protocol,
      format: formats[0] ?? '0',
    })),
    audioIndex,
  };
}

export type OwnDescription = {
  sessionId: number;
  version: number;
  address: string;
  port: number;
  codecs: readonly OfferedCodec[];
  events: readonly OfferedEvents[];
  direction: MediaDirection;
  rtcpMux: boolean;
  /** With keys it is SRTP. */
  keys: readonly OfferedKey[];
  /** The offer's m= lines when this is an answer; ours takes the place of its audio line. */
  answering?: Pick<EndpointDescription, 'mediaLines' | 'audioIndex'>;
};

/** Writes our side: an offer, or an answer that mirrors the offer's m= lines. */
export function buildEndpointSdp(own: OwnDescription): string {
  const family = isIPv6(own.address) ? 'IP6' : 'IP4';
  const mirrored = own.answering?.mediaLines ?? [{ kind: 'audio', protocol: '', format: '' }];
  const audioIndex = own.answering?.audioIndex ?? 0;
  return [
    'v=0',
    `o=askfirst ${own.sessionId} ${own.version} IN ${family} ${own.address}`,
    's=-',
    `c=IN ${family} ${own.address}`,
    't=0 0',
    ...mirrored.flatMap((line, index) =>
      index === audioIndex ? audioLines(own) : [`m=${line.kind} 0 ${line.protocol} ${line.format}`],
    ),
    '',
  ].join('\r\n');
}

function audioLines(own: OwnDescription): string[] {
  const formats = [...own.codecs, ...own.events].map((format) => format.payloadType);
  const plain = own.keys.length === 0 ? 'RTP/AVP' : 'RTP/SAVP';
  const protocol = own.answering?.mediaLines[own.answering.audioIndex]?.protocol ?? plain;
  return [
    `m=audio ${own.port} ${protocol} ${formats.join(' ')}`,
    ...own.codecs.flatMap(({ codec, payloadType }) => [
      `a=rtpmap:${payloadType} ${RTPMAP[codec]}`,
      ...(codec === 'opus' ? [`a=fmtp:${payloadType} minptime=20;useinbandfec=1`] : []),
    ]),
    ...own.events.flatMap(({ payloadType, clockRate }) => [
      `a=rtpmap:${payloadType} telephone-event/${clockRate}`,
      `a=fmtp:${payloadType} 0-15`,
    ]),
    'a=ptime:20',
    `a=${own.direction}`,
    ...(own.rtcpMux ? ['a=rtcp-mux'] : []),
    ...own.keys.map(formatCrypto),
  ];
}

/** The direction we answer with (RFC 3264 section 6.1). */
export function answeringDirection(offered: MediaDirection): MediaDirection {
  if (offered === 'sendonly') return 'recvonly';
  return offered === 'recvonly' ? 'sendonly' : offered;
}

function connectionAddress(section: { lines: readonly string[] }): string | undefined {
  for (const line of section.lines) {
    const match = /^c=IN (IP4|IP6) ([0-9A-Fa-f:.]+)$/.exec(line.trim());
    const address = match?.[2] ?? '';
    if (match?.[1] === 'IP4' ? isIPv4(address) : isIPv6(address)) return address;
  }
  return undefined;
}

function offeredKeys(audio: SdpMedia): OfferedKey[] {
  return attributeValues(audio, 'crypto').flatMap((value) => parseCrypto(value) ?? []);
}

function offeredCodecs(audio: SdpMedia): OfferedCodec[] {
  const names = payloadNames(audio);
  return audio.formats.flatMap((format) => {
    const payloadType = Number(format);
    const name = names.get(payloadType) ?? '';
    const codec = Object.hasOwn(CODEC_BY_NAME, name) ? CODEC_BY_NAME[name] : undefined;
    return codec === undefined ? [] : [{ codec, payloadType }];
  });
}

function offeredEvents(audio: SdpMedia): OfferedEvents[] {
  const events: OfferedEvents[] = [];
  for (const [payloadType, name] of payloadNames(audio)) {
    if (name === 'telephone-event/8000') events.push({ payloadType, clockRate: 8000 });
    if (name === 'telephone-event/48000') events.push({ payloadType, clockRate: 48_000 });
  }
  return events;
}

function readDirection(sdp: Sdp, audio: SdpMedia, address: string): MediaDirection {
  // The old way to hold, still used by PBXs: send to nowhere (RFC 3264 section 8.4).
  if (address === '0.0.0.0' || address === '::') return 'inactive';
  const directions = ['sendrecv', 'sendonly', 'recvonly', 'inactive'] as const;
  for (const section of [audio, sdp.session]) {
    const found = directions.find((name) => attributeValues(section, name).length > 0);
    if (found !== undefined) return found;
  }
  return 'sendrecv';
}
