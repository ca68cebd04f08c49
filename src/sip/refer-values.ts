import { headersOf, listOf, parseMessage, type SipRequest } from './message.ts';
import type { ReplacedDialog } from './sip.ts';
import { parseNameAddress, parseSipUri, splitOutside } from './uri.ts';

/**
 * What a transfer is written in: Refer-To (RFC 3515), Replaces (RFC 3891) and the sipfrag of a
 * NOTIFY (RFC 3420). All of it comes from the peer, so all of it may be wrong.
 */
export type ReferTo = { target: string; replaces?: ReplacedDialog };

/** The Refer-To of a REFER; undefined when there is none, several, or one that is no address. */
export function parseReferTo(request: SipRequest): ReferTo | undefined {
  const values = headersOf(request, 'refer-to');
  const address = parseNameAddress(values[0] ?? '');
  // RFC 3515 section 2.4.2: exactly one, else 400.
  if (values.length !== 1 || address === undefined) return undefined;
  const uri = parseSipUri(address.uri);
  // Something else than SIP, `tel:` for one: what becomes of it is our user's question.
  if (uri === undefined) return /^sips?:/i.test(address.uri) ? undefined : { target: address.uri };
  // A URI may ask for another method than INVITE (RFC 3261 section 19.1.1); we place calls only.
  if ((uri.parameters.get('method') ?? 'INVITE').toUpperCase() !== 'INVITE') return undefined;
  const question = address.uri.indexOf('?');
  const target = question < 0 ? address.uri : address.uri.slice(0, question);
  const text = headerOfUri(uri.headers, 'replaces');
  if (text === undefined) return { target };
  const replaces = parseReplaces(text);
  return replaces === undefined ? undefined : { target, replaces };
}

/** One header field out of the part of a URI after `?`, decoded; undefined when it is not there. */
function headerOfUri(text: string, name: string): string | undefined {
  for (const field of text.split('&')) {
    const equals = field.indexOf('=');
    if (field.slice(0, Math.max(0, equals)).toLowerCase() !== name) continue;
    try {
      return decodeURIComponent(field.slice(equals + 1));
    } catch {
      return '';
    }
  }
  return undefined;
}

/** `callid;to-tag=…;from-tag=…[;early-only]`. */
export function parseReplaces(text: string): ReplacedDialog | undefined {
  const [callId = '', ...parameters] = splitOutside(text, ';') ?? [];
  const value = (name: string): string | undefined =>
    parameters.find((part) => part.toLowerCase().startsWith(`${name}=`))?.slice(name.length + 1);
  const [toTag, fromTag] = [value('to-tag'), value('from-tag')];
  if (callId === '' || /\s/.test(callId) || !toTag || !fromTag) return undefined;
  const earlyOnly = parameters.some((part) => part.toLowerCase() === 'early-only');
  return { callId, toTag, fromTag, ...(earlyOnly ? { earlyOnly } : {}) };
}

export function replacesValue({ callId, toTag, fromTag, earlyOnly }: ReplacedDialog): string {
  const early = earlyOnly === true ? ';early-only' : '';
  return `${callId};to-tag=${toTag};from-tag=${fromTag}${early}`;
}

/** The Refer-To of ours; undefined when the target is nothing that can be written into one. */
export function referToValue(
  target: string,
  replaces: ReplacedDialog | undefined,
): string | undefined {
  const uri = parseSipUri(target);
  if (uri === undefined || uri.headers !== '') return undefined;
  if (replaces === undefined) return `<${target}>`;
  return `<${target}?Replaces=${encodeURIComponent(replacesValue(replaces))}>`;
}

/** The status line in the body of a NOTIFY about a REFER; undefined when there is none. */
export function parseSipfrag(body: string): { status: number; reason: string } | undefined {
  const parsed = parseMessage(Buffer.from(`${body.split('\r\n', 1)[0] ?? ''}\r\n\r\n`));
  if ('fault' in parsed || parsed.message.kind !== 'response') return undefined;
  const { status, reason } = parsed.message;
  return { status, reason: reason.trim().slice(0, 200) };
}

/** A Subscription-State header (RFC 6665 section 8.2.3): is it over? */
export function isTerminated(notify: SipRequest): boolean {
  const [state = ''] = listOf(notify, 'subscription-state');
  return state.split(';', 1)[0]?.trim().toLowerCase() === 'terminated';
}
