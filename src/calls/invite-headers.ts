import type { EndpointOptions } from '../endpoints/endpoint.ts';
import type { CallState } from './call.ts';

/** RFC 7433 section 4.1 leaves the length open; ISDN took 128 octets, and PBXs cut there. */
const USER_TO_USER_OCTETS = 128;

/**
 * What an INVITE tells the endpoint about its call. Words of people are percent-encoded or hex, so
 * that no value can begin a header of its own, whatever is in it.
 */
export function inviteHeaders(
  { plan, facts }: Pick<CallState, 'plan' | 'facts'>,
  { userToUser }: Pick<EndpointOptions, 'userToUser'>,
): Record<string, string> {
  const { clientReference, purpose } = plan;
  const headers: Record<string, string> = {
    'X-WA-Call-Id': plan.id,
    'X-WA-Purpose': percentEncoded(purpose),
  };
  if (facts.permissionId !== null) headers['X-WA-Permission-Id'] = facts.permissionId;
  if (clientReference !== null) headers['X-WA-Customer-Ref'] = percentEncoded(clientReference);
  if (userToUser !== 'off') {
    const told = userToUser === 'reference' ? (clientReference ?? plan.id) : plan.id;
    headers['User-to-User'] = userToUserValue(told);
  }
  return headers;
}

/** RFC 3986 section 2; what is no Unicode text at all becomes the replacement character. */
function percentEncoded(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

/** Hex of UTF-8, the only encoding that RFC 7433 defines; cut at whole characters. */
function userToUserValue(text: string): string {
  let octets = Buffer.alloc(0);
  for (const character of text.toWellFormed()) {
    const longer = Buffer.concat([octets, Buffer.from(character)]);
    if (longer.length > USER_TO_USER_OCTETS) break;
    octets = longer;
  }
  return `${octets.toString('hex')};encoding=hex`;
}
