import { splitOutside } from './uri.ts';

/**
 * SIP messages as values: parsing, reading headers, serialising (RFC 3261 section 7).
 *
 * What comes in is hostile until proven otherwise, so every size has a limit and a message is
 * either parsed or named as a fault; nothing here throws. Whether a parsed message is also
 * *right* is decided in `screening.ts`.
 */
export type SipHeader = readonly [name: string, value: string];

export type SipRequest = {
  kind: 'request';
  method: string;
  uri: string;
  version: string;
  headers: readonly SipHeader[];
  body: string;
  /** What is wrong with the framing although the headers could be read. */
  defect?: string;
};

export type SipResponse = {
  kind: 'response';
  status: number;
  reason: string;
  version: string;
  headers: readonly SipHeader[];
  body: string;
  defect?: string;
};

export type SipMessage = SipRequest | SipResponse;
export type ParsedMessage = { message: SipMessage } | { fault: string };

export const MESSAGE_LIMITS = {
  bytes: 65_536,
  headers: 128,
  lines: 512,
  lineLength: 8192,
} as const;

/** RFC 3261 section 7.3.3, and the extensions that peers send. */
const COMPACT_NAMES = new Map(
  Object.entries({
    v: 'via',
    f: 'from',
    t: 'to',
    i: 'call-id',
    m: 'contact',
    l: 'content-length',
    c: 'content-type',
    e: 'content-encoding',
    s: 'subject',
    k: 'supported',
    r: 'refer-to',
    b: 'referred-by',
    o: 'event',
    u: 'allow-events',
  }),
);

/** Names as nearly everybody writes them: most messages hold no others. */
const USUAL_NAMES = (
  'Via From To Call-ID CSeq Contact Max-Forwards Route Record-Route Content-Length ' +
  'Content-Type Allow Supported Require User-Agent Server Accept Session-Expires Min-SE ' +
  'Reason Event Refer-To Referred-By Subscription-State RSeq RAck Expires Date'
).split(' ');

type HeaderName = { written: string; canonical: string };

/** Known spellings; looking one up is far cheaper than making lower case of it each time. */
const KNOWN_NAMES = new Map(
  [
    ...USUAL_NAMES.flatMap((name) => [name, name.toLowerCase()]),
    ...[...COMPACT_NAMES.keys()].flatMap((name) => [name, name.toUpperCase()]),
  ].map((written): [string, HeaderName] => [written, { written, canonical: longName(written) }]),
);

