import type { Clock } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import type { Random } from '../platform/random.ts';
import { newToken, placeToward, USER_AGENT, viaHeader } from './call-requests.ts';
import { DigestCredentials } from './digest.ts';
import { findTargets } from './hops.ts';
import type { SipRequest } from './message.ts';
import type { OptionsOutcome, SipTarget } from './sip.ts';
import type { TransactionLayer } from './transaction-layer.ts';
import type { Hop, Names, Wire } from './wire.ts';

/**
 * OPTIONS outside a dialog (RFC 3261 section 11): is the target there, and how far away is it?
 * Any final response says that it is, a refusal as well; what that means is the asker's question.
 */
export type OptionsParts = {
  clock: Clock;
  random: Random;
  wire: Wire;
  names: Names;
  transactions: TransactionLayer;
  advertisedAddress?: string;
};

export function askOptions(
  parts: OptionsParts,
  target: SipTarget,
  timeoutMs: number,
): Promise<OptionsOutcome> {
  const { clock, random, names } = parts;
  const startedAt = clock.monotonic();
  return new Promise((resolve) => {
    const finish = (status: number, reason: string): void => {
      timer.cancel();
      resolve({ status, reason: reason.slice(0, 200), roundTripMs: clock.monotonic() - startedAt });
    };
    const timer = clock.after(timeoutMs, () => finish(408, 'No answer in time'));
    const ask = new Asking(parts, target, finish);
    void findTargets(target.uri, names, random).then(
      (hops) => ask.tryNext(hops),
      (error: unknown) => finish(503, errorText(error)),
    );
  });
}

class Asking {
  readonly #parts: OptionsParts;
  readonly #target: SipTarget;
  readonly #finish: (status: number, reason: string) => void;
  readonly #credentials: DigestCredentials;
  readonly #callId: string;
  readonly #tag: string;
  #sequence = 0;

  constructor(
    parts: OptionsParts,
    target: SipTarget,
    finish: (status: number, reason: string) => void,
  ) {
    this.#parts = parts;
    this.#target = target;
    this.#finish = finish;
    this.#credentials = new DigestCredentials(target, parts.random);
    this.#callId = `${newToken(parts.random)}${newToken(parts.random)}`;
    this.#tag = newToken(parts.random);
  }

  /** RFC 3263 section 4.3: the next server when one cannot be reached. */
  tryNext(hops: readonly Hop[]): void {
    const [hop, ...others] = hops;
    if (hop === undefined) return this.#finish(503, 'Not reachable');
    this.#send(hop, () => this.tryNext(others));
  }

  #send(hop: Hop, onMissed: () => void): void {
    this.#parts.transactions.request(this.#request(hop), hop, {
      onResponse: (response, from) => {
        const { status, reason } = response;
        if (status < 200) return;
        const challenge = status === 401 || status === 407;
        // The secret goes to nobody but the configured host.
        if (challenge && from.address === hop.address && this.#credentials.accept(response)) {
          return this.#send(hop, onMissed);
        }
        this.#finish(status, reason);
      },
      onTimeout: onMissed,
      onSendFailed: onMissed,
    });
  }

  #request(hop: Hop): SipRequest {
    const { wire, random, advertisedAddress } = this.#parts;
    const { uri } = this.#target;
    const local = placeToward(wire, hop, advertisedAddress);
    this.#sequence += 1;
    return {
      kind: 'request',
      method: 'OPTIONS',
      uri,
      version: 'SIP/2.0',
      headers: [
        viaHeader(hop, local, random),
        ['Max-Forwards', '70'],
        ['From', `<sip:askfirst@${local.address}>;tag=${this.#tag}`],
        ['To', `<${uri}>`],
        ['Call-ID', this.#callId],
        ['CSeq', `${this.#sequence} OPTIONS`],
        ...this.#credentials.headersFor({ method: 'OPTIONS', uri }),
        ['Accept', 'application/sdp'],
        USER_AGENT,
      ],
      body: '',
    };
  }
}
