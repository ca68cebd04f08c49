import type { InDialogRequest, RequestOutcome } from './dialog-sender.ts';
import { infoDtmfBody } from './info-dtmf.ts';
import type { InfoDtmfOutcome } from './sip.ts';

export type OwnKeysParts = {
  /** Whether the peer's last Allow header, if it ever had one, names INFO. */
  mayInform: () => boolean;
  send: (request: InDialogRequest, onOutcome: (outcome: RequestOutcome) => void) => void;
};

type Press = {
  bodies: readonly string[];
  taken: number;
  settle: (outcome: InfoDtmfOutcome) => void;
};

/** More than anybody types ahead; what comes on top is refused. */
const PRESSES_MAX = 64;

/**
 * Our keys by SIP INFO, one at a time: over UDP two requests may overtake each other, and a PBX
 * takes 1-2 and 2-1 for different wishes. A press of several keys ends at the first one that does
 * not get through, because a number with a hole in it is another number.
 */
export class OwnKeys {
  readonly #parts: OwnKeysParts;
  readonly #waiting: Press[] = [];
  #current: Press | undefined;
  #isOver = false;

  constructor(parts: OwnKeysParts) {
    this.#parts = parts;
  }

  press(digits: string, durationMs: number | undefined): Promise<InfoDtmfOutcome> {
    const bodies = Array.from(digits, (digit) => infoDtmfBody(digit, durationMs));
    const known = bodies.filter((body) => body !== undefined);
    const refused = known.length !== bodies.length || this.#waiting.length >= PRESSES_MAX;
    if (refused) return Promise.resolve({ taken: 0, trouble: 'refused' });
    const { promise, resolve } = Promise.withResolvers<InfoDtmfOutcome>();
    this.#waiting.push({ bodies: known, taken: 0, settle: resolve });
    if (this.#isOver) this.end();
    else if (this.#current === undefined) this.#next();
    return promise;
  }

  /** The call is over: whatever waits is told so. */
  end(): void {
    this.#isOver = true;
    const open = this.#current === undefined ? [] : [this.#current];
    this.#current = undefined;
    for (const { taken, settle } of [...open, ...this.#waiting.splice(0)]) {
      settle({ taken, trouble: 'over' });
    }
  }

  #next(): void {
    this.#current = this.#waiting.shift();
    if (this.#current !== undefined) this.#press(this.#current);
  }

  #press(press: Press): void {
    const body = press.bodies[press.taken];
    if (body === undefined) return this.#settle(press, null);
    // Asked before each key: the peer may have said otherwise in the middle of them.
    if (!this.#parts.mayInform()) return this.#settle(press, 'refused');
    const request = { method: 'INFO', contentType: 'application/dtmf-relay', body } as const;
    this.#parts.send(request, (outcome) => {
      // The call ended meanwhile, and its end has been told.
      if (this.#current !== press) return;
      if (outcome.kind !== 'response') return this.#settle(press, 'unanswered');
      if (outcome.response.status >= 300) return this.#settle(press, 'refused');
      press.taken += 1;
      this.#press(press);
    });
  }

  #settle(press: Press, trouble: InfoDtmfOutcome['trouble']): void {
    press.settle({ taken: press.taken, trouble });
    this.#next();
  }
}
