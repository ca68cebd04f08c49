import type { ExportJob } from '../api/record-hooks.ts';
import type { PriceTable } from '../api/record-hooks.ts';

const DAY_MS = 86_400_000;

/** Days as typed, both inside, as the instants that the API takes. */
export function spanOf(from: string, to: string): { from?: string; to?: string } {
  const begin = Date.parse(`${from}T00:00:00Z`);
  const end = Date.parse(`${to}T00:00:00Z`) + DAY_MS;
  return {
    ...(Number.isNaN(begin) ? {} : { from: new Date(begin).toISOString() }),
    ...(Number.isNaN(end) ? {} : { to: new Date(end).toISOString() }),
  };
}

export function recordsText({ records, total, state }: ExportJob): string {
  if (state === 'done') return records === 1 ? '1 record' : `${records} records`;
  return total === null ? 'not begun' : `${records} of ${total} records`;
}

export function bytesText(bytes: number): string {
  if (bytes < 1_000) return `${bytes} bytes`;
  if (bytes < 1_000_000) return `${(bytes / 1_000).toFixed(1)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

type Rate = { from: string; until: string | null };

/** Days on which a price holds, in words. */
export function daysOf({ from, until }: Rate): string {
  return until === null ? `from ${from} on` : `from ${from}, no longer on ${until}`;
}

/** The last day after which no price of the table is known; null where one goes on for ever. */
export function lastDayOf({ calls, messages }: PriceTable): string | null {
  const ends = [...calls, ...messages].map(({ until }) => until);
  if (ends.length === 0 || ends.some((until) => until === null)) return null;
  return ends.reduce<string>((last, until) => (until !== null && until > last ? until : last), '');
}
