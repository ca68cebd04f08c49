/**
 * What differs between two packs or overlays, value by value, with where each value comes from.
 * A reader who is asked to switch should not have to compare files.
 */
export type PackDifference = {
  /** Where in the pack: "limits.requests.0.requestsMax". */
  path: string;
  change: 'added' | 'removed' | 'changed';
  /** Null where the pack has no such value. */
  from: unknown;
  to: unknown;
};

/** No pack is so large; a list that is cut says so. */
export const DIFFERENCES_MAX = 2_000;

/** Lists of plain words are sets (countries, prefixes): what joined and what left is told. */
export function diffPacks(from: unknown, to: unknown): PackDifference[] {
  return differences('', from, to).slice(0, DIFFERENCES_MAX);
}

function differences(path: string, from: unknown, to: unknown): PackDifference[] {
  if (Object.is(from, to)) return [];
  if (from === undefined) return [{ path, change: 'added', from: null, to }];
  if (to === undefined) return [{ path, change: 'removed', from, to: null }];
  if (isWords(from) && isWords(to)) return wordDifferences(path, from, to);
  if (isBranch(from) && isBranch(to) && Array.isArray(from) === Array.isArray(to)) {
    const keys = [...new Set([...Object.keys(from), ...Object.keys(to)])];
    return keys.flatMap((key) => differences(join(path, key), from[key], to[key]));
  }
  return [{ path, change: 'changed', from, to }];
}

function wordDifferences(
  path: string,
  from: readonly unknown[],
  to: readonly unknown[],
): PackDifference[] {
  const gone = from.filter((word) => !to.includes(word));
  const come = to.filter((word) => !from.includes(word));
  return [
    ...gone.map((word): PackDifference => ({ path, change: 'removed', from: word, to: null })),
    ...come.map((word): PackDifference => ({ path, change: 'added', from: null, to: word })),
  ];
}

function isBranch(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isWords(value: unknown): value is unknown[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}