const TOKEN = /^[!%'*+\-.0-9A-Z_`a-z|~]+$/;
// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/;

export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** True when the text could end a header early or hide bytes from a reader. */
export function hasControl(text: string): boolean {
  return CONTROL.test(text);
}

/** Parses one datagram, or one message that the stream framer has cut out. */
export function parseMessage(bytes: Uint8Array): ParsedMessage {
  if (bytes.length > MESSAGE_LIMITS.bytes) return { fault: 'longer than 64 kB' };
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = skipBlankLines(buffer);
  const end = buffer.indexOf('\r\n\r\n', start);
  if (end < 0) return { fault: 'no end of headers' };
  const lines = buffer.toString('utf8', start, end).split('\r\n');
  const startLine = parseStartLine(lines[0] ?? '');
  if (startLine === undefined) return { fault: 'not a SIP start line' };
  const headers = parseHeaders(lines);
  if (typeof headers === 'string') return { fault: headers };
  return { message: { ...startLine, headers, ...cutBody(buffer, end + 4, headers) } };
}

/** RFC 3261 section 7.5: CRLFs before the start line are keep-alives. */
export function skipBlankLines(buffer: Buffer): number {
  let at = 0;
  while (buffer[at] === 0x0d && buffer[at + 1] === 0x0a) at += 2;
  return at;
}

type StartLine =
  | Pick<SipRequest, 'kind' | 'method' | 'uri' | 'version'>
  | Pick<SipResponse, 'kind' | 'status' | 'reason' | 'version'>;

function parseStartLine(line: string): StartLine | undefined {
  if (line.length > MESSAGE_LIMITS.lineLength || hasControl(line)) return undefined;
  const first = line.indexOf(' ');
  const head = line.slice(0, Math.max(0, first));
  if (/^SIP\/\d{1,3}\.\d{1,3}$/i.test(head)) {
    // A status of more than three digits is RFC 4475 3.1.2.19: not a response at all.
    const match = /^([1-6]\d\d)(?: |$)/.exec(line.slice(first + 1));
    if (match === null) return undefined;
    const reason = line.slice(first + 5);
    return { kind: 'response', version: head.toUpperCase(), status: Number(match[1]), reason };
  }
  const last = line.lastIndexOf(' ');
  const version = line.slice(last + 1);
  if (!isToken(head) || last <= first || !/^SIP\/\d{1,3}\.\d{1,3}$/i.test(version)) {
    return malformedRequestLine(line, head);
  }
  const uri = line.slice(first + 1, last);
  return { kind: 'request', method: head, uri, version: version.toUpperCase() };
}

/** A request line with blanks in wrong places can still be answered with 400. */
function malformedRequestLine(line: string, method: string): StartLine | undefined {
  if (!isToken(method) || !/ SIP\/\d\.\d *$/i.test(line.slice(-16))) return undefined;
  return { kind: 'request', method, uri: '', version: 'SIP/2.0' };
}

/** The lines behind the start line. */
function parseHeaders(lines: readonly string[]): SipHeader[] | string {
  const headers: [string, string][] = [];
  if (lines.length > MESSAGE_LIMITS.lines + 1) return 'too many lines';
  for (let at = 1; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    if (line.length > MESSAGE_LIMITS.lineLength) return 'a header line is too long';
    // Other control characters are legal in a quoted-string (RFC 4475 3.1.1.2).
    if (line.includes('\r') || line.includes('\n')) return 'a bare line break in a header';
    if (line.startsWith(' ') || line.startsWith('\t')) {
      const fault = unfold(headers, line);
      if (fault !== undefined) return fault;
      continue;
    }
    const colon = line.indexOf(':');
    const text = line.slice(0, Math.max(0, colon)).trimEnd();
    const known = KNOWN_NAMES.get(text);
    if (known === undefined && !isToken(text)) return 'a line that is no header';
    // One string for each known name, so that it is compared by its address from here on.
    headers.push([known?.written ?? text, line.slice(colon + 1).trim()]);
    if (headers.length > MESSAGE_LIMITS.headers) return 'too many headers';
  }
  return headers;
}

/** RFC 3261 section 7.3.1: a folded line continues the one above. */
function unfold(headers: [string, string][], line: string): string | undefined {
  const previous = headers.at(-1);
  if (previous === undefined) return 'a folded line without a header';
  previous[1] = `${previous[1]} ${line.trim()}`.trim();
  const isLong = previous[1].length > MESSAGE_LIMITS.lineLength;
  return isLong ? 'a folded header is too long' : undefined;
}

function cutBody(
  bytes: Buffer,
  start: number,
  headers: readonly SipHeader[],
): { body: string; defect?: string } {
  const [text, ...others] = headersOf({ headers }, 'content-length');
  // A datagram without Content-Length ends where the datagram ends (RFC 3261 section 18.3).
  if (text === undefined) return { body: bytes.toString('utf8', start) };
  if (others.some((other) => other !== text)) {
    return { body: '', defect: 'several Content-Length values' };
  }
  if (!/^\d{1,7}$/.test(text)) return { body: '', defect: 'Content-Length is no number' };
  const length = Number(text);
  if (length > bytes.length - start) return { body: '', defect: 'shorter than its Content-Length' };
  return { body: length === 0 ? '' : bytes.toString('utf8', start, start + length) };
}

/** The long lower-case name a header is compared by. */
function longName(name: string): string {
  const lower = name.toLowerCase();
  return COMPACT_NAMES.get(lower) ?? lower;
}

function isNamed(written: string, name: string): boolean {
  if (written === name) return true;
  // Only the compact form has another length than the long one, and that is a single letter.
  if (written.length !== name.length && written.length !== 1) return false;
  return (KNOWN_NAMES.get(written)?.canonical ?? longName(written)) === name;
}

type HasHeaders = { headers: readonly SipHeader[] };

/** All values under a name (lower case, long form), in order, one per header line. */
export function headersOf(message: HasHeaders, name: string): string[] {
  const values: string[] = [];
  for (const header of message.headers) {
    if (isNamed(header[0], name)) values.push(header[1]);
  }
  return values;
}

/** How many header lines there are under a name. */
export function countOf(message: HasHeaders, name: string): number {
  let count = 0;
  for (const header of message.headers) if (isNamed(header[0], name)) count += 1;
  return count;
}

export function headerOf(message: HasHeaders, name: string): string | undefined {
  for (const header of message.headers) {
    if (isNamed(header[0], name)) return header[1];
  }
  return undefined;
}

/** The values of a header that may hold a comma list, one per element. */
export function listOf(message: HasHeaders, name: string): string[] {
  const values = headersOf(message, name);
  if (!values.some((value) => value.includes(','))) return values;
  return values.flatMap((value) => splitOutside(value, ',') ?? [value]);
}

/** The bytes for the wire. Content-Length is always written here and nowhere else. */
export function serialise(message: SipMessage): Buffer {
  const startLine =
    message.kind === 'request'
      ? `${message.method} ${message.uri} SIP/2.0`
      : `SIP/2.0 ${message.status} ${message.reason}`;
  let text = startLine;
  for (const [name, value] of message.headers) {
    if (!isNamed(name, 'content-length')) text += `\r\n${name}: ${value}`;
  }
  const length = Buffer.byteLength(message.body);
  return Buffer.from(`${text}\r\nContent-Length: ${length}\r\n\r\n${message.body}`);
}
