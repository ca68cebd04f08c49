import { createHash } from 'node:crypto';

/**
 * The tree of RFC 6962 section 2.1 over an account's ledger entries, kept as tiles: one tile holds
 * up to 256 neighbouring hashes of every eighth level, so a million leaves are some four thousand
 * rows, each written a few times and then never again. Pure: tiles in, tiles and hashes out.
 */
export type TileId = { level: number; tile: number };
/** The bytes of tiles by `tileKey`; 32 bytes per hash. */
export type Tiles = ReadonlyMap<string, Uint8Array>;

/** Sizes stay whole numbers below 2^53, so nothing here shifts bits: that would cut at 2^31. */
const TILE_WIDTH = 256;
const LEVELS_PER_TILE = 8;
const HASH_BYTES = 32;
/** 256^6 leaves are 2^48, more than anybody writes. */
const TILE_LEVELS_MAX = 6;

export function tileKey({ level, tile }: TileId): string {
  return `${level}/${tile}`;
}

/** RFC 6962 section 2.1: MTH({d}) = SHA-256(0x00 || d); here d is the entry's own hash. */
export function leafHash(entryHash: Uint8Array): Buffer {
  return createHash('sha256').update(Uint8Array.of(0)).update(entryHash).digest();
}

function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return createHash('sha256').update(Uint8Array.of(1)).update(left).update(right).digest();
}

/** The tiles at the right edge of a tree, which is all that growing and its root need. */
export function edgeTiles(size: number): TileId[] {
  const edge: TileId[] = [];
  for (let level = 0; level < TILE_LEVELS_MAX; level += 1) {
    const hashes = Math.floor(size / TILE_WIDTH ** level);
    if (hashes === 0) return edge;
    if (hashes % TILE_WIDTH > 0) edge.push({ level, tile: Math.floor(hashes / TILE_WIDTH) });
  }
  return edge;
}

/** All tiles of a tree, lowest level first. */
export function* allTiles(size: number): Generator<TileId> {
  for (let level = 0; level < TILE_LEVELS_MAX; level += 1) {
    const hashes = Math.floor(size / TILE_WIDTH ** level);
    const tiles = Math.ceil(hashes / TILE_WIDTH);
    for (let tile = 0; tile < tiles; tile += 1) yield { level, tile };
  }
}

/** The part of a tile that a tree of this size fills; a later tree may have filled more. */
export function tileBytes({ level, tile }: TileId, size: number): number {
  const hashes = Math.floor(size / TILE_WIDTH ** level);
  return Math.min(TILE_WIDTH, hashes - tile * TILE_WIDTH) * HASH_BYTES;
}

export type GrownTree = { size: number; root: Buffer; changed: Map<string, Uint8Array> };

/** Adds leaves on the right. `edge` holds the tiles of `edgeTiles(size)`. */
export function growTree(size: number, edge: Tiles, leaves: readonly Uint8Array[]): GrownTree {
  const changed = new Map<string, Uint8Array>();
  let hashes: readonly Uint8Array[] = leaves;
  for (let level = 0; hashes.length > 0; level += 1) {
    const first = Math.floor(size / TILE_WIDTH ** level);
    hashes = fillLevel({ level, first, hashes, edge, changed });
  }
  const grown = size + leaves.length;
  return { size: grown, root: rootHash(grown, new Map([...edge, ...changed])), changed };
}

type Filling = {
  level: number;
  first: number;
  hashes: readonly Uint8Array[];
  edge: Tiles;
  changed: Map<string, Uint8Array>;
};

/** Writes hashes into the tiles of one level; returns the roots of the tiles that became full. */
function fillLevel({ level, first, hashes, edge, changed }: Filling): Uint8Array[] {
  const full: Uint8Array[] = [];
  let next = 0;
  while (next < hashes.length) {
    const position = first + next;
    const key = tileKey({ level, tile: Math.floor(position / TILE_WIDTH) });
    const room = TILE_WIDTH - (position % TILE_WIDTH);
    const added = hashes.slice(next, next + room);
    const before = position % TILE_WIDTH === 0 ? new Uint8Array() : tileAt(edge, key);
    const bytes = Buffer.concat([before, ...added]);
    changed.set(key, bytes);
    if (added.length === room) full.push(foldComplete(bytes));
    next += added.length;
  }
  return full;
}

function tileAt(tiles: Tiles, key: string): Uint8Array {
  const bytes = tiles.get(key);
  if (bytes === undefined) throw new TypeError(`tile ${key} is missing`);
  return bytes;
}

/** The root over a power of two of neighbouring hashes. */
function foldComplete(bytes: Uint8Array): Buffer {
  let row = Array.from({ length: bytes.length / HASH_BYTES }, (_, index) =>
    bytes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES),
  );
  while (row.length > 1) {
    const above: Uint8Array[] = [];
    for (let at = 0; at + 1 < row.length; at += 2) {
      above.push(nodeHash(row[at] ?? bytes, row[at + 1] ?? bytes));
    }
    row = above;
  }
  return Buffer.from(row[0] ?? bytes);
}

