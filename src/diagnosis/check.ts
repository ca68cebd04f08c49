import { isoTime } from '../platform/clock.ts';
import type { Refusal } from '../platform/refusal.ts';
import type { Check } from './diagnosis.ts';

/** Ways to say what one check found. */
export type Found = Omit<Check, 'id' | 'title'>;

export function check(id: string, title: string, found: Found): Check {
  return { id, title, ...found };
}

export function ok(detail: string, evidence: Record<string, unknown> = {}): Found {
  return { result: 'ok', detail, fix: null, evidence };
}

export function fault(detail: string, fix: string, evidence: Record<string, unknown> = {}): Found {
  return { result: 'fault', detail, fix, evidence };
}

export function hint(detail: string, fix: string, evidence: Record<string, unknown> = {}): Found {
  return { result: 'hint', detail, fix, evidence };
}

export function unknown(
  detail: string,
  fix: string | null = null,
  evidence: Record<string, unknown> = {},
): Found {
  return { result: 'unknown', detail, fix, evidence };
}

export function refused({ code, message, fix }: Refusal): Found {
  return fault(message, fix, { code });
}

/** `62.5 %`; a share of nothing is told as such. */
export function percent(part: number, whole: number): string {
  return whole === 0 ? '0 of 0' : `${Math.round((part / whole) * 1000) / 10} %`;
}

export function time(at: number): string {
  return isoTime(at);
}

/** What is known of whether a number is on WhatsApp. */
export type NumberFacts = {
  /** Why the text is no number or user id; null when it can be read. */
  numberProblem: Refusal | null;
  contactId: string | null;
  /** The last proof that somebody is there: a message delivered or read, or one of theirs. */
  reachedAt: number | null;
  /** The last message that Meta could not deliver. */
  undeliverable: { at: number; code: string; message: string; fix: string } | null;
};

/** How to look into what needs a number that can be read. */
export function lookWith<Facts extends NumberFacts>(
  facts: Facts,
): (found: (facts: Facts) => Found) => Found {
  return (found) =>
    facts.numberProblem === null
      ? found(facts)
      : unknown('The number cannot be read, so this could not be looked at.');
}

/** "Ensure you're using correct customer WhatsApp number" and "is correct and active". */
export function numberFound(facts: NumberFacts): Found {
  const { numberProblem, contactId, reachedAt, undeliverable } = facts;
  if (numberProblem !== null) return refused(numberProblem);
  if (contactId === null) {
    return hint(
      'Nobody has ever asked, called or heard from this number.',
      'Compare the digits with what the customer gave you.',
    );
  }
  if (undeliverable !== null && undeliverable.at > (reachedAt ?? -1)) {
    const { code, message, fix, at } = undeliverable;
    return fault(`The last message could not be delivered: ${message}`, fix, {
      code,
      at: time(at),
    });
  }
  if (reachedAt !== null) {
    return ok('Somebody is there: a message was delivered or came back.', {
      at: time(reachedAt),
    });
  }
  return unknown('No message was delivered to this number yet, and none came from it.');
}
