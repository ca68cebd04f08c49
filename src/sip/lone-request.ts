import type { Clock } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import type { Random } from '../platform/random.ts';
import { placeToward, USER_AGENT, viaHeader, type Place } from './call-requests.ts';
import { DigestCredentials } from './digest.ts';
import { findTargets } from './hops.ts';
import type { SipHeader, SipRequest, SipResponse } from './message.ts';
import type { SipTarget } from './sip.ts';
import type { TransactionLayer } from './transaction-layer.ts';
import type { Hop, Names, Wire } from './wire.ts';

/**
 * A request outside any dialog that ends with its one final response: OPTIONS and REGISTER. It
 * goes to the next server where one cannot be reached, and answers a challenge of the target.
 */
export type LoneParts = {
  clock: Clock;
  random: Random;
  wire: Wire;
  names: Names;
  transactions: TransactionLayer;
  advertisedAddress?: string;
};

export type LoneRequest = {
  method: 'OPTIONS' | 'REGISTER';
  /** The Request-URI; where it is sent follows from it, and the secret is for its host. */
  uri: string;
  credentials: SipTarget;
  callId: string;
  /** The next number of the CSeq. */
  nextSequence: () => number;
  /** From, To and what else belongs to the method, as seen from that address of ours. */
  headersFrom: (local: Place, hop: Hop) => SipHeader[];
};

export type LoneOutcome = {
  status: number;
  reason: string;
  roundTripMs: number;
  /** Null where no answer came: then the status is ours (408, 503). */
  response: SipResponse | null;
};

/** Never rejects. Silence until `timeoutMs` is 408; no name or no way to send is 503. */
export function askAlone(
  parts: LoneParts,
  request: LoneRequest,
  timeoutMs: number,
): Promise<LoneOutcome> {
  const { clock, random, names } = parts;
  const startedAt = clock.monotonic();
  return new Promise((resolve) => {
    const finish = (status: number, reason: string, response: SipResponse | null): void => {
      timer.cancel();
      const roundTripMs = clock.monotonic() - startedAt;
      resolve({ status, reason: reason.slice(0, 200), roundTripMs, response });
    };
    const timer = clock.after(timeoutMs, () => finish(408, 'No answer in time', null));
    const ask = new Asking(parts, request, finish);
    void findTargets(request.uri, names, random).then(
      (hops) => ask.tryNext(hops),
      (error: unknown) => finish(503, errorText(error), null),
    );
  });
}

type Finish = (status: number, reason: string, response: SipResponse | null) => void;

class Asking {
  readonly #parts: LoneParts;
  readonly #request: LoneRequest;
  readonly #finish: Finish;
  readonly #credentials: DigestCredentials;

  constructor(parts: LoneParts, request: LoneRequest, finish: Finish) {
    this.#parts = parts;
    this.#request = request;
    this.#finish = finish;
    this.#credentials = new DigestCredentials(request.credentials, parts.random);
  }

  /** RFC 3263 section 4.3: the next server when one cannot be reached. */
  tryNext(hops: readonly Hop[]): void {
    const [hop, ...others] = hops;
    if (hop === undefined) return this.#finish(503, 'Not reachable', null);
    this.#send(hop, () => this.tryNext(others));
  }

  #send(hop: Hop, onMissed: () => void): void {
    this.#parts.transactions.request(this.#message(hop), hop, {
      onResponse: (response, from) => {
        const { status, reason } = response;
        if (status < 200) return;
        const challenge = status === 401 || status === 407;
        // The secret goes to nobody but the configured host.
        if (challenge && from.address === hop.address && this.#credentials.accept(response)) {
          return this.#send(hop, onMissed);
        }
        this.#finish(status, reason, response);
      },
      onTimeout: onMissed,
      onSendFailed: onMissed,
    });
  }

  #message(hop: Hop): SipRequest {
    const { wire, random, advertisedAddress } = this.#parts;
    const { method, uri, callId, nextSequence, headersFrom } = this.#request;
    const local = placeToward(wire, hop, advertisedAddress);
    return {
      kind: 'request',
      method,
      uri,
      version: 'SIP/2.0',
      headers: [
        viaHeader(hop, local, random),
        ['Max-Forwards', '70'],
        ...headersFrom(local, hop),
        ['Call-ID', callId],
        ['CSeq', `${nextSequence()} ${method}`],
        ...this.#credentials.headersFor({ method, uri }),
        USER_AGENT,
      ],
      body: '',
    };
  }
}
