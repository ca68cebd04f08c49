import { hash } from 'node:crypto';
import {
  BUCKET_COUNT,
  type AccountId,
  type Bucket,
  type ContactId,
  type LineId,
} from '../platform/ids.ts';

/**
 * A contact is a person, known by a phone number (E.164), by a business-scoped user id (BSUID),
 * or by both. Everything that belongs to the person lives in the contact's bucket.
 */
export type Contact = {
  bucket: Bucket;
  id: ContactId;
  accountId: AccountId;
  e164: string | null;
  userId: string | null;
  name: string | null;
  /** ISO 3166-1 alpha-2 of the number, null when it cannot be told. */
  country: string | null;
  /** Set by an opt-out; from then on no call and no request, until the person opts in again. */
  optedOutAt: number | null;
  /**
   * Set while the person is asked whether a message meant stop, and by which line; until the
   * answer no call and no request.
   */
  optOutPending: { at: number; lineId: LineId } | null;
  /** As the business knows it, such as `pt_BR`; null when it does not say. */
  language: string | null;
  /** IANA name, where the business knows it better than the number does. */
  timeZone: string | null;
  /** An operator says that the person is in a sanctioned region, which no number shows. */
  sanctionedRegion: { at: number; by: string } | null;
  /** From then on the row is the stump of a chain, and names nobody. */
  erasedAt: number | null;
  /** The contact that goes on for this one, since they turned out to be one person. */
  mergedInto: ContactId | null;
  /** Contacts that this one goes on for. What is said against calls there counts here. */
  absorbed: readonly ContactId[];
  /** Meta's time from which the number is theirs; null: as long as we know them. */
  numberSince: number | null;
  createdAt: number;
};

/** Somebody that there is no row for, of whom no more than this is known. */
export function unknownContact(
  known: Pick<Contact, 'id' | 'accountId' | 'e164' | 'userId' | 'country' | 'createdAt'>,
): Contact {
  return {
    ...known,
    bucket: 0,
    name: null,
    optedOutAt: null,
    optOutPending: null,
    language: null,
    timeZone: null,
    sanctionedRegion: null,
    erasedAt: null,
    mergedInto: null,
    absorbed: [],
    numberSince: null,
  };
}

/** One name a contact answers to: `tel:+447700900001` or `bsuid:GB.13491208655302741918`. */
export type Handle = string & { readonly handle: true };

export function numberHandle(e164: string): Handle {
  return `tel:${e164}` as Handle;
}

export function userHandle(userId: string): Handle {
  return `bsuid:${userId}` as Handle;
}

/** Every handle a contact answers to. */
export function handlesOfContact(contact: Pick<Contact, 'e164' | 'userId'>): Handle[] {
  const handles: Handle[] = [];
  if (contact.e164 !== null) handles.push(numberHandle(contact.e164));
  if (contact.userId !== null) handles.push(userHandle(contact.userId));
  return handles;
}

/**
 * The bucket of an account's handle or of an external id: 0 to 63, evenly spread. A new contact
 * takes the bucket of its first handle and keeps it for life, whatever its number becomes.
 */
export function bucketFor(...parts: readonly string[]): Bucket {
  const digest = hash('sha256', parts.join('\u0000'), 'buffer');
  return (digest[0] ?? 0) % BUCKET_COUNT;
}

export function handleBucket(accountId: AccountId, handle: Handle): Bucket {
  return bucketFor(accountId, handle);
}
