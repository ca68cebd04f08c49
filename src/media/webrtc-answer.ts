import { isIPv4, isIPv6 } from 'node:net';
import { isRefused, type Refused } from '../platform/refusal.ts';
import type { AgreedAudio } from './negotiated-source.ts';
import {
  attributeValues,
  parseSdp,
  payloadNames,
  refuseSdp,
  type Sdp,
  type SdpMedia,
} from './sdp.ts';

/** What we take from an answer, and the text that is safe to give to the engine. */
export type WebRtcAnswer = AgreedAudio & {
  /** The answer with `a=setup:active` and only usable candidates. */
  sdp: string;
  /** What was changed, for the count of odd answers. */
  rewritten: 'nothing' | 'setup';
};

/** Meta learns us from our checks and must say where it is; a browser comes to us. */
export type AnswerWants = { candidates: boolean };

/** Hash names RFC 8122 section 5 allows, without the broken ones, with their length in bytes. */
const FINGERPRINT_BYTES: Readonly<Record<string, number>> = {
  'sha-256': 32,
  'sha-384': 48,
  'sha-512': 64,
};
const CANDIDATES_MAX = 16;

/**
 * Guard G4: reads an answer ourselves before the native engine sees it. The engine accepts
 * sha-1, takes the last of several fingerprints and throws on `setup:actpass`; here each of
 * these has one clear answer. Never throws.
 */
export function checkWebRtcAnswer(text: string, wants: AnswerWants): WebRtcAnswer | Refused {
  const sdp = parseSdp(text);
  if (isRefused(sdp)) return sdp;
  const [audio] = sdp.media;
  if (audio === undefined || sdp.media.length !== 1 || audio.kind !== 'audio') {
    return refuseSdp('sdp_media_lines', 'The answer must have exactly one m= line, for audio.');
  }
  if (audio.port === 0) return refuseSdp('sdp_rejected', 'The answer rejects the audio (port 0).');
  if (/^RTP\/SAVPF?$/.test(audio.protocol)) {
    return refuseSdp('sdp_key_exchange', 'The answer is for SDES, and our offer was for DTLS.');
  }
  if (!/^UDP\/TLS\/RTP\/SAVPF?$/.test(audio.protocol)) {
    return refuseSdp('sdp_protocol', 'The answer is not for DTLS-SRTP over UDP.');
  }
  return (
    refusedFingerprint(sdp, audio) ??
    refusedSetup(sdp, audio) ??
    refusedIce(sdp, audio, wants) ??
    readAnswer(sdp, audio)
  );
}

function refusedFingerprint(sdp: Sdp, audio: SdpMedia): Refused | null {
  const all = [
    ...attributeValues(sdp.session, 'fingerprint'),
    ...attributeValues(audio, 'fingerprint'),
  ].map((value) => value.toLowerCase());
  if (all.length === 0) return refuseSdp('sdp_fingerprint', 'The answer has no fingerprint.');
  if (new Set(all).size > 1) {
    return refuseSdp('sdp_fingerprint', 'The answer has several different fingerprints.');
  }
  const [algorithm = '', value = '', ...rest] = (all[0] ?? '').split(/ +/);
  const bytes = Object.hasOwn(FINGERPRINT_BYTES, algorithm) ? FINGERPRINT_BYTES[algorithm] : 0;
  if (bytes === undefined || bytes === 0) {
    return refuseSdp('sdp_fingerprint', 'The fingerprint is not sha-256, sha-384 or sha-512.');
  }
  const pairs = value.split(':');
  const wellFormed = pairs.length === bytes && pairs.every((pair) => /^[0-9a-f]{2}$/.test(pair));
  return wellFormed && rest.length === 0
    ? null
    : refuseSdp('sdp_fingerprint', 'The fingerprint is not of the length its hash has.');
}

