import type { AccountId, CallId, ContactId } from '../platform/ids.ts';

/** Something was committed. A hint to look at the rows, which are the truth. */
export type Change = {
  type: string;
  accountId: AccountId;
  contactId: ContactId;
  callId: CallId | null;
  at: number;
};

/**
 * Tells the other parts of this process that rows have changed, so that nobody waits for the next
 * poll. Between processes there is only the poll: NOTIFY was left out, because it serialises
 * the commits of the whole database behind one lock.
 */
export type Changes = {
  publish(change: Change): void;
  /** Returns the way to stop listening. */
  subscribe(listener: (change: Change) => void): () => void;
};

export function makeChanges(): Changes {
  const listeners = new Set<(change: Change) => void>();
  return {
    publish(change) {
      for (const listener of listeners) listener(change);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
