import type { Random } from '../src/platform/random.ts';
import type { FaultDraft, FaultKind, SimFault } from './control-types.ts';

/** What can go wrong, and in one sentence how; the list of the reference page. */
export const FAULTS = {
  duplicate_webhook: 'The delivery arrives twice.',
  reorder_webhooks: 'The delivery waits until another one has overtaken it (2 s at most).',
  delay_webhook: 'The delivery is late by `delayMs` (3000 when left out).',
  drop_webhook: 'The first attempt is lost; it is repeated after the 20 s time-out.',
  wrong_signature: 'The first attempt is signed with another secret.',
  two_in_one_delivery: 'The delivery is joined with the next one (2 s at most).',
  unknown_event: 'A delivery with a field, an event and a status nobody knows goes before it.',
  missing_contacts: 'The delivery has no `contacts`.',
  bsuid_only: 'The delivery leaves every phone number of the person out.',
  integer_times: 'The times in the delivery are integers.',
  string_times: 'The times in the delivery are strings.',
  terminate_before_connect: 'The phone fails at once, and `terminate` overtakes `connect`.',
  connect_before_response: '`connect` is delivered before our POST /calls is answered.',
  setup_actpass: 'The SDP answer says `a=setup:actpass`.',
  sdp_without_fingerprint: 'The SDP answer has no fingerprint.',
  sdp_sha1_fingerprint: 'The SDP answer carries only a sha-1 fingerprint.',
  sdp_without_crypto: 'The SDP answer of a number with SDES has no key.',
  sdp_wrong_suite: 'The SDP answer of a number with SDES has a key for another suite.',
  sdp_short_key: 'The SDP answer of a number with SDES has a key that is too short.',
  sdp_garbage: 'The SDP answer is not SDP.',
  lost_answer: 'The request is carried out, but the connection is reset before the answer.',
  server_error: 'The request fails with HTTP 500, code 131000, and has no effect.',
  html_answer: 'The request fails with HTTP 502 and an HTML page, and has no effect.',
  slow_answer: 'The request is carried out, and answered `delayMs` late (30000 when left out).',
} as const satisfies Record<FaultKind, string>;

export type FaultBox = {
  add(draft: FaultDraft): SimFault;
  remove(id: string): boolean;
  clear(): void;
  list(): SimFault[];
  /**
   * Strikes when a fault of this kind is set and fits `subject` (an event or a resource), and
   * counts it. Returns the fault that struck.
   */
  strike(kind: FaultKind, subject: string): SimFault | undefined;
};

export function makeFaultBox(random: Random, changed: () => void): FaultBox {
  let faults: SimFault[] = [];
  let counter = 0;
  return {
    add(draft) {
      counter += 1;
      const fault: SimFault = { ...draft, id: `fault-${counter}`, struck: 0 };
      faults.push(fault);
      changed();
      return fault;
    },
    remove(id) {
      const before = faults.length;
      faults = faults.filter((fault) => fault.id !== id);
      changed();
      return faults.length < before;
    },
    clear() {
      faults = [];
      changed();
    },
    list: () => faults.map((fault) => ({ ...fault })),
    strike(kind, subject) {
      const fault = faults.find(
        (each) => each.kind === kind && (each.on === undefined || each.on === subject),
      );
      if (fault === undefined || !happens(random, fault.probability ?? 1)) return undefined;
      fault.struck += 1;
      if (fault.times !== undefined && fault.struck >= fault.times) {
        faults = faults.filter((each) => each !== fault);
      }
      changed();
      return fault;
    },
  };
}

function happens(random: Random, probability: number): boolean {
  return probability >= 1 || random.below(1_000_000) < probability * 1_000_000;
}
