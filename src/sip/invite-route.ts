import type { Random } from '../platform/random.ts';
import {
  contactHeader,
  inviteRequest,
  placeToward,
  viaHeader,
  wrongInvite,
} from './call-requests.ts';
import { DigestCredentials } from './digest.ts';
import { findTargets, WrongOrder } from './hops.ts';
import type { SipHeader, SipRequest, SipResponse } from './message.ts';
import { isSameHost, Redirects } from './redirects.ts';
import { minimumOf, SESSION_EXPIRES_S } from './session-timer.ts';
import type { InviteRequest } from './sip.ts';
import type { Hop, Names, Wire } from './wire.ts';

/**
 * Where an INVITE goes and what it is sent with: the servers of its target one after the other
 * (RFC 3263 section 4.3), then the places that a redirect names; with credentials where the
 * configured host asks for them, and with the session interval that the peer will have.
 */
type Surroundings = { random: Random; wire: Wire; advertisedAddress?: string };
type InviteIdentity = {
  callId: string;
  localTag: string;
  sequence: number;
  /** The Authorization headers. */
  answers: readonly SipHeader[];
};

export class InviteRoute {
  readonly #request: InviteRequest;
  readonly #names: Names;
  readonly #random: Random;
  /** Once there has been one. */
  #redirects: Redirects | undefined;
  #uri: string;
  #credentials: DigestCredentials;
  #intervalS = SESSION_EXPIRES_S;
  #hop: Hop | undefined;
  #otherHops: Hop[] = [];

  constructor(request: InviteRequest, names: Names, random: Random) {
    this.#request = request;
    this.#names = names;
    this.#random = random;
    this.#uri = request.target.uri;
    this.#credentials = new DigestCredentials(request.target, random);
  }

  /** The Request-URI: the target, until a redirect is followed. */
  get uri(): string {
    return this.#uri;
  }

  /** Kept through challenges, so that a retry with credentials meets the same host. */
  get hop(): Hop | undefined {
    return this.#hop;
  }

  get credentials(): DigestCredentials {
    return this.#credentials;
  }

  get intervalS(): number {
    return this.#intervalS;
  }

  /** Looks up where the URI leads. Rejects with `WrongOrder` or the error of the look-up. */
  async resolve(): Promise<void> {
    const wrong = wrongInvite(this.#request);
    if (wrong !== undefined) throw new WrongOrder(wrong);
    const [hop, ...others] = await findTargets(this.#uri, this.#names, this.#random);
    this.#hop = hop;
    this.#otherHops = others;
  }

  /** Turns to the next server; false when there is none. */
  toNextServer(): boolean {
    const next = this.#otherHops.shift();
    if (next !== undefined) this.#hop = next;
    return next !== undefined;
  }

  /** Turns to where a redirect points; false where there is none that may be followed. */
  toRedirect(refusal: Pick<SipResponse, 'status' | 'headers'>): boolean {
    const { target, mayFollow = () => false } = this.#request;
    this.#redirects ??= new Redirects(target.uri, mayFollow);
    const uri = this.#redirects.next(refusal);
    if (uri === undefined) return false;
    this.#uri = uri;
    this.#otherHops = [];
    // The secret is for the configured host alone, whoever else the redirect names.
    if (!isSameHost(uri, target.uri)) {
      this.#credentials = new DigestCredentials({ uri }, this.#random);
    }
    return true;
  }

  /**
   * Whether the same INVITE is worth sending once more: with credentials after a challenge, or
   * with the longer session interval that a 422 names (RFC 4028 section 7.4).
   */
  canSatisfy(response: SipResponse, from: Hop): boolean {
    const { status } = response;
    if (status === 422) {
      const minimum = minimumOf(response) ?? 0;
      if (minimum <= this.#intervalS) return false;
      this.#intervalS = minimum;
      return true;
    }
    // The secret goes to nobody but the host that was configured.
    const fromTarget = from.address === this.#hop?.address;
    return (status === 401 || status === 407) && fromTarget && this.#credentials.accept(response);
  }

  hasOtherServers(): boolean {
    return this.#otherHops.length > 0;
  }

  /** The INVITE as it leaves toward this hop. */
  invite(surroundings: Surroundings, hop: Hop, parts: InviteIdentity): SipRequest {
    const { random, wire, advertisedAddress } = surroundings;
    const local = placeToward(wire, hop, advertisedAddress);
    const { answers: credentials, ...identity } = parts;
    return inviteRequest({
      request: this.#request,
      uri: this.#uri,
      intervalS: this.#intervalS,
      via: viaHeader(hop, local, random),
      contact: contactHeader(hop, local, this.#request.from.user),
      localAddress: local.address,
      credentials,
      ...identity,
    });
  }
}