function refusedSetup(sdp: Sdp, audio: SdpMedia): Refused | null {
  const roles = setupRoles(sdp, audio);
  if (new Set(roles).size > 1) {
    return refuseSdp('sdp_setup', 'The answer names several DTLS roles.');
  }
  const role = roles[0] ?? 'absent';
  // We offered actpass and wait as DTLS server: only the other side can be the client (RFC 5763
  // section 5).
  return ['active', 'actpass', 'absent'].includes(role)
    ? null
    : refuseSdp('sdp_setup', 'The answer makes us the DTLS client (setup is not active).');
}

function refusedIce(sdp: Sdp, audio: SdpMedia, wants: AnswerWants): Refused | null {
  const ufrag = iceValue(sdp, audio, 'ice-ufrag');
  const password = iceValue(sdp, audio, 'ice-pwd');
  // RFC 8839 section 5.4 gives the characters; the lengths have an upper end of 256.
  if (!/^[A-Za-z0-9+/=_-]{4,256}$/.test(ufrag) || !/^[A-Za-z0-9+/=_-]{22,256}$/.test(password)) {
    return refuseSdp('sdp_ice', 'The answer has no usable ICE user name and password.');
  }
  return wants.candidates && usableCandidates(audio).length === 0
    ? refuseSdp('sdp_ice', 'The answer has no UDP host candidate.')
    : null;
}

function readAnswer(sdp: Sdp, audio: SdpMedia): WebRtcAnswer | Refused {
  const names = [...payloadNames(audio)];
  const opus = names.find(([, name]) => name === 'opus/48000/2')?.[0];
  if (opus === undefined) return refuseSdp('sdp_codec', 'The answer does not take Opus.');
  const event = names.find(([, name]) => name === 'telephone-event/8000')?.[0];
  const ssrcs = attributeValues(audio, 'ssrc')
    .map((value) => Number(/^(\d{1,10}) /.exec(value)?.[1] ?? Number.NaN))
    .filter((ssrc) => Number.isInteger(ssrc) && ssrc < 2 ** 32);
  return {
    sdp: engineAnswer(sdp, audio),
    opusPayloadType: opus,
    eventPayloadType: event ?? null,
    ssrcs: [...new Set(ssrcs)],
    rewritten: setupRoles(sdp, audio)[0] === 'active' ? 'nothing' : 'setup',
  };
}

function setupRoles(sdp: Sdp, audio: SdpMedia): string[] {
  const own = attributeValues(audio, 'setup');
  return own.length > 0 ? own : attributeValues(sdp.session, 'setup');
}

function iceValue(sdp: Sdp, audio: SdpMedia, name: string): string {
  return attributeValues(audio, name)[0] ?? attributeValues(sdp.session, name)[0] ?? '';
}

function usableCandidates(audio: SdpMedia): string[] {
  return audio.lines.filter(isUsableCandidate).slice(0, CANDIDATES_MAX);
}

/** UDP, component 1, type host, with a literal address: no name of theirs makes us ask a DNS. */
function isUsableCandidate(line: string): boolean {
  const match =
    /^a=candidate:[\w+/]{1,32} 1 udp \d{1,10} ([0-9A-Fa-f:.]+) (\d{1,5}) typ host(?: .*)?$/i.exec(
      line,
    );
  const address = match?.[1] ?? '';
  const port = Number(match?.[2]);
  return (isIPv4(address) || isIPv6(address)) && port > 0 && port < 65_536;
}

/** The m-line as it came; our own role line; candidates that passed; everything else untouched. */
function engineAnswer(sdp: Sdp, audio: SdpMedia): string {
  const usable = new Set(usableCandidates(audio));
  const isSetup = (line: string): boolean => line === 'a=setup' || line.startsWith('a=setup:');
  const session = sdp.session.lines.filter(
    (line) => !isSetup(line) && !line.startsWith('a=candidate'),
  );
  const media = audio.lines.filter(
    (line) => !isSetup(line) && (!line.startsWith('a=candidate') || usable.has(line)),
  );
  const mLine = `m=audio ${audio.port} ${audio.protocol} ${audio.formats.join(' ')}`;
  return [...session, mLine, ...media, 'a=setup:active', ''].join('\r\n');
}
