import { headerOf, isToken, listOf, type SipMessage } from './message.ts';
import { parseHostPort, parseNameAddress, splitOutside } from './uri.ts';

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

export function parseVia(text: string): Via | undefined {
  const [sent = '', ...parameterTexts] = splitOutside(text, ';') ?? [];
  // Blanks may surround the slashes and the colon: `SIP / 2.0 / UDP host : 5060`.
  const match = /^([^\s/]+) ?\/ ?([^\s/]+) ?\/ ?([^\s/]+) (\S.*)$/.exec(sent.replace(/\s+/g, ' '));
  const place = parseHostPort((match?.[4] ?? '').replace(/ ?: ?/g, ':'));
  if (match === null || match[1]?.toUpperCase() !== 'SIP' || place === undefined) return undefined;
  const parameters = new Map<string, string>();
  for (const parameter of parameterTexts) {
    const [name = '', value = ''] = parameter.split('=', 2).map((part) => part.trim());
    if (!isToken(name)) return undefined;
    parameters.set(name.toLowerCase(), value);
  }
  const transport = (match[3] ?? '').toUpperCase();
  const sentBy = place.port === undefined ? place.host : `${place.host}:${place.port}`;
  return { transport, sentBy, ...place, parameters };
}

export function topVia(message: SipMessage): Via | undefined {
  const [first] = listOf(message, 'via');
  return first === undefined ? undefined : parseVia(first);
}

export function parseCSeq(text: string): CSeq | undefined {
  const match = /^(\d{1,10})\s{1,16}(\S{1,64})$/.exec(text);
  const number = Number(match?.[1]);
  const method = match?.[2] ?? '';
  return match !== null && number < CSEQ_LIMIT && isToken(method) ? { number, method } : undefined;
}

export function cseqOf(message: SipMessage): CSeq | undefined {
  return parseCSeq(headerOf(message, 'cseq') ?? '');
}

/** The tag of `From` or `To`, or the empty string. */
export function tagOf(message: SipMessage, name: 'from' | 'to'): string {
  return parseNameAddress(headerOf(message, name) ?? '')?.parameters.get('tag') ?? '';
}

export function callIdOf(message: SipMessage): string {
  return headerOf(message, 'call-id') ?? '';
}
