import type { Queryable, Tx } from '../database/database.ts';
import type { Clock } from '../platform/clock.ts';
import type { AccountId, ContactId, Ids } from '../platform/ids.ts';
import { isRefused, type Refused } from '../platform/refusal.ts';
import { findByHandle } from './contact-handle-store.ts';
import { findOrCreateContact } from './contact-store.ts';
import { readHandle, readRecipient } from './recipient.ts';

/** The contact that "to" means, made if it is new; a refusal names what is wrong with it. */
export async function contactFor(
  tx: Tx,
  ports: { ids: Ids; clock: Clock },
  accountId: AccountId,
  wanted: { to: string; name?: string | undefined },
): Promise<ContactId | Refused> {
  const recipient = readRecipient(wanted.to);
  if (isRefused(recipient)) return recipient;
  const identity = { ...recipient, name: wanted.name };
  return findOrCreateContact(tx, ports.ids, accountId, identity, ports.clock.now());
}

/** The contact that "to" means, or null when nobody has spoken of it yet. */
export async function findContact(
  db: Queryable,
  accountId: AccountId,
  to: string,
): Promise<ContactId | null | Refused> {
  const handle = readHandle(to);
  return isRefused(handle) ? handle : findByHandle(db, accountId, handle);
}
