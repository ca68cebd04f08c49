import { delay } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import { WhatsAppFailure } from '../whatsapp/whatsapp.ts';
import type { CallState } from './call.ts';
import type { HandPorts, SessionTarget } from './call-session.ts';

const TERMINATE_TRIES = 5;
const TERMINATE_RETRY_MS = 1_000;

/** What a session asks of Meta: one dial in its life, and one end, tried until it is told. */
export class WhatsAppHands {
  readonly #ports: HandPorts;
  readonly #target: SessionTarget;
  #posted: boolean;
  #terminating = false;

  /** `posted`: the gateway that had this call may have dialled it, so it is never dialled here. */
  constructor(ports: HandPorts, target: SessionTarget, posted: boolean) {
    this.#ports = ports;
    this.#target = target;
    this.#posted = posted;
  }

  /** The dial has left, or may have left, the house. */
  get posted(): boolean {
    return this.#posted;
  }

  /** One POST, once. Not awaited: Meta's webhooks may overtake its answer. */
  dial(offer: string): void {
    if (this.#posted) return;
    this.#posted = true;
    const { whatsapp, callId } = this.#ports;
    const { line, to } = this.#target;
    whatsapp.connectCall(line.access, to, offer, callId).then(
      ({ wacid }) => this.#onDialed(wacid),
      (error: unknown) => void this.#onDialError(error),
    );
  }

  /** Tells Meta that our side is over, again and again while that may help. */
  terminate(wacid: string): void {
    if (this.#terminating) return;
    this.#terminating = true;
    const { whatsapp, clock, log, callId } = this.#ports;
    const attempt = async (tries: number): Promise<void> => {
      try {
        await whatsapp.terminateCall(this.#target.line.access, wacid);
      } catch (error) {
        log.warn({ callId, error: errorText(error), tries }, 'terminate failed');
        const isFinal = error instanceof WhatsAppFailure && error.verdict === 'terminal';
        if (isFinal || tries >= TERMINATE_TRIES) return;
        await delay(clock, TERMINATE_RETRY_MS * 2 ** (tries - 1));
        await attempt(tries + 1);
      }
    };
    void attempt(1);
  }

  #onDialed(wacid: string): void {
    const { isOver, report, clock } = this.#ports;
    // An answer that comes after the end: the phone rings for a call that is over.
    if (isOver()) this.terminate(wacid);
    report({ type: 'CallInitiated', at: clock.now(), wacid });
  }

  async #onDialError(error: unknown): Promise<void> {
    const { clock, log, callId, report, endUnrung } = this.#ports;
    const reason = error instanceof WhatsAppFailure ? error.code : 'dial_failed';
    const isUnknown = !(error instanceof WhatsAppFailure) || leavesDialOpen(error);
    log.warn({ callId, reason, isUnknown }, 'dial did not succeed');
    if (isUnknown) {
      // Nobody knows whether the phone rings. Webhooks that carry our call id will tell.
      report({ type: 'CallDialUnknown', at: clock.now(), reason });
      return;
    }
    try {
      await endUnrung(reason);
    } catch (cause) {
      log.error({ callId, error: errorText(cause) }, 'refused dial not recorded');
      report({ type: 'CallDialUnknown', at: clock.now(), reason });
    }
  }
}

/**
 * True when an error leaves open whether the phone rings. A 5xx does so even with a code of
 * Meta's: it says that something broke, not that nothing happened.
 */
function leavesDialOpen(error: WhatsAppFailure): boolean {
  return error.side === 'indeterminate' || (error.httpStatus ?? 0) >= 500;
}

/** The dial may be sent as far as the agent is concerned. */
export function mayDial({ plan, facts }: CallState): boolean {
  if (plan.strategy !== 'agent_first') return true;
  return facts.endpoint !== null && facts.endpoint.answeredAt !== null;
}
