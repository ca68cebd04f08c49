import { createHash } from 'node:crypto';
import type { TimelineEntry } from '../http/api-types.ts';
import { isoTime } from '../platform/clock.ts';
import type { ChainHead, OpenedEntry } from './ledger.ts';

/** A ledger entry with all that its hash covers; hashes in lower-case hex. */
export type ChainedEntryView = TimelineEntry & {
  id: string;
  accountId: string;
  contactId: string;
  /** `personal` as it is stored and hashed, in base64, and the key that opens it, in hex. */
  sealed: string | null;
  sealKey: string | null;
  previousHash: string;
  hash: string;
};

/** The last entry of a contact's chain; sequence 0 and an empty hash where there is none. */
export type ChainHeadView = { sequence: number; hash: string };

/** A ledger entry with all that its hash covers, as bundles and exports carry it; hashes in hex. */
export function chainedEntryView(entry: OpenedEntry): ChainedEntryView {
  const { id, accountId, contactId, previousHash, hash, sealed, sealKey } = entry;
  return {
    ...timelineEntry(entry),
    id,
    accountId,
    contactId,
    sealed: sealed === null ? null : Buffer.from(sealed).toString('base64'),
    sealKey: sealKey === null ? null : hexOf(sealKey),
    previousHash: hexOf(previousHash),
    hash: hexOf(hash),
  };
}

/**
 * An entry as it may be kept for ever by others: all that its hash covers, and of what is personal
 * only the hash. A copy outside with the words in it would outlive an erasure.
 */
export type BareEntryView = Omit<ChainedEntryView, 'personal' | 'erased' | 'sealed' | 'sealKey'> & {
  sealedHash: string | null;
};

export function bareEntryView(entry: OpenedEntry): BareEntryView {
  const { sequence, id, accountId, contactId, type, actor, at, data, sealed } = entry;
  const sealedHash = sealed === null ? null : createHash('sha256').update(sealed).digest('hex');
  const hashes = { previousHash: hexOf(entry.previousHash), hash: hexOf(entry.hash) };
  const named = { sequence, id, accountId, contactId, type, actor, at: isoTime(at), data };
  return { ...named, sealedHash, ...hashes };
}

export function chainHeadView({ sequence, hash }: ChainHead): ChainHeadView {
  return { sequence, hash: hexOf(hash) };
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** A ledger entry as a line of a history. */
export function timelineEntry(entry: OpenedEntry): TimelineEntry {
  const { sequence, type, actor, at, data, personal, sealed } = entry;
  const erased = sealed !== null && personal === null;
  return { sequence, type, actor, at: isoTime(at), data, personal, erased };
}