/** The root of a tree of this size; needs its edge tiles at least. */
export function rootHash(size: number, tiles: Tiles): Buffer {
  // RFC 6962 section 2.1: the hash of an empty list is the hash of an empty string.
  if (size === 0) return createHash('sha256').digest();
  return rangeHash({ from: 0, to: size }, tiles);
}

/** Leaves `from` up to, not including, `to`. */
type Range = { from: number; to: number };

/** RFC 6962 section 2.1.1, PATH(m, D[n]): the siblings from the leaf upwards. */
function inclusionRanges(leaf: number, size: number): Range[] {
  const ranges: Range[] = [];
  let [from, to] = [0, size];
  while (to - from > 1) {
    const split = from + largestPowerBelow(to - from);
    if (leaf < split) {
      ranges.push({ from: split, to });
      to = split;
    } else {
      ranges.push({ from, to: split });
      from = split;
    }
  }
  return ranges.reverse();
}

/** RFC 6962 section 2.1.2, SUBPROOF(m, D[n], true), written as a walk down instead of recursion. */
function consistencyRanges(first: number, second: number): Range[] {
  const ranges: Range[] = [];
  let [from, to, isWhole] = [0, second, true];
  while (to !== first) {
    const split = from + largestPowerBelow(to - from);
    if (first <= split) {
      ranges.push({ from: split, to });
      to = split;
    } else {
      ranges.push({ from, to: split });
      from = split;
      isWhole = false;
    }
  }
  // Where the older tree is a complete subtree from the left, its root is known to the verifier.
  if (!isWhole) ranges.push({ from, to });
  return ranges.reverse();
}

/** The largest power of two smaller than `n`, for n of 2 and more. */
function largestPowerBelow(n: number): number {
  let power = 1;
  while (power * 2 < n) power *= 2;
  return power;
}

/** The tiles that a proof is made of. */
export function tilesOfInclusion(leaf: number, size: number): TileId[] {
  return tilesOfRanges(inclusionRanges(leaf, size));
}

/** The tiles that a proof from one size to a later one is made of. */
export function tilesOfConsistency(first: number, second: number): TileId[] {
  return tilesOfRanges(first === 0 ? [] : consistencyRanges(first, second));
}

/** Makes proofs from tiles, and remembers the nodes that proofs of one tree have in common. */
export type Prover = {
  /** The audit path of a leaf (0 first) in a tree of this size. */
  inclusion(leaf: number, size: number): Buffer[];
  /** Shows that the tree of the second size only grew out of that of the first. */
  consistency(first: number, second: number): Buffer[];
};

export function makeProver(tiles: Tiles): Prover {
  const known = new Map<string, Buffer>();
  const hashOf = (range: Range): Buffer => {
    const key = `${range.from} ${range.to}`;
    const hash = known.get(key) ?? rangeHash(range, tiles);
    known.set(key, hash);
    return hash;
  };
  return {
    inclusion: (leaf, size) => inclusionRanges(leaf, size).map(hashOf),
    // Everything is consistent with nothing, and each tree with itself.
    consistency: (first, second) =>
      first === 0 ? [] : consistencyRanges(first, second).map(hashOf),
  };
}

function tilesOfRanges(ranges: readonly Range[]): TileId[] {
  const found = new Map<string, TileId>();
  for (const node of ranges.flatMap(nodesOf)) {
    const { level, tile } = placeOf(node);
    found.set(tileKey({ level, tile }), { level, tile });
  }
  return [...found.values()];
}

/** A complete subtree: node `index` of a level, over 2^level leaves. */
type Node = { level: number; index: number };

/** The complete subtrees of a range that begins where a subtree may, largest first. */
function nodesOf({ from, to }: Range): Node[] {
  const nodes: Node[] = [];
  let at = from;
  while (at < to) {
    let [level, span] = [0, 1];
    while (span * 2 <= to - at) [level, span] = [level + 1, span * 2];
    nodes.push({ level, index: at / span });
    at += span;
  }
  return nodes;
}

function placeOf({ level, index }: Node): TileId & { first: number; count: number } {
  const tileLevel = Math.floor(level / LEVELS_PER_TILE);
  const count = 2 ** (level % LEVELS_PER_TILE);
  const position = index * count;
  const tile = Math.floor(position / TILE_WIDTH);
  return { level: tileLevel, tile, first: position % TILE_WIDTH, count };
}

function rangeHash(range: Range, tiles: Tiles): Buffer {
  const hashes = nodesOf(range).map((node) => {
    const { first, count, ...id } = placeOf(node);
    const bytes = tileAt(tiles, tileKey(id));
    return foldComplete(bytes.subarray(first * HASH_BYTES, (first + count) * HASH_BYTES));
  });
  // The left part is the larger, complete one; so the right end is folded first.
  return hashes.reduceRight((right, left) => nodeHash(left, right));
}
