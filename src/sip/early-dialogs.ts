import { dialogFromAnswer, type Dialog } from './dialog.ts';
import type { DialogSender } from './dialog-sender.ts';
import { cseqOf, tagOf } from './header-fields.ts';
import { headerOf, listOf, type SipRequest, type SipResponse } from './message.ts';
import { makeReply } from './reply.ts';
import type { ServerTransaction } from './transaction-layer.ts';

/**
 * The dialogs that provisional responses make before one of them is answered, and the reliable
 * provisional responses inside them (RFC 3262): each is acknowledged by PRACK, in order, once.
 */
type Early = { dialog: Dialog; rseq: number; sdp?: string };

/** A forking proxy with more phones than this: the others ring unacknowledged. */
const EARLY_MAX = 8;
const RSEQ_LIMIT = 2 ** 31;

export class EarlyDialogs {
  readonly #sender: DialogSender;
  /** Few peers ring reliably, so most calls have none. */
  #byTag: Map<string, Early> | undefined;

  constructor(sender: DialogSender) {
    this.#sender = sender;
  }

  /**
   * Takes in a 1xx above 100; false when it must not be processed: it is a repetition, or it
   * overtook one that is still missing (RFC 3262 section 4).
   */
  take(invite: SipRequest, response: SipResponse): boolean {
    const rseq = numberOf(headerOf(response, 'rseq'));
    if (rseq === undefined) return true;
    const reliable = listOf(response, 'require').some((tag) => tag.toLowerCase() === '100rel');
    const tag = tagOf(response, 'to');
    if (!reliable || tag === '') return true;
    const byTag = (this.#byTag ??= new Map<string, Early>());
    const known = byTag.get(tag);
    if (known === undefined && byTag.size >= EARLY_MAX) return false;
    if (known !== undefined && rseq !== known.rseq + 1) return false;
    const dialog = known?.dialog ?? dialogFromAnswer(invite, response);
    const sdp = response.body.trim() === '' ? known?.sdp : response.body;
    byTag.set(tag, { dialog, rseq, ...(sdp === undefined ? {} : { sdp }) });
    const number = cseqOf(invite)?.number ?? 0;
    this.#sender.request(
      dialog,
      { method: 'PRACK', extra: [['RAck', `${rseq} ${number} INVITE`]] },
      // A peer that does not take our PRACK gives up on the call by itself (section 3).
      () => undefined,
    );
    return true;
  }

  /** Whether a request of the peer comes out of one of these dialogs. */
  has(request: SipRequest): boolean {
    return this.#byTag?.has(tagOf(request, 'from')) === true;
  }

  /** The answer that a phone gave while it rang; its 200 need not repeat it (RFC 6337 3.1.1). */
  answerOf(response: SipResponse): string | undefined {
    return this.#byTag?.get(tagOf(response, 'to'))?.sdp;
  }
}

/** Answers what the peer asks inside a dialog that has no answer yet. */
export function answerEarly(server: ServerTransaction, early: EarlyDialogs | undefined): void {
  const { request } = server;
  const answer = (status: number, reason: string): void =>
    server.respond(makeReply(request, status, reason));
  // RFC 3261 14.2: their offer crosses ours, which has no answer yet.
  if (request.method === 'INVITE') return answer(491, 'Request Pending');
  if (request.method === 'UPDATE' && early?.has(request) === true) {
    // RFC 3311 5.2: before the answer nothing of the session can change, but it can be asked.
    return request.body === '' ? answer(200, 'OK') : answer(488, 'Not before the answer');
  }
  return answer(481, 'Call Does Not Exist');
}

function numberOf(text: string | undefined): number | undefined {
  const number = /^\d{1,10}$/.test(text ?? '') ? Number(text) : 0;
  return number > 0 && number < RSEQ_LIMIT ? number : undefined;
}
