import type { TimelineEntry } from '../http/api-types.ts';
import { isoTime } from '../platform/clock.ts';
import type { ChainedEntry } from './ledger.ts';

/** A ledger entry as a line of a history. */
export function timelineEntry(entry: ChainedEntry): TimelineEntry {
  const { sequence, type, actor, at, data } = entry;
  return { sequence, type, actor, at: isoTime(at), data };
}
