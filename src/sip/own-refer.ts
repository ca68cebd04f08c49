import type { Clock, TimerHandle } from '../platform/clock.ts';
import type { InDialogRequest, RequestOutcome } from './dialog-sender.ts';
import { headerOf, type SipRequest } from './message.ts';
import { isTerminated, parseSipfrag, referToValue } from './refer-values.ts';
import type { ReplacedDialog, SipCallEvent } from './sip.ts';

/**
 * Our REFER (RFC 3515): asks the peer to call somebody else. Its outcome arrives by NOTIFY, and
 * every `refer` is told exactly one final `referProgress`, unless the call ends before.
 */
export type OwnReferParts = {
  clock: Clock;
  /** Our address-of-record, for Referred-By (RFC 3892). */
  ownAddress: string;
  send: (request: InDialogRequest, onOutcome: (outcome: RequestOutcome) => void) => void;
  emit: (event: SipCallEvent) => void;
};

/** After this long without an outcome nobody waits for it any more. */
const OUTCOME_MS = 180_000;

export class OwnRefers {
  readonly #parts: OwnReferParts;
  #timer: TimerHandle | undefined;

  constructor(parts: OwnReferParts) {
    this.#parts = parts;
  }

  start(target: string, replaces: ReplacedDialog | undefined): void {
    const referTo = referToValue(target, replaces);
    if (referTo === undefined) return this.#tell(400, 'The target is not a SIP URI', true);
    // Not `#finish`: the one under way goes on.
    if (this.#timer !== undefined) return this.#tell(491, 'Another transfer is under way', true);
    this.#timer = this.#parts.clock.after(OUTCOME_MS, () => this.#finish(408, 'No outcome told'));
    this.#parts.send(
      {
        method: 'REFER',
        extra: [
          ['Refer-To', referTo],
          ['Referred-By', this.#parts.ownAddress],
        ],
      },
      (outcome) => this.#answered(outcome),
    );
  }

  /** A NOTIFY about our REFER; false when there is none that it could be about. */
  notified(notify: SipRequest): boolean {
    if (this.#timer === undefined) return false;
    const told = parseSipfrag(notify.body);
    if (told !== undefined && told.status >= 200) this.#finish(told.status, told.reason);
    else if (isTerminated(notify)) this.#finish(408, 'No outcome told');
    else if (told !== undefined) this.#tell(told.status, told.reason, false);
    return true;
  }

  end(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #answered(outcome: RequestOutcome): void {
    // The NOTIFY with the outcome may have overtaken the 202.
    if (this.#timer === undefined) return;
    if (outcome.kind !== 'response') return this.#finish(408, 'No answer to our REFER');
    const { response } = outcome;
    if (response.status >= 300) return this.#finish(response.status, response.reason);
    // RFC 4488: the peer took it, and will not tell more.
    if (headerOf(response, 'refer-sub')?.trim().toLowerCase() === 'false') {
      return this.#finish(response.status, response.reason);
    }
    this.#tell(response.status, response.reason, false);
  }

  #finish(status: number, reason: string): void {
    this.end();
    this.#tell(status, reason, true);
  }

  #tell(status: number, reason: string, final: boolean): void {
    this.#parts.emit({ kind: 'referProgress', status, reason: reason.slice(0, 200), final });
  }
}
