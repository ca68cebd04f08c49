import {
  permissionOf,
  requestOf,
  type ConsentHistory,
  type ConsentState,
} from '../consent/consent.ts';
import type { ContactId } from '../platform/ids.ts';

/**
 * Who is who. A person has a number and a user id (BSUID); either may change, a number may pass to
 * somebody else, and two contacts may turn out to be one person. What follows is decided here, from
 * what is on record and what Meta just said; it errs on the side of silence:
 *
 * - consent and do-not-call follow the person to a new number or user id;
 * - a number that another person has now brings them no consent, and its do-not-call stays;
 * - of two contacts of one person, whichever says no wins.
 */
export type Known = {
  id: ContactId;
  e164: string | null;
  userId: string | null;
  /** Meta's time from which the number is theirs; null: as long as we know them. */
  numberSince: number | null;
};

/** What one fact says of a person: both names, at Meta's time of it. */
export type Sighting = { e164: string | null; userId: string | null; at: number };

/** Whom the names lead to on record. */
export type OnRecord = {
  byNumber: Known | null;
  byUser: Known | null;
  /** The contact that had the number at the time of the fact, where it has left it since. */
  former: ContactId | null;
  /** The contact whose message from us was answered, and so certainly this person. */
  asked: Known | null;
};

export type Step =
  /** Two contacts are one person. */
  | { kind: 'merge'; contactIds: readonly [ContactId, ContactId] }
  /** The number has another owner now; the contact loses it, and its consent. */
  | { kind: 'loseNumber'; contactId: ContactId; number: string }
  /** The person has a new number. */
  | { kind: 'changeNumber'; contactId: ContactId; from: string; to: string }
  /** The person has a new user id; the old one goes on leading to them. */
  | { kind: 'changeUserId'; contactId: ContactId; from: string; to: string };

/**
 * `owner` null: nobody on record; the caller makes a contact. `isOld`: the number is somebody
 * else's by now, so nobody gets it by this fact.
 */
export type Plan = { owner: ContactId | null; steps: Step[]; isOld?: boolean };

/** Decides whose fact it is, and what it teaches about the people on record. */
export function planSighting(seen: Sighting, record: OnRecord): Plan {
  const { asked, former, byUser } = record;
  const byNumber = record.byNumber ?? (seen.e164 === null ? asked : null);
  const { e164, userId } = seen;
  if (isStale(seen, byNumber, byUser)) {
    const theirs = isSomebodyElse(byNumber, userId) ? undefined : byNumber?.id;
    return { ...stay(byUser?.id ?? former ?? theirs), isOld: byUser?.id !== byNumber?.id };
  }
  // The answer to a message of ours comes from the one we sent it to, whatever the name.
  if (asked !== null && userId !== null && byUser === null) {
    if (byNumber === null || byNumber.id === asked.id) return newUserId(asked, userId);
    return stay(asked.id);
  }
  if (userId === null || (e164 === null && asked === null)) {
    return stay(asked?.id ?? byNumber?.id ?? byUser?.id ?? former ?? undefined);
  }
  if (byUser === null) return strangerOn(byNumber, userId);
  if (byNumber === null) return e164 === null ? stay(byUser.id) : newNumber(byUser, e164);
  if (byNumber.id === byUser.id) return stay(byUser.id);
  return together(byNumber, byUser, e164);
}

/** A fact of before a number changed hands says nothing of whose it is now. */
function isStale({ at }: Sighting, ...people: Array<Known | null>): boolean {
  return people.some((known) => at < (known?.numberSince ?? -Infinity));
}

function isSomebodyElse(byNumber: Known | null, userId: string | null): boolean {
  const known = byNumber?.userId ?? null;
  return userId !== null && known !== null && known !== userId;
}

function stay(owner: ContactId | undefined): Plan {
  return { owner: owner ?? null, steps: [] };
}

/** Somebody with a user id that nobody had so far writes from this number. */
function strangerOn(byNumber: Known | null, userId: string): Plan {
  if (byNumber === null) return stay(undefined);
  if (!isSomebodyElse(byNumber, userId)) return stay(byNumber.id);
  // Meta tells when a person's user id changes. It did not, so the number is somebody else's now.
  return { owner: null, steps: loss(byNumber) };
}

function loss({ id, e164 }: Known): Step[] {
  return e164 === null ? [] : [{ kind: 'loseNumber', contactId: id, number: e164 }];
}

function newUserId({ id, userId }: Known, to: string): Plan {
  if (userId === null || userId === to) return stay(id);
  return { owner: id, steps: [{ kind: 'changeUserId', contactId: id, from: userId, to }] };
}

function newNumber({ id, e164 }: Known, to: string): Plan {
  if (e164 === null || e164 === to) return stay(id);
  return { owner: id, steps: [{ kind: 'changeNumber', contactId: id, from: e164, to }] };
}

