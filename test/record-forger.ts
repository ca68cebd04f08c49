import { createHash } from 'node:crypto';
import { makeCheckpointSigner, type CheckpointSigner } from '../src/checkpoints/checkpoints.ts';
import { allTiles, growTree, leafHash, tileKey } from '../src/checkpoints/tree.ts';
import { canonicalJson } from '../src/platform/canonical-json.ts';
import type { AccountId } from '../src/platform/ids.ts';

/** Somebody who forges a record and knows all its rules; with the signing key, or without. */
export type Entry = Record<string, unknown> & {
  sequence: number;
  hash: string;
  previousHash: string;
};
export type Line = Partial<Entry> & {
  contactId?: string;
  head?: { sequence: number; hash: string };
  runs?: Array<[first: number, entries: number, leaf: number]>;
  tile?: [level: number, tile: number];
  note?: string | null;
  end?: { contacts: number; entries: number };
};

/** The key of the stories' server. */
export const STORY_SIGNER = makeCheckpointSigner(new Uint8Array(32).fill(5));
export const OTHER_SIGNER = makeCheckpointSigner(new Uint8Array(32).fill(6));

export const isEntry = (line: Line | undefined): line is Entry => line?.hash !== undefined;
export const textOf = (lines: readonly unknown[]): string =>
  `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`;
export const linesOf = (record: string): Line[] =>
  record
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

/** The hash as docs/explanation/ledger.md defines it: what somebody who forges would compute. */
export function rehash(entry: Entry): void {
  const { hash: _old, previousHash, at, ...rest } = entry;
  const { sealed, sealKey: _key, personal: _personal, erased: _erased, ...hashed } = rest;
  const bytes = Buffer.from(String(sealed), 'base64');
  // An export carries the hash itself.
  const hash = (sealed ?? null) === null ? null : createHash('sha256').update(bytes).digest('hex');
  const text = canonicalJson({ sealedHash: hash, ...hashed, at: Date.parse(String(at)) });
  const digest = createHash('sha256').update(Uint8Array.of(0));
  entry.hash = digest.update(Buffer.from(previousHash, 'hex')).update(text).digest('hex');
}

/** Hashes all chains anew, from the first entry that does not fit, and sets their heads. */
export function rechain(lines: Line[]): void {
  let contact: Line = {};
  let last = { sequence: 0, hash: '' };
  for (const line of lines) {
    if (isEntry(line)) {
      line.sequence = last.sequence + 1;
      line.previousHash = last.hash;
      rehash(line);
      last = { sequence: line.sequence, hash: line.hash };
      contact.head = last;
    } else if (line.head !== undefined) {
      contact = line;
      last = { sequence: 0, hash: '' };
    }
  }
}

/**
 * Makes tree, places and checkpoint anew, so that the file holds by itself. What was in the tree
 * keeps its order there, so that the tree differs by nothing but the forgery.
 */
export function reseal(
  lines: readonly Line[],
  signer: CheckpointSigner = STORY_SIGNER,
  at = Date.UTC(2026, 5, 4),
): Line[] {
  const kept = structuredClone(lines.filter(({ tile }) => tile === undefined));
  const places: Array<{ contact: Line; entry: Entry; leaf: number }> = [];
  let contact: Line = {};
  for (const line of kept) {
    if (isEntry(line)) places.push({ contact, entry: line, leaf: leafOf(contact, line) });
    else contact = line;
  }
  places.sort((a, b) => (a.leaf === b.leaf ? 0 : a.leaf - b.leaf));
  for (const line of kept) if (line.head !== undefined) line.runs = [];
  for (const [leaf, { contact: of, entry }] of places.entries()) {
    const last = of.runs?.at(-1);
    const isNext = last !== undefined && leaf === last[2] + last[1];
    if (isNext && entry.sequence === last[0] + last[1]) last[1] += 1;
    else of.runs?.push([entry.sequence, 1, leaf]);
  }
  const leaves = places.map(({ entry }) => leafHash(Buffer.from(entry.hash, 'hex')));
  return sealed(kept, leaves, signer, at);
}

/** What came after the checkpoint goes behind everything else, in the order of the file. */
function leafOf({ runs = [] }: Line, { sequence }: Entry): number {
  const run = runs.findLast(([first]) => first <= sequence);
  return run === undefined || sequence >= run[0] + run[1] ? Infinity : run[2] + sequence - run[0];
}

function sealed(
  [header = {}, ...rest]: readonly Line[],
  leaves: readonly Buffer[],
  signer: CheckpointSigner,
  at: number,
): Line[] {
  const accountId = String(header['accountId']) as AccountId;
  const { size, root, changed } = growTree(0, new Map(), leaves);
  const tiles: Line[] = [...allTiles(size)].reverse().map((id) => ({
    tile: [id.level, id.tile],
    hashes: Buffer.from(changed.get(tileKey(id)) ?? []).toString('base64'),
  }));
  const note = signer.sign({ accountId, size, root, at });
  return [{ ...header, verifierKey: signer.verifierKey(accountId), note }, ...tiles, ...rest];
}
