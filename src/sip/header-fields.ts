import { headerOf, isToken, listOf, type SipMessage } from './message.ts';
import { keepLast, parseHostPort, parseNameAddress, splitOutside } from './uri.ts';

/** The headers that transactions and dialogs are matched by, as values. */
export type Via = {
  transport: string;
  /** `host[:port]` as the sender wrote it. */
  sentBy: string;
  host: string;
  port?: number;
  parameters: ReadonlyMap<string, string>;
};

export type CSeq = { number: number; method: string };

/** RFC 3261 section 8.1.1.5: a sequence number is below 2^31. */
const CSEQ_LIMIT = 2 ** 31;

export const parseVia = keepLast(readVia);

function readVia(text: string): Via | undefined {
  const parts = splitOutside(text, ';') ?? [''];
  const sent = readSent(parts[0] ?? '');
  const place = parseHostPort(sent?.by ?? '');
  if (sent === undefined || place === undefined) return undefined;
  const parameters = new Map<string, string>();
  for (let at = 1; at < parts.length; at += 1) {
    const part = parts[at] ?? '';
    const equals = part.indexOf('=');
    const name = (equals < 0 ? part : part.slice(0, equals)).trim();
    if (!isToken(name)) return undefined;
    parameters.set(name.toLowerCase(), equals < 0 ? '' : part.slice(equals + 1).trim());
  }
  const sentBy = place.port === undefined ? place.host : `${place.host}:${place.port}`;
  return { transport: sent.transport.toUpperCase(), sentBy, ...place, parameters };
}

/** Protocol and sender. Nearly every Via has the first form, which is by far cheaper to read. */
function readSent(text: string): { transport: string; by: string } | undefined {
  const usual = /^SIP\/2\.0\/([A-Z]{1,8}) (\S+)$/.exec(text);
  if (usual !== null) return { transport: usual[1] ?? '', by: usual[2] ?? '' };
  const plain = text.replace(/\s+/g, ' ');
  // Blanks may surround the slashes and the colon: `SIP / 2.0 / UDP host : 5060`.
  const match = /^([^\s/]+) ?\/ ?([^\s/]+) ?\/ ?([^\s/]+) (\S.*)$/.exec(plain);
  if (match === null || match[1]?.toUpperCase() !== 'SIP') return undefined;
  return { transport: match[3] ?? '', by: (match[4] ?? '').replace(/ ?: ?/g, ':') };
}

export function topVia(message: SipMessage): Via | undefined {
  const [first] = listOf(message, 'via');
  return first === undefined ? undefined : parseVia(first);
}

export const parseCSeq = keepLast(readCSeq);

function readCSeq(text: string): CSeq | undefined {
  const match = /^(\d{1,10})\s{1,16}(\S{1,64})$/.exec(text);
  const number = Number(match?.[1]);
  const method = match?.[2] ?? '';
  return match !== null && number < CSEQ_LIMIT && isToken(method) ? { number, method } : undefined;
}

export function cseqOf(message: SipMessage): CSeq | undefined {
  return parseCSeq(headerOf(message, 'cseq') ?? '');
}

const readTag = (text: string): string => parseNameAddress(text)?.parameters.get('tag') ?? '';
const TAG_READERS = { from: keepLast(readTag), to: keepLast(readTag) };

/** The tag of `From` or `To`, or the empty string. */
export function tagOf(message: SipMessage, name: 'from' | 'to'): string {
  return TAG_READERS[name](headerOf(message, name) ?? '');
}

export function callIdOf(message: SipMessage): string {
  return headerOf(message, 'call-id') ?? '';
}
