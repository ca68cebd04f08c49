import type { ChainedEntryView, ChainHeadView, TimelineEntry } from '../http/api-types.ts';
import { isoTime } from '../platform/clock.ts';
import type { ChainHead, OpenedEntry } from './ledger.ts';

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
