import type { AccountId, ContactId } from '../platform/ids.ts';

/**
 * What a person may ask for: a copy of all that is kept of them, and to be forgotten. It promises
 * that after the one transaction of an erasure nobody can read who the person was, while the
 * ledger's chain still verifies and a do-not-call entry still blocks.
 */
export type Erasure = {
  contactId: ContactId;
  accountId: AccountId;
  /**
   * `waiting`: a call or a message of theirs is under way and is being ended. `sweeping`: erased;
   * what is left in tables that know no contacts is being deleted. `done`: nothing is left.
   */
  state: 'waiting' | 'sweeping' | 'done';
  actor: string;
  requestedAt: number;
  erasedAt: number | null;
  doneAt: number | null;
};

/** How long each kind of thing is kept, in ms. */
export type Retention = {
  /** Consent records: a contact with all that belongs to it, after the last thing happened. */
  contactsMs: number;
  /** Who was in a campaign, after its end. */
  campaignsMs: number;
  messagesMs: number;
  /** In days, as accounts set it for themselves. */
  recordingsDays: number;
  eventsMs: number;
  webhooksMs: number;
};

/** What is looked for in texts that name no contact: never shorter than a number. */
export type Needles = { contactIds: ContactId[]; names: string[] };

/** The forms in which webhooks and stored answers name a person. */
export function needlesOf(
  people: ReadonlyArray<{ id: ContactId; e164: string | null; userId: string | null }>,
): Needles {
  const names = people.flatMap(({ e164, userId }) => [e164?.slice(1), userId]);
  return {
    contactIds: people.map(({ id }) => id),
    names: [...new Set(names.filter((name) => name !== undefined && name !== null))],
  };
}
