// The tree of RFC 6962 and its proofs, as a reader checks them. Written from that RFC and RFC 9162,
// sections 2.1.3.2 and 2.1.4.2, apart from the server's: no mistake can hide in both.
import { createHash } from 'node:crypto';

const WIDTH = 256;
const BYTES = 32;

function sha256(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

const ZERO = Uint8Array.of(0);
const ONE = Uint8Array.of(1);
export const leafHash = (entryHash) => sha256(ZERO, entryHash);
const above = (left, right) => sha256(ONE, left, right);

/** RFC 9162 section 2.1.3.2: the root that a proof leads to, or null when it has a wrong length. */
export function rootByInclusion(leaf, size, hash, proof) {
  if (!(leaf >= 0 && leaf < size)) return null;
  let [fn, sn, root] = [leaf, size - 1, hash];
  for (const sibling of proof) {
    if (sn === 0) return null;
    if (fn % 2 === 1 || fn === sn) {
      root = above(sibling, root);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      root = above(root, sibling);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 ? root : null;
}

/** RFC 9162 section 2.1.4.2: whether the second tree only added to the first. */
export function isConsistent({ first, second, firstRoot, secondRoot, proof }) {
  if (!(first >= 1 && first <= second)) return false;
  if (first === second) return proof.length === 0 && firstRoot.equals(secondRoot);
  const path = isPowerOfTwo(first) ? [firstRoot, ...proof] : [...proof];
  if (path.length === 0) return false;
  let [fn, sn] = [first - 1, second - 1];
  while (fn % 2 === 1) [fn, sn] = [half(fn), half(sn)];
  let [older, newer] = [path[0], path[0]];
  for (const node of path.slice(1)) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      [older, newer] = [above(node, older), above(node, newer)];
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      newer = above(newer, node);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && older.equals(firstRoot) && newer.equals(secondRoot);
}

// No bit shifts: they would cut numbers of more than 32 bits.
const half = (n) => Math.floor(n / 2);

function isPowerOfTwo(n) {
  let power = 1;
  while (power < n) power *= 2;
  return power === n;
}

/** The roots of a growing tree: `take` adds a leaf, `root` is that of all leaves so far. */
export function openFrontier() {
  // One complete subtree per binary digit of the size, the largest first.
  const subtrees = [];
  return {
    take(leaf) {
      let made = { span: 1, hash: leaf };
      while (subtrees.at(-1)?.span === made.span) {
        const left = subtrees.pop();
        made = { span: left.span * 2, hash: above(left.hash, made.hash) };
      }
      subtrees.push(made);
    },
    root() {
      if (subtrees.length === 0) return sha256();
      return subtrees.map(({ hash }) => hash).reduceRight((right, left) => above(left, right));
    },
  };
}

/** The hash over neighbours, whose number is a power of two. */
function fold(bytes) {
  let row = [];
  for (let at = 0; at < bytes.length; at += BYTES) row.push(bytes.subarray(at, at + BYTES));
  while (row.length > 1) {
    row = row.flatMap((hash, at) => (at % 2 === 0 ? [above(hash, row[at + 1])] : []));
  }
  return row[0];
}

/**
 * Takes the tiles of an export, which come from the top down: each full tile must fold to its hash
 * in the level above. Memory grows by 32 bytes per leaf, and by nothing else.
 */
export function openTiles(size, report) {
  const levels = [];
  for (let count = size; count > 0; count = Math.floor(count / WIDTH)) {
    levels.push(Buffer.alloc(count * BYTES));
  }
  const edge = [];
  let [level, tile] = [levels.length - 1, 0];
  const take = ({ tile: id, hashes }, place) => {
    if (level < 0 || id?.[0] !== level || id?.[1] !== tile) {
      return report(place, 'out_of_place', 'this is not the tile that should come here');
    }
    const bytes = Buffer.from(String(hashes), 'base64');
    const start = tile * WIDTH * BYTES;
    const isFull = levels[level].length - start >= WIDTH * BYTES;
    const wanted = isFull ? WIDTH * BYTES : levels[level].length - start;
    if (bytes.length !== wanted || bytes.toString('base64') !== hashes) {
      report(place, 'malformed', 'the tile has not the hashes that it should have');
    } else {
      bytes.copy(levels[level], start);
      const over = levels[level + 1]?.subarray(tile * BYTES, (tile + 1) * BYTES);
      if (!isFull) edge.push(place);
      else if (over !== undefined && !over.equals(fold(bytes))) {
        report(place, 'tile_differs', 'the tile is not the one that the level above was made of');
      }
    }
    const isLast = start + WIDTH * BYTES >= levels[level].length;
    [level, tile] = isLast ? [level - 1, 0] : [level, tile + 1];
  };
  return {
    take,
    isComplete: () => level < 0,
    /** Which lines hold the right edge of the tree: only the root itself vouches for them. */
    edge: () => edge.join(' or '),
    leaf: (index) => levels[0].subarray(index * BYTES, (index + 1) * BYTES),
    root() {
      if (size === 0) return sha256();
      return nodesOf(size)
        .map(({ depth, index }) => nodeAt(levels, depth, index))
        .reduceRight((right, left) => above(left, right));
    },
  };
}

/** The complete subtrees of a tree: one per binary digit of its size, the largest first. */
function nodesOf(size) {
  const nodes = [];
  let from = 0;
  while (from < size) {
    let [depth, span] = [0, 1];
    while (span * 2 <= size - from) [depth, span] = [depth + 1, span * 2];
    nodes.push({ depth, index: from / span });
    from += span;
  }
  return nodes;
}

function nodeAt(levels, depth, index) {
  const level = Math.floor(depth / 8);
  const count = 2 ** (depth % 8);
  return fold(levels[level].subarray(index * count * BYTES, (index + 1) * count * BYTES));
}
