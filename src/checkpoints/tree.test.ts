import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import {
  edgeTiles,
  growTree,
  leafHash,
  makeProver,
  rootHash,
  tileKey,
  tilesOfConsistency,
  tilesOfInclusion,
  type TileId,
} from './tree.ts';
import { seededRandom } from '../platform/random.ts';

/**
 * The definitions of RFC 6962 section 2.1, word for word and recursive, as somebody would write
 * them who has never seen ours. They hash a subtree anew each time, but remember it.
 */
const sha = (...parts: Uint8Array[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const ENTRIES = Array.from({ length: 1_025 }, (_, index) => sha(Buffer.from(`entry ${index}`)));
const remembered = new Map<string, Buffer>();

function mth(from: number, to: number): Buffer {
  const n = to - from;
  if (n === 0) return sha();
  const key = `${from} ${to}`;
  const known = remembered.get(key);
  if (known !== undefined) return known;
  const entry = ENTRIES[from] ?? Buffer.of();
  const k = splitOf(n);
  const made =
    n === 1
      ? sha(Uint8Array.of(0), entry)
      : sha(Uint8Array.of(1), mth(from, from + k), mth(from + k, to));
  remembered.set(key, made);
  return made;
}

/** "k, the largest power of two smaller than n". */
const splitOf = (n: number): number => 2 ** (Math.ceil(Math.log2(n)) - 1);

function path(m: number, from: number, to: number): Buffer[] {
  const n = to - from;
  if (n === 1) return [];
  const k = splitOf(n);
  return m < k
    ? [...path(m, from, from + k), mth(from + k, to)]
    : [...path(m - k, from + k, to), mth(from, from + k)];
}

function subproof(m: number, from: number, to: number, b: boolean): Buffer[] {
  const n = to - from;
  if (m === n) return b ? [] : [mth(from, to)];
  const k = splitOf(n);
  return m <= k
    ? [...subproof(m, from, from + k, b), mth(from + k, to)]
    : [...subproof(m - k, from + k, to, false), mth(from, from + k)];
}

const hex = (hashes: readonly Uint8Array[]): string =>
  hashes.map((hash) => Buffer.from(hash).toString('hex')).join();

/** A tree that was grown in pieces, with all its tiles, as the store would hold them. */
function grow(sizes: readonly number[]) {
  const tiles = new Map<string, Uint8Array>();
  let size = 0;
  for (const next of sizes) {
    const edge = pick(tiles, edgeTiles(size));
    const grown = growTree(size, edge, ENTRIES.slice(size, next).map(leafHash));
    for (const [key, bytes] of grown.changed) tiles.set(key, bytes);
    size = next;
    assert.equal(hex([grown.root]), hex([mth(0, size)]), `root of ${size}`);
  }
  return tiles;
}

/** Only what was asked for, so that a proof that needs more than it says fails. */
function pick(tiles: ReadonlyMap<string, Uint8Array>, ids: readonly TileId[]) {
  return new Map(ids.map((id) => [tileKey(id), tiles.get(tileKey(id)) ?? Buffer.of()]));
}

test('a tree that grows leaf by leaf has the root of the RFC at every size', () => {
  const tiles = grow(ENTRIES.map((_, index) => index + 1));
  assert.equal(hex([rootHash(0, tiles)]), hex([mth(0, 0)]));
  for (let size = 1; size <= 1_025; size += 1) {
    assert.equal(hex([rootHash(size, tiles)]), hex([mth(0, size)]));
  }
});

test('how a tree was grown makes no difference to its tiles', () => {
  const random = seededRandom(7);
  const whole = grow([1_025]);
  for (let round = 0; round < 20; round += 1) {
    const sizes: number[] = [];
    for (let size = 0; size < 1_025;) {
      size = Math.min(1_025, size + 1 + random.below(400));
      sizes.push(size);
    }
    const tiles = grow(sizes);
    assert.deepEqual([...tiles.keys()].sort(), [...whole.keys()].sort());
    for (const [key, bytes] of tiles) assert.equal(hex([bytes]), hex([whole.get(key) ?? bytes]));
  }
});

test('consistency proofs equal those of the RFC for all pairs of sizes up to 1,025', () => {
  const prover = makeProver(grow([1_025]));
  for (let second = 0; second <= 1_025; second += 1) {
    for (let first = 0; first <= second; first += 1) {
      const ours = prover.consistency(first, second);
      const theirs = first === 0 ? [] : subproof(first, 0, second, true);
      assert.ok(
        ours.length === theirs.length && ours.every((hash, at) => theirs[at]?.equals(hash)),
        `from ${first} to ${second}`,
      );
    }
  }
});

test('inclusion proofs equal those of the RFC for all leaves of all sizes up to 1,025', () => {
  const prover = makeProver(grow([1_025]));
  for (let size = 1; size <= 1_025; size += 1) {
    for (let leaf = 0; leaf < size; leaf += 1) {
      const ours = prover.inclusion(leaf, size);
      const theirs = path(leaf, 0, size);
      assert.ok(
        ours.length === theirs.length && ours.every((hash, at) => theirs[at]?.equals(hash)),
        `leaf ${leaf} of ${size}`,
      );
    }
  }
});

test('a proof needs no more tiles than it names', () => {
  const tiles = grow([1_025]);
  const random = seededRandom(8);
  for (let round = 0; round < 500; round += 1) {
    const size = 1 + random.below(1_025);
    const leaf = random.below(size);
    const some = pick(tiles, tilesOfInclusion(leaf, size));
    assert.equal(hex(makeProver(some).inclusion(leaf, size)), hex(path(leaf, 0, size)));
    const first = 1 + random.below(size);
    const others = pick(tiles, tilesOfConsistency(first, size));
    assert.equal(
      hex(makeProver(others).consistency(first, size)),
      hex(subproof(first, 0, size, true)),
    );
  }
});

test('sizes beyond 32 bits have their tiles', () => {
  const size = 2 ** 40 + 300;
  assert.deepEqual(edgeTiles(size), [
    { level: 0, tile: 2 ** 32 + 1 },
    { level: 1, tile: 2 ** 24 },
    { level: 5, tile: 0 },
  ]);
  const levels = tilesOfInclusion(2 ** 40 - 1, size).map(({ level }) => level);
  assert.deepEqual(
    [...new Set(levels)].sort((a, b) => a - b),
    [0, 1, 2, 3, 4],
  );
});
