import type { Refused } from '../platform/refusal.ts';

/** Lines after one `m=` line, or before the first. */
export type SdpSection = { lines: readonly string[] };
export type SdpMedia = SdpSection & {
  kind: string;
  port: number;
  protocol: string;
  formats: readonly string[];
};
export type Sdp = { session: SdpSection; media: readonly SdpMedia[] };

/** Real ones are below 3 kB; the limit is here so that no later step needs one. */
export const SDP_MAX_BYTES = 16_384;
const LINES_MAX = 400;

/**
 * Splits a session description (RFC 8866) into sections. CRLF is what the RFC asks for; bare LF
 * is read too, as section 5 advises. Nothing here knows what a caller needs from it.
 */
export function parseSdp(text: string): Sdp | Refused {
  if (text.length > SDP_MAX_BYTES || Buffer.byteLength(text) > SDP_MAX_BYTES) {
    return refuseSdp('sdp_too_large', `The SDP is larger than ${SDP_MAX_BYTES} bytes.`);
  }
  const lines = text.split(/\r?\n/).filter((line) => line !== '');
  if (lines.length > LINES_MAX) return refuseSdp('sdp_too_large', 'The SDP has too many lines.');
  if (lines[0] !== 'v=0') return refuseSdp('sdp_malformed', 'The SDP does not begin with v=0.');
  const session: string[] = [];
  const media: (SdpMedia & { lines: string[] })[] = [];
  for (const line of lines) {
    if (!/^[a-z]=/.test(line) || hasControlCharacter(line)) {
      return refuseSdp('sdp_malformed', 'The SDP has a line that is not of the form x=value.');
    }
    if (line.startsWith('m=')) {
      const parsed = parseMediaLine(line);
      if (parsed === null) return refuseSdp('sdp_malformed', 'The SDP has a broken m= line.');
      media.push({ ...parsed, lines: [] });
    } else (media.at(-1)?.lines ?? session).push(line);
  }
  return { session: { lines: session }, media };
}

/** Values of all `a=name:value` lines of a section; a bare `a=name` counts as ''. */
export function attributeValues(section: SdpSection, name: string): string[] {
  const values: string[] = [];
  for (const line of section.lines) {
    if (line === `a=${name}`) values.push('');
    else if (line.startsWith(`a=${name}:`)) values.push(line.slice(name.length + 3).trim());
  }
  return values;
}

/** Dynamic and static payload types of a media section, as `a=rtpmap` names them. */
export function payloadNames(media: SdpMedia): Map<number, string> {
  const names = new Map<number, string>();
  const offered = new Set(media.formats.map(Number));
  // Static types need no rtpmap (RFC 3551 section 6).
  if (offered.has(0)) names.set(0, 'pcmu/8000');
  if (offered.has(8)) names.set(8, 'pcma/8000');
  for (const value of attributeValues(media, 'rtpmap')) {
    const match = /^(\d{1,3}) +([\w.-]+\/\d{1,6}(?:\/\d{1,2})?)$/.exec(value);
    const payloadType = Number(match?.[1]);
    if (match?.[2] === undefined || payloadType > 127) continue;
    if (offered.has(payloadType)) names.set(payloadType, match[2].toLowerCase());
  }
  return names;
}

export function refuseSdp(code: string, message: string): Refused {
  return { refused: { code, message, fix: 'Have the other side send a correct SDP.' } };
}

function parseMediaLine(line: string): Omit<SdpMedia, 'lines'> | null {
  // RFC 8866 section 5.14; a port count (`/2`) is for layered coding, which nobody sends here.
  const match = /^m=([a-z]+) (\d{1,5}) ([A-Za-z/]+)((?: [\w.-]+)+) *$/.exec(line);
  if (match === null) return null;
  const [, kind = '', port = '', protocol = '', formats = ''] = match;
  if (Number(port) > 65_535) return null;
  return { kind, port: Number(port), protocol, formats: formats.trim().split(' ') };
}

function hasControlCharacter(line: string): boolean {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for.
  return /[\u0000-\u0008\u000b-\u001f\u007f]/.test(line);
}
