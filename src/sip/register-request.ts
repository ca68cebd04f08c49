import { contactHeader, escapeUser, newToken } from './call-requests.ts';
import { askAlone, type LoneParts } from './lone-request.ts';
import { headerOf, headersOf, type SipResponse } from './message.ts';
import type { RegisterOutcome, SipRegistration, SipTarget } from './sip.ts';
import { parseSipUri } from './uri.ts';

const REGISTER_MS = 8_000;

/**
 * Registering at a PBX (RFC 3261 section 10) as `username` at the target's host: for a PBX that
 * takes calls only from users who have registered. All requests of one registration carry the
 * same Call-ID and a CSeq that grows (section 10.2.4).
 */
export function openRegistration(parts: LoneParts, target: SipTarget): SipRegistration {
  const { random } = parts;
  const callId = `${newToken(random)}${newToken(random)}`;
  let sequence = 0;
  return {
    async send(expiresSeconds, timeoutMs = REGISTER_MS) {
      const uri = registrarOf(target.uri);
      if (uri === null || target.username === undefined) return NOT_POSSIBLE;
      const user = escapeUser(target.username);
      const record = `<${(uri.split(';')[0] ?? '').replace(/^(sips?:)/, `$1${user}@`)}>`;
      const tag = newToken(random);
      let contact = '';
      const { status, reason, response } = await askAlone(
        parts,
        {
          method: 'REGISTER',
          uri,
          credentials: target,
          callId,
          nextSequence: () => (sequence += 1),
          headersFrom: (local, hop) => {
            const [name, value] = contactHeader(hop, local, target.username ?? '');
            contact = value;
            return [
              ['From', `${record};tag=${tag}`],
              ['To', record],
              [name, value],
              ['Expires', String(expiresSeconds)],
            ];
          },
        },
        timeoutMs,
      );
      const isIn = status >= 200 && status < 300;
      return {
        status,
        reason,
        expiresSeconds: isIn && response !== null ? grantedIn(response, contact) : null,
        minExpiresSeconds: response === null ? null : secondsIn(headerOf(response, 'min-expires')),
      };
    },
  };
}

const NOT_POSSIBLE: RegisterOutcome = {
  status: 400,
  reason: 'Registering needs a SIP URI and a user name',
  expiresSeconds: null,
  minExpiresSeconds: null,
};

/** The Request-URI: the domain alone, without the user (section 10.2); null for no SIP URI. */
function registrarOf(text: string): string | null {
  const uri = parseSipUri(text);
  if (uri === undefined) return null;
  const port = uri.port === undefined ? '' : `:${uri.port}`;
  const transport = uri.parameters.get('transport');
  const parameter = transport === undefined ? '' : `;transport=${transport}`;
  return `${uri.scheme}:${uri.host}${port}${parameter}`;
}

/** What the registrar gave our contact: its own parameter first, then the header (10.2.4). */
function grantedIn(response: SipResponse, contact: string): number | null {
  const own = /<[^;>]+/.exec(contact)?.[0] ?? contact;
  const mine = headersOf(response, 'contact')
    .flatMap((value) => value.split(','))
    .find((value) => value.includes(own));
  const parameter = /;\s*expires\s*=\s*"?(\d+)/i.exec(mine ?? '')?.[1];
  return secondsIn(parameter) ?? secondsIn(headerOf(response, 'expires'));
}

function secondsIn(text: string | undefined): number | null {
  if (text === undefined || !/^\d{1,9}$/.test(text.trim())) return null;
  return Number(text.trim());
}
