import type { ChainedEntryView, ChainHeadView, TimelineEntry } from '../http/api-types.ts';
import { isoTime } from '../platform/clock.ts';
import type { ChainedEntry, ChainHead } from './ledger.ts';

/** A ledger entry with all that its hash covers, as bundles and exports carry it; hashes in hex. */
export function chainedEntryView(entry: ChainedEntry): ChainedEntryView {
  const { sequence, id, accountId, contactId, type, actor, at, data, previousHash, hash } = entry;
  return {
    sequence,
    id,
    accountId,
    contactId,
    type,
    actor,
    at: isoTime(at),
    data,
    previousHash: hexOf(previousHash),
    hash: hexOf(hash),
  };
}

export function chainHeadView({ sequence, hash }: ChainHead): ChainHeadView {
  return { sequence, hash: hexOf(hash) };
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** A ledger entry as a line of a history. */
export function timelineEntry(entry: ChainedEntry): TimelineEntry {
  const { sequence, type, actor, at, data } = entry;
  return { sequence, type, actor, at: isoTime(at), data };
}
