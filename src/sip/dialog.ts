import { callIdOf, cseqOf, tagOf } from './header-fields.ts';
import { headerOf, listOf, type SipHeader, type SipRequest, type SipResponse } from './message.ts';
import { parseNameAddress, parseSipUri } from './uri.ts';

/** A dialog as its caller sees it (RFC 3261 section 12): a value, changed by making a new one. */
export type Dialog = {
  callId: string;
  localTag: string;
  remoteTag: string;
  /** The From and To values of requests that we send, tags included. */
  localAddress: string;
  remoteAddress: string;
  /** The peer's Contact: the Request-URI of what we send. */
  remoteTarget: string;
  routes: readonly string[];
  localSequence: number;
  /** The highest CSeq the peer has used, once it has. */
  remoteSequence: number | undefined;
};

/** A longer Record-Route is an attack or a loop; requests along it would not fit a datagram. */
const ROUTES_MAX = 32;

/** The dialog that a 2xx to our INVITE creates (RFC 3261 section 12.1.2). */
export function dialogFromAnswer(invite: SipRequest, answer: SipResponse): Dialog {
  const routes = listOf(answer, 'record-route').reverse();
  return {
    callId: callIdOf(invite),
    localTag: tagOf(invite, 'from'),
    remoteTag: tagOf(answer, 'to'),
    localAddress: headerOf(invite, 'from') ?? '',
    remoteAddress: headerOf(answer, 'to') ?? '',
    // A 2xx without a usable Contact is wrong, but it still has to be acknowledged somewhere.
    remoteTarget: contactOf(answer) ?? invite.uri,
    routes: routes.length > ROUTES_MAX || !routes.every(isRoute) ? [] : routes,
    localSequence: cseqOf(invite)?.number ?? 0,
    remoteSequence: undefined,
  };
}

/** The URI in the Contact of a message, when it is one that requests can be sent to. */
export function contactOf(message: SipRequest | SipResponse): string | undefined {
  const uri = parseNameAddress(listOf(message, 'contact')[0] ?? '')?.uri;
  return uri !== undefined && parseSipUri(uri) !== undefined ? uri : undefined;
}

function isRoute(value: string): boolean {
  const uri = parseNameAddress(value)?.uri;
  return uri !== undefined && parseSipUri(uri) !== undefined;
}

/** The URI whose host the next request goes to. */
export function nextHopUri(dialog: Dialog): string {
  const [first] = dialog.routes;
  return first === undefined
    ? dialog.remoteTarget
    : (parseNameAddress(first)?.uri ?? dialog.remoteTarget);
}

/**
 * Request-URI and Route headers (RFC 3261 section 12.2.1.1). A first hop without `lr` is a
 * strict router, which expects itself in the Request-URI and the target at the end.
 */
export function routing(dialog: Dialog): { uri: string; routes: SipHeader[] } {
  const [first, ...rest] = dialog.routes;
  const asHeaders = (values: readonly string[]): SipHeader[] =>
    values.map((value) => ['Route', value]);
  if (first === undefined) return { uri: dialog.remoteTarget, routes: [] };
  const firstUri = nextHopUri(dialog);
  if (parseSipUri(firstUri)?.parameters.has('lr') === true) {
    return { uri: dialog.remoteTarget, routes: asHeaders(dialog.routes) };
  }
  return { uri: firstUri, routes: asHeaders([...rest, `<${dialog.remoteTarget}>`]) };
}

/** Takes in a request of the peer; `late` when its CSeq is not above the last one's (12.2.2). */
export function afterRequest(dialog: Dialog, request: SipRequest): Dialog | 'late' {
  const number = cseqOf(request)?.number ?? 0;
  if (dialog.remoteSequence !== undefined && number <= dialog.remoteSequence) return 'late';
  // Only these two may move the remote target (RFC 3261 section 12.2.2, RFC 3311 section 5.2).
  const moves = request.method === 'INVITE' || request.method === 'UPDATE';
  const target = moves ? contactOf(request) : undefined;
  return {
    ...dialog,
    remoteSequence: number,
    remoteTarget: target ?? dialog.remoteTarget,
  };
}
