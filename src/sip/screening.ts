import { cseqOf, parseVia } from './header-fields.ts';
import { countOf, headerOf, listOf, type SipRequest, type SipResponse } from './message.ts';
import { EXTENSIONS } from './reply.ts';
import { parseNameAddress, parseSipUri, uriScheme } from './uri.ts';

/**
 * Whether a parsed message may be acted upon (RFC 3261 sections 8.2 and 8.1.3, the cases of
 * RFC 4475). Requests get the status to answer with, responses are only good or dropped.
 */
export type Screened = { status: number; reason: string; headers?: readonly [string, string][] };

/** These may stand once (RFC 3261 section 7.3.1); two of them leave open which one counts. */
const SINGLE = ['from', 'to', 'call-id', 'cseq', 'max-forwards', 'content-type', 'date'] as const;
const REQUIRED = ['from', 'to', 'call-id', 'cseq'] as const;
const CALL_ID_LIMIT = 256;

/** Undefined when the request is well formed, else what to answer. */
export function screenRequest(request: SipRequest): Screened | undefined {
  if (request.version !== 'SIP/2.0') return { status: 505, reason: 'Version Not Supported' };
  const wrong = request.defect ?? wrongHeaders(request) ?? wrongAddresses(request);
  if (wrong !== undefined) return { status: 400, reason: `Bad Request: ${wrong}` };
  const scheme = uriScheme(request.uri);
  if (scheme === undefined) return { status: 400, reason: 'Bad Request: Request-URI' };
  if (scheme !== 'sip' && scheme !== 'sips') {
    return { status: 416, reason: 'Unsupported URI Scheme' };
  }
  const uri = parseSipUri(request.uri);
  // RFC 3261 section 19.1.1: header fields have no place in a Request-URI.
  if (uri === undefined || uri.headers !== '') {
    return { status: 400, reason: 'Bad Request: Request-URI' };
  }
  return unsupported(request);
}

/** True when the response is one we could have caused. */
export function screenResponse(response: SipResponse): boolean {
  if (response.version !== 'SIP/2.0' || response.defect !== undefined) return false;
  // RFC 3261 section 8.1.3.3: more than one Via means it went astray.
  const vias = listOf(response, 'via');
  return vias.length === 1 && wrongHeaders(response) === undefined;
}

function wrongHeaders(message: SipRequest | SipResponse): string | undefined {
  for (const name of REQUIRED) {
    if ((headerOf(message, name) ?? '') === '') return `${name} is missing`;
  }
  for (const name of SINGLE) {
    if (countOf(message, name) > 1) return `several ${name}`;
  }
  if ((headerOf(message, 'call-id') ?? '').length > CALL_ID_LIMIT) return 'call-id is too long';
  const vias = listOf(message, 'via');
  if (vias.length === 0 || vias.some((via) => parseVia(via) === undefined)) return 'via';
  const cseq = cseqOf(message);
  if (cseq === undefined) return 'cseq';
  if (message.kind === 'request' && cseq.method !== message.method) return 'cseq method';
  const hops = headerOf(message, 'max-forwards');
  return hops === undefined || (/^\d{1,10}$/.test(hops) && Number(hops) <= 255)
    ? undefined
    : 'max-forwards';
}

function wrongAddresses(request: SipRequest): string | undefined {
  for (const name of ['from', 'to'] as const) {
    if (parseNameAddress(headerOf(request, name) ?? '') === undefined) return name;
  }
  for (const value of listOf(request, 'contact')) {
    if (value !== '*' && parseNameAddress(value) === undefined) return 'contact';
  }
  return undefined;
}

function unsupported(request: SipRequest): Screened | undefined {
  const required = listOf(request, 'require').filter(
    (extension) => !EXTENSIONS.has(extension.toLowerCase()),
  );
  if (required.length > 0 && request.method !== 'ACK' && request.method !== 'CANCEL') {
    const headers: [string, string][] = [['Unsupported', required.join(', ')]];
    return { status: 420, reason: 'Bad Extension', headers };
  }
  const type = (headerOf(request, 'content-type') ?? 'application/sdp').toLowerCase();
  const offers = request.method === 'INVITE' || request.method === 'UPDATE';
  if (offers && request.body !== '' && !type.startsWith('application/sdp')) {
    const headers: [string, string][] = [['Accept', 'application/sdp']];
    return { status: 415, reason: 'Unsupported Media Type', headers };
  }
  return undefined;
}