/** One fact names two contacts. */
function together(byNumber: Known, byUser: Known, e164: string | null): Plan {
  const isOnePerson = byNumber.userId === null && byUser.e164 === null;
  if (isOnePerson || e164 === null) {
    return { owner: byNumber.id, steps: [{ kind: 'merge', contactIds: [byNumber.id, byUser.id] }] };
  }
  // The user id is the person; whoever had the number before does not have it any more.
  return { owner: byUser.id, steps: [...loss(byNumber), ...newNumber(byUser, e164).steps] };
}

/** Meta's own word that a person's number, user id or both have changed. */
export type Change = {
  from: { e164: string | null; userId: string | null };
  to: { e164: string | null; userId: string | null };
  at: number;
};

/** Whom the old and the new names lead to on record. */
export type ChangeRecord = {
  before: Known | null;
  /** `before` was found by the old user id, so it is certainly the same person. */
  isByOldId: boolean;
  byNewNumber: Known | null;
  byNewUser: Known | null;
};

/** Decides what a change of names does to those on record; `owner` null: it is a stranger. */
export function planChange(change: Change, record: ChangeRecord): Plan {
  const { before, isByOldId, byNewNumber, byNewUser } = record;
  const { to, at } = change;
  const isOther = !isByOldId && isSomebodyElse(before, change.from.userId);
  if (before === null || isOther) return stay(undefined);
  if (before.numberSince !== null && at < before.numberSince) return stay(before.id);
  const steps: Step[] = [];
  const merged = new Set<ContactId>([before.id]);
  if (byNewUser !== null && !merged.has(byNewUser.id)) {
    steps.push({ kind: 'merge', contactIds: [before.id, byNewUser.id] });
    merged.add(byNewUser.id);
  }
  // Whoever we knew by the new number alone had it before: nobody inherits their consent.
  if (byNewNumber !== null && !merged.has(byNewNumber.id)) steps.push(...loss(byNewNumber));
  const from = change.from.e164 ?? before.e164;
  const isKnown = merged.size === 1 && before.e164 === to.e164;
  if (to.e164 !== null && from !== null && from !== to.e164 && !isKnown) {
    steps.push({ kind: 'changeNumber', contactId: before.id, from, to: to.e164 });
  }
  const oldId = change.from.userId ?? before.userId;
  const isSame = merged.size === 1 && before.userId === to.userId;
  if (to.userId !== null && oldId !== null && oldId !== to.userId && !isSame) {
    steps.push({ kind: 'changeUserId', contactId: before.id, from: oldId, to: to.userId });
  }
  return { owner: before.id, steps };
}

/**
 * The consent of a person on one line, for the gate: what was said and asked under the contact that
 * goes on, and what was said and asked under those that it goes on for. It is never stored, so
 * that each contact's state stays the fold of its own chain.
 */
export function sharedConsent(own: ConsentState, absorbed: readonly ConsentState[]): ConsentState {
  const history = absorbed.reduce((sum, state) => sharedHistory(sum, state.history), own.history);
  const grantedAt = permissionOf(own)?.grantedAt ?? -Infinity;
  // A fact that was on its way to the other contact when the two were joined still counts.
  const no = absorbed.find(
    (state) => isNo(state) && (state.history.lastAnswer?.at ?? 0) >= grantedAt,
  );
  const isOpen = own.status === 'granted' || own.status === 'used';
  if (!isOpen || no === undefined) return { ...own, history };
  return {
    status: 'revoked',
    request: requestOf(own),
    permission: permissionOf(own),
    usedByCallId: own.status === 'used' ? own.usedByCallId : null,
    revokedAt: no.history.lastAnswer?.at ?? 0,
    revokedBy: no.history.lastAnswer?.by ?? 'customer',
    reason: 'same_person',
    history,
  };
}

/** The merge itself takes permissions back, and that is nobody's word. */
function isNo(state: ConsentState): boolean {
  if (state.status === 'revoked' && state.reason === 'same_person') return false;
  const { lastAnswer } = state.history;
  return lastAnswer !== null && lastAnswer.kind !== 'accept';
}

function sharedHistory(one: ConsentHistory, other: ConsentHistory): ConsentHistory {
  const both = (
    field: 'requestsWithoutYes' | 'requestsSinceConnected' | 'callsAt' | 'connectedAt',
  ) => [...one[field], ...other[field]].sort((a, b) => a - b);
  return {
    ...one,
    requestsSent: one.requestsSent + other.requestsSent,
    requestsWithoutYes: both('requestsWithoutYes'),
    requestsSinceConnected: both('requestsSinceConnected'),
    callsAt: both('callsAt'),
    connectedAt: both('connectedAt'),
    lastRequestAt: latest(one.lastRequestAt, other.lastRequestAt),
    lastUnansweredAt: latest(one.lastUnansweredAt, other.lastUnansweredAt),
    unansweredInRow: one.unansweredInRow + other.unansweredInRow,
  };
}

function latest(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.max(one, other);
}
