import type { Random } from '../platform/random.ts';
import { isSix, uriHost } from './addresses.ts';
import { routing, type Dialog } from './dialog.ts';
import { hasControl, headerOf, headersOf, isToken } from './message.ts';
import type { SipHeader, SipRequest } from './message.ts';
import { replacesValue } from './refer-values.ts';
import { ALLOW, SUPPORTED } from './reply.ts';
import { timerHeaders } from './session-timer.ts';
import type { InviteRequest } from './sip.ts';
import { quote } from './uri.ts';
import { isReliable, type Hop, type Wire } from './wire.ts';

/** The requests a call sends: INVITE, CANCEL, ACK of a 2xx, BYE (RFC 3261 sections 8.1, 9, 12). */
export const USER_AGENT: SipHeader = ['User-Agent', 'Askfirst'];
const HEADER_VALUE_MAX = 4096;

/** Headers the user agent writes itself; a second one would contradict it. */
const OWN_HEADERS = new Set(
  (
    'via from to call-id cseq contact max-forwards route record-route content-length ' +
    'content-type allow supported require proxy-require authorization proxy-authorization ' +
    'session-expires min-se replaces refer-to referred-by v f t i m l c k x r b'
  ).split(' '),
);

/** What is wrong with an order to call, as a reason phrase; undefined when nothing is. */
export function wrongInvite(request: InviteRequest): string | undefined {
  for (const [name, value] of Object.entries(request.headers)) {
    if (!isToken(name) || OWN_HEADERS.has(name.toLowerCase())) return 'Header name not allowed';
    if (hasControl(value) || value.length > HEADER_VALUE_MAX) return 'Header value not allowed';
  }
  const { replaces, referredBy = '' } = request;
  if (hasControl(referredBy) || referredBy.length > HEADER_VALUE_MAX) {
    return 'Referred-By not allowed';
  }
  // Call-ID and tags come from a REFER, so from the network; none of them may end a parameter.
  const words = replaces === undefined ? [] : [replaces.toTag, replaces.fromTag];
  if (!words.every(isToken) || /[\s;,]|[^!-~]/.test(replaces?.callId ?? '')) {
    return 'Replaces not allowed';
  }
  return undefined;
}

/** 64 random bits: unguessable, so that only who saw the request can answer it. */
export function newToken(random: Random, bytes = 8): string {
  const { buffer, byteOffset, length } = random.bytes(bytes);
  return Buffer.from(buffer, byteOffset, length).toString('hex');
}

