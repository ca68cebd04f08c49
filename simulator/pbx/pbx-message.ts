/**
 * Just enough SIP to be called. Written without the gateway's parser on purpose: the PBX is the
 * other opinion about what the protocol says.
 */
export type PbxMessage = {
  /** The method of a request, or the empty string for a response. */
  method: string;
  uri: string;
  /** The status of a response, or 0. */
  status: number;
  headers: readonly (readonly [name: string, value: string])[];
  body: string;
};

const SHORT = new Map(
  Object.entries({
    v: 'via',
    f: 'from',
    t: 'to',
    i: 'call-id',
    m: 'contact',
    l: 'content-length',
    c: 'content-type',
  }),
);

export function readMessage(text: string): PbxMessage | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [start = '', ...lines] = text.slice(0, end).split('\r\n');
  const [first = '', second = '', third = ''] = start.split(' ');
  const isResponse = first === 'SIP/2.0';
  if (!isResponse && third !== 'SIP/2.0') return undefined;
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon)).trim().toLowerCase();
    return [SHORT.get(name) ?? name, line.slice(colon + 1).trim()];
  });
  return {
    method: isResponse ? '' : first,
    uri: isResponse ? '' : second,
    status: isResponse ? Number(second) || 0 : 0,
    headers,
    body: text.slice(end + 4),
  };
}

export function valueOf(message: PbxMessage, name: string): string {
  return message.headers.find(([key]) => key === name)?.[1] ?? '';
}

export function valuesOf(message: PbxMessage, name: string): string[] {
  return message.headers.filter(([key]) => key === name).map(([, value]) => value);
}

export function sequenceOf(message: PbxMessage): { number: number; method: string } {
  const [number = '0', method = ''] = valueOf(message, 'cseq').split(/ +/);
  return { number: Number(number) || 0, method };
}

/** What stands between `<` and `>`, or the whole value up to its parameters. */
export function uriIn(value: string): string {
  const open = value.indexOf('<');
  const close = value.indexOf('>', open);
  return open >= 0 && close > open ? value.slice(open + 1, close) : (value.split(';')[0] ?? '');
}

export function userOf(uri: string): string {
  const at = uri.indexOf('@');
  const colon = uri.indexOf(':');
  return at > colon ? uri.slice(colon + 1, at) : '';
}

/** A complete message; Content-Length is counted here. */
export function writeMessage(start: string, headers: readonly string[], body = ''): Buffer {
  const length = `Content-Length: ${Buffer.byteLength(body)}`;
  return Buffer.from([start, ...headers, length, '', body].join('\r\n'));
}

export type PbxReply = { status: number; reason: string; toTag: string };

/** A response to `request`, with `;received` and `;rport` filled in (RFC 3581). */
export function writeReply(
  request: PbxMessage,
  from: { address: string; port: number },
  reply: PbxReply,
  extra: readonly string[] = [],
  body = '',
): Buffer {
  const to = valueOf(request, 'to');
  const tag = /;\s*tag=/i.test(to) || reply.status === 100 ? '' : `;tag=${reply.toTag}`;
  const vias = valuesOf(request, 'via').map((via, i) =>
    i > 0 ? via : via.replace(/;rport(?=;|$)/, `;rport=${from.port};received=${from.address}`),
  );
  return writeMessage(
    `SIP/2.0 ${reply.status} ${reply.reason}`,
    [
      ...vias.map((via) => `Via: ${via}`),
      ...valuesOf(request, 'record-route').map((route) => `Record-Route: ${route}`),
      `From: ${valueOf(request, 'from')}`,
      `To: ${to}${tag}`,
      `Call-ID: ${valueOf(request, 'call-id')}`,
      `CSeq: ${valueOf(request, 'cseq')}`,
      ...extra,
    ],
    body,
  );
}
