import { createHash } from 'node:crypto';
import type { Random } from '../platform/random.ts';
import { headersOf, type SipHeader, type SipRequest, type SipResponse } from './message.ts';
import type { SipTarget } from './sip.ts';
import { splitOutside, unquote } from './uri.ts';

/**
 * Digest credentials for one call (RFC 3261 section 22, RFC 8760).
 *
 * Whether a response may be answered at all (did it come from the configured target?) is the
 * caller's question; here it is decided whether *this challenge* deserves an answer: never more
 * than two, never the same nonce again unless it is called stale, never a weaker algorithm than
 * one already seen, never `auth-int` or a `-sess` algorithm.
 */
export type Challenge = {
  realm: string;
  nonce: string;
  algorithm: 'SHA-256' | 'MD5';
  opaque?: string;
  /** Absent means the form of RFC 2069, which older PBXs still ask for. */
  qop?: 'auth';
  stale: boolean;
};

const ANSWERS_MAX = 2;
const STRENGTH = { 'SHA-256': 2, MD5: 1 } as const;
const FIELDS = {
  401: { challenge: 'www-authenticate', answer: 'Authorization' },
  407: { challenge: 'proxy-authenticate', answer: 'Proxy-Authorization' },
} as const;

type Held = { status: 401 | 407; challenge: Challenge; uses: number };

export class DigestCredentials {
  readonly #target: SipTarget;
  readonly #random: Random;
  /** One for each status at most. */
  #held: Held[] = [];
  readonly #spentNonces: string[] = [];
  #answers = 0;
  #strongest = 0;

  constructor(target: SipTarget, random: Random) {
    this.#target = target;
    this.#random = random;
  }

  /** Takes a 401 or 407; true when the request is worth sending again with `headersFor`. */
  accept(response: SipResponse): boolean {
    const status = response.status === 401 ? 401 : 407;
    const challenge = strongest(headersOf(response, FIELDS[status].challenge));
    const { username, password } = this.#target;
    if (challenge === undefined || username === undefined || password === undefined) return false;
    if (this.#answers >= ANSWERS_MAX || this.#isSuspicious(status, challenge)) return false;
    this.#answers += 1;
    this.#strongest = Math.max(this.#strongest, STRENGTH[challenge.algorithm]);
    this.#spentNonces.push(challenge.nonce);
    this.#held = this.#held.filter((held) => held.status !== status);
    this.#held.push({ status, challenge, uses: 0 });
    return true;
  }

  #isSuspicious(status: 401 | 407, challenge: Challenge): boolean {
    if (this.#target.realm !== undefined && this.#target.realm !== challenge.realm) return true;
    if (STRENGTH[challenge.algorithm] < this.#strongest) return true;
    // A nonce that comes back was answered already: the password is wrong, or it is a replay.
    if (this.#spentNonces.includes(challenge.nonce)) return true;
    return this.#held.some((held) => held.status === status) && !challenge.stale;
  }

  /** The Authorization headers for a request, counting each use of a nonce. */
  headersFor(request: Pick<SipRequest, 'method' | 'uri'>): SipHeader[] {
    const headers: SipHeader[] = [];
    for (const held of this.#held) {
      held.uses += 1;
      const cnonce = Buffer.from(this.#random.bytes(12)).toString('hex');
      const value = digestHeader(held.challenge, {
        username: this.#target.username ?? '',
        password: this.#target.password ?? '',
        method: request.method,
        uri: request.uri,
        cnonce,
        use: held.uses,
      });
      headers.push([FIELDS[held.status].answer, value]);
    }
    return headers;
  }
}

function strongest(texts: readonly string[]): Challenge | undefined {
  return texts
    .map(parseChallenge)
    .filter((challenge) => challenge !== undefined)
    .sort((a, b) => STRENGTH[b.algorithm] - STRENGTH[a.algorithm])[0];
}

/** Parses one WWW-Authenticate or Proxy-Authenticate value; undefined when we cannot answer it. */
export function parseChallenge(text: string): Challenge | undefined {
  const match = /^digest[ \t]+(.*)$/i.exec(text);
  const fields = new Map<string, string>();
  for (const part of splitOutside(match?.[1] ?? '', ',') ?? []) {
    const equals = part.indexOf('=');
    const name = part.slice(0, Math.max(0, equals)).trim().toLowerCase();
    // A field given twice leaves open which one the peer will check.
    if (fields.has(name)) return undefined;
    fields.set(name, unquote(part.slice(equals + 1).trim()));
  }
  const realm = fields.get('realm');
  const nonce = fields.get('nonce');
  const algorithm = (fields.get('algorithm') ?? 'MD5').toUpperCase();
  const offered = fields.get('qop')?.toLowerCase();
  const auth = offered?.split(',').some((option) => option.trim() === 'auth') === true;
  if (realm === undefined || nonce === undefined || nonce === '') return undefined;
  if (algorithm !== 'MD5' && algorithm !== 'SHA-256') return undefined;
  if (offered !== undefined && !auth) return undefined;
  const opaque = fields.get('opaque');
  return {
    realm,
    nonce,
    algorithm,
    ...(opaque === undefined ? {} : { opaque }),
    ...(auth ? { qop: 'auth' } : {}),
    stale: fields.get('stale')?.toLowerCase() === 'true',
  };
}

export type DigestInput = {
  username: string;
  password: string;
  method: string;
  uri: string;
  cnonce: string;
  /** How many requests have used this nonce, this one included. */
  use: number;
};

/** The value of an Authorization header (RFC 7616 section 3.4). */
export function digestHeader(challenge: Challenge, input: DigestInput): string {
  const hash = (text: string): string =>
    createHash(challenge.algorithm === 'MD5' ? 'md5' : 'sha256')
      .update(text)
      .digest('hex');
  const count = input.use.toString(16).padStart(8, '0');
  const secret = hash(`${input.username}:${challenge.realm}:${input.password}`);
  const action = hash(`${input.method}:${input.uri}`);
  const middle =
    challenge.qop === undefined
      ? challenge.nonce
      : `${challenge.nonce}:${count}:${input.cnonce}:auth`;
  const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;
  const fields = [
    `username=${quoted(input.username)}`,
    `realm=${quoted(challenge.realm)}`,
    `nonce=${quoted(challenge.nonce)}`,
    `uri=${quoted(input.uri)}`,
    `response="${hash(`${secret}:${middle}:${action}`)}"`,
    `algorithm=${challenge.algorithm}`,
    ...(challenge.opaque === undefined ? [] : [`opaque=${quoted(challenge.opaque)}`]),
    ...(challenge.qop === undefined
      ? []
      : ['qop=auth', `nc=${count}`, `cnonce=${quoted(input.cnonce)}`]),
  ];
  return `Digest ${fields.join(', ')}`;
}