/** Keeps what RFC 3261 section 25.1 allows in a user part and escapes the rest. */
export function escapeUser(user: string): string {
  if (/^[A-Za-z0-9\-_.!~*'()&=+$,]*$/.test(user)) return user;
  const bytes = [...Buffer.from(user, 'utf8')];
  return bytes
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return /[A-Za-z0-9\-_.!~*'()&=+$,]/.test(character)
        ? character
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}

export type Place = { address: string; port: number };

export function viaHeader(hop: Hop, local: Place, random: Random): SipHeader {
  const transport = hop.transport.toUpperCase();
  const branch = `z9hG4bK${newToken(random)}`;
  return ['Via', `SIP/2.0/${transport} ${local.address}:${local.port};branch=${branch};rport`];
}

export function contactHeader(hop: Hop, local: Place, user: string): SipHeader {
  const parameter = isReliable(hop.transport) ? `;transport=${hop.transport}` : '';
  const name = user === '' ? '' : `${escapeUser(user)}@`;
  return ['Contact', `<sip:${name}${local.address}:${local.port}${parameter}>`];
}

export type InviteParts = {
  request: InviteRequest;
  /** Where it goes: the target, or where a redirect points. */
  uri: string;
  /** The session interval to ask for, in seconds. */
  intervalS: number;
  via: SipHeader;
  contact: SipHeader;
  localAddress: string;
  callId: string;
  localTag: string;
  sequence: number;
  credentials: readonly SipHeader[];
};

export function inviteRequest(parts: InviteParts): SipRequest {
  const { request } = parts;
  const { user, displayName } = request.from;
  const name = displayName === undefined ? '' : `${quote(displayName)} `;
  const { replaces, referredBy } = request;
  const given: SipHeader[] = Object.entries(request.headers);
  if (replaces !== undefined) given.push(['Replaces', replacesValue(replaces)]);
  if (replaces !== undefined) given.push(['Require', 'replaces']);
  if (referredBy !== undefined) given.push(['Referred-By', referredBy]);
  return {
    kind: 'request',
    method: 'INVITE',
    uri: parts.uri,
    version: 'SIP/2.0',
    headers: [
      parts.via,
      ['Max-Forwards', '70'],
      ['From', `${name}<sip:${escapeUser(user)}@${parts.localAddress}>;tag=${parts.localTag}`],
      // RFC 3261 section 8.1.3.4: a redirect moves the Request-URI, not the To.
      ['To', `<${request.target.uri}>`],
      ['Call-ID', parts.callId],
      ['CSeq', `${parts.sequence} INVITE`],
      parts.contact,
      ...parts.credentials,
      ALLOW,
      SUPPORTED,
      ...timerHeaders(parts.intervalS),
      ['Accept', 'application/sdp'],
      USER_AGENT,
      ...given,
      ['Content-Type', 'application/sdp'],
    ],
    body: request.offer,
  };
}

/** RFC 3261 section 9.1: all that identifies the INVITE, its Via included, stays the same. */
export function cancelRequest(invite: SipRequest, extra: readonly SipHeader[]): SipRequest {
  const [via = ''] = headersOf(invite, 'via');
  const number = (headerOf(invite, 'cseq') ?? '').split(' ')[0] ?? '';
  return {
    ...invite,
    method: 'CANCEL',
    headers: [
      ['Via', via],
      ['Max-Forwards', '70'],
      ['From', headerOf(invite, 'from') ?? ''],
      ['To', headerOf(invite, 'to') ?? ''],
      ['Call-ID', headerOf(invite, 'call-id') ?? ''],
      ['CSeq', `${number} CANCEL`],
      ...extra,
    ],
    body: '',
  };
}

export type DialogRequestParts = {
  method: 'ACK' | 'BYE' | 'INFO' | 'INVITE' | 'NOTIFY' | 'PRACK' | 'REFER' | 'UPDATE';
  sequence: number;
  via: SipHeader;
  extra: readonly SipHeader[];
};

export function dialogRequest(dialog: Dialog, parts: DialogRequestParts): SipRequest {
  const { uri, routes } = routing(dialog);
  return {
    kind: 'request',
    method: parts.method,
    uri,
    version: 'SIP/2.0',
    headers: [
      parts.via,
      ['Max-Forwards', '70'],
      ...routes,
      ['From', dialog.localAddress],
      ['To', dialog.remoteAddress],
      ['Call-ID', dialog.callId],
      ['CSeq', `${parts.sequence} ${parts.method}`],
      ...parts.extra,
      USER_AGENT,
    ],
    body: '',
  };
}

/** A Reason header (RFC 3326) from the caller's text, made harmless. */
export function reasonHeader(reason: string | undefined): SipHeader[] {
  if (reason === undefined || reason === '') return [];
  // eslint-disable-next-line no-control-regex -- control characters are what it looks for
  const value = reason.replace(/[\u0000-\u001f\u007f]+/g, ' ').slice(0, 256);
  return [['Reason', value]];
}

/** The Reason header of a BYE that we got, cut to what is worth keeping. */
export function reasonOf(request: SipRequest): { reason?: string } {
  return reasonField(headerOf(request, 'reason')?.slice(0, 256));
}

export function reasonField(reason: string | undefined): { reason?: string } {
  return reason === undefined ? {} : { reason };
}

/**
 * Where we can be reached on the way to a hop, as URIs write it; the operator's word goes before
 * the socket's.
 */
export function placeToward(wire: Wire, hop: Hop, advertised: string | undefined): Place {
  const local = wire.localAddress(hop.transport, hop.address);
  // An advertised IPv4 address is of no use to a peer that we reach over IPv6, and the reverse.
  const fits = advertised !== undefined && isSix(advertised) === isSix(hop.address);
  return { address: uriHost(fits ? advertised : local.address), port: local.port };
}
