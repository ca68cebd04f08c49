import { createHash } from 'node:crypto';
import { callIdOf, tagOf, topVia } from './header-fields.ts';
import { headersOf, listOf, type SipHeader, type SipRequest } from './message.ts';
import type { SipResponse } from './message.ts';
import { isReliable, type Hop } from './wire.ts';

/** Responses to requests that we receive: their headers (RFC 3261 8.2.6) and their way (18.2.2). */
export const ALLOW: SipHeader = [
  'Allow',
  'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, NOTIFY, PRACK, UPDATE, REFER',
];
/** Extensions that we speak: RFC 3262, 3891 (as the one that is referred), 4028. */
export const EXTENSIONS: ReadonlySet<string> = new Set(['100rel', 'replaces', 'timer']);
export const SUPPORTED: SipHeader = ['Supported', [...EXTENSIONS].join(', ')];
/** The answer to OPTIONS (RFC 3261 section 11.2). */
export const CAPABILITIES: readonly SipHeader[] = [
  ALLOW,
  ['Accept', 'application/sdp'],
  ['Accept-Language', 'en'],
  SUPPORTED,
];

export type ReplyParts = { headers?: readonly SipHeader[]; body?: string };

export function makeReply(
  request: SipRequest,
  status: number,
  reason: string,
  parts: ReplyParts = {},
): SipResponse {
  const tagged = tagOf(request, 'to') !== '' || status === 100;
  const copied = (name: string, header: string): SipHeader[] =>
    headersOf(request, header).map((value): SipHeader => [name, value]);
  const to = copied('To', 'to').map(([name, value]): SipHeader => [
    name,
    tagged ? value : `${value};tag=${statelessTag(request)}`,
  ]);
  return {
    kind: 'response',
    version: 'SIP/2.0',
    status,
    reason,
    headers: [
      ...copied('Via', 'via'),
      ...copied('From', 'from'),
      ...to,
      ...copied('Call-ID', 'call-id'),
      ...copied('CSeq', 'cseq'),
      ...(status > 100 && status < 300 ? copied('Record-Route', 'record-route') : []),
      ...(parts.headers ?? []),
    ],
    body: parts.body ?? '',
  };
}

/** RFC 3261 8.2.7: a stateless server gives a repeated request the same tag again. */
function statelessTag(request: SipRequest): string {
  const [via = ''] = headersOf(request, 'via');
  return createHash('sha256')
    .update(`${via}\n${callIdOf(request)}\n${tagOf(request, 'from')}`)
    .digest('hex')
    .slice(0, 16);
}

/**
 * Writes where the request really came from into its top Via (RFC 3261 18.2.1, RFC 3581), so
 * that the peer behind a NAT learns its address from our response.
 */
export function stampSource(request: SipRequest, from: Hop): SipRequest {
  const [top = '', ...others] = listOf(request, 'via');
  const received = `;received=${from.address}`;
  const filled = top.replace(/;\s?rport\s?(?=;|$)/i, `;rport=${from.port}`);
  const stamped: SipHeader[] = [`${filled}${received}`, ...others].map((via) => ['Via', via]);
  const rest = request.headers.filter(([name]) => !/^(via|v)$/i.test(name));
  return { ...request, headers: [...stamped, ...rest] };
}

/**
 * Where a response goes: over TCP and TLS back on the connection, over UDP to the source address,
 * at the source port when the peer asked for it (`rport`), else at the port of its Via.
 */
export function replyHop(request: SipRequest, from: Hop): Hop {
  const via = topVia(request);
  if (isReliable(from.transport) || via === undefined || via.parameters.has('rport')) return from;
  return { ...from, port: via.port ?? 5060 };
}
