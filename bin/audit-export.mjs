// A whole ledger, line by line: chains, the tree over all of them, and its checkpoint.
import { openChain } from './audit-chain.mjs';
import { add, newResult } from './audit-report.mjs';
import { compareRoots, readOutside, readSeal, sealSummary } from './audit-seal.mjs';
import { leafHash, openTiles } from './audit-tree.mjs';

/**
 * Takes an export line by line. Memory holds 32 bytes per entry, the hashes of the tree, and does
 * not grow with what the entries say. `earlier` and `outside` are what other copies tell.
 */
export function openExport(header, { earlier, heads, key, outside = [], seals } = {}) {
  const isWhole = (header.after ?? null) === null;
  const result = { ...newResult(header.format, isWhole), after: header.after ?? null };
  let contactId = '';
  const report = (place, sequence, code, message) =>
    add(result, { place, contactId, sequence, code, message });
  const seal = readSeal(header, key, (...said) => report('line 1', null, ...said));
  if (seal !== null) seals?.push({ place: 'the earlier copy', note: seal, isAlone: true });
  const tree = openLeaves(seal?.size ?? 0, (place, ...said) => report(place, null, ...said));
  const awaited = openAwaited(earlier, header.after ?? '');
  let chain = null;
  let isEnded = false;

  return {
    take(line, number) {
      const place = `line ${number}`;
      if (isEnded) report(place, null, 'out_of_place', 'something stands behind the last line');
      else if ('tile' in line) tree.takeTile(line, place);
      else if ('hash' in line) takeEntry(line, place);
      else {
        chain?.close(place);
        tree.closeContact(place);
        if (number > 1) closeTiles();
        isEnded = 'end' in line;
        if (isEnded) checkEnd(line.end, place);
        else openContact(line, place);
      }
    },
    close() {
      if (!isEnded) report('end', null, 'file_cut', 'the last line is missing: load it again');
      result.checkpoint = sealSummary(seal, tree.covered(), key);
      return result;
    },
  };

  function takeEntry(line, place) {
    result.entries += 1;
    if (chain === null) return report(place, null, 'out_of_place', 'an entry before any contact');
    chain.take(line, place);
    const fault = tree.takeEntry(line);
    if (fault !== null) report(place, line.sequence ?? null, ...fault);
  }
  function openContact(line, place) {
    result.contacts += 1;
    if (!(line.contactId > contactId)) {
      report(place, null, 'out_of_place', 'contacts must come in the order of their ids');
    }
    for (const id of awaited.passedBefore(line.contactId)) reportLeftOut(id, place);
    contactId = line.contactId;
    const known = { accountId: header.accountId, contactId, head: line.head };
    chain = openChain({ ...known, earlier: earlier?.get(contactId) }, report);
    tree.openContact(line.runs, place);
    heads?.set(contactId, line.head);
  }
  function reportLeftOut(id, place) {
    report(place, null, 'left_out', `contact ${id} of the earlier copy is missing`);
  }
  /** Before the first contact all tiles are there, and their root is the signed one. */
  function closeTiles() {
    const place = tree.closeTiles(seal?.root ?? null);
    if (place === null) return;
    report(place, null, 'root_differs', 'the hashes of the tree do not lead to the signed root');
  }
  function checkEnd(end, place) {
    for (const id of awaited.passedBefore(null)) reportLeftOut(id, place);
    contactId = '';
    if (end?.contacts !== result.contacts || end?.entries !== result.entries) {
      const found = `${result.contacts} contacts and ${result.entries} entries`;
      report(place, null, 'wrong_end', `${found}, where ${JSON.stringify(end)} were written`);
    }
    if (isWhole) {
      for (const range of tree.unclaimed()) {
        report(place, null, 'left_out', `${range} of the signed tree are no entries of this file`);
      }
    }
    checkOutside();
  }
  function checkOutside() {
    if (seal === null && outside.length > 0) {
      return report('line 1', null, 'cut', 'the file has no checkpoint, but there have been some');
    }
    const said = (place, ...rest) => report(place, null, ...rest);
    const held = outside.length === 0 ? [] : readOutside(outside, seal.key, said);
    if (held.length > 0 && tree.isUsable()) compareRoots(held, tree, said);
    result.outside = held.length;
  }
}

/** The leaves under the checkpoint, and which of them an entry of the file has claimed. */
function openLeaves(size, report) {
  const tiles = openTiles(size, report);
  const claimed = new Uint8Array(Math.ceil(size / 8));
  let covered = 0;
  let runs = [];
  let next = null;
  let isChecked = false;
  const claim = (leaf) => {
    const [byte, bit] = [Math.floor(leaf / 8), 1 << (leaf % 8)];
    if ((claimed[byte] & bit) !== 0) return false;
    claimed[byte] |= bit;
    covered += 1;
    return true;
  };
  return {
    size,
    takeTile: tiles.take,
    leaf: tiles.leaf,
    covered: () => covered,
    isUsable: () => tiles.isComplete(),
    closeTiles(root) {
      if (isChecked || root === null) return null;
      isChecked = true;
      if (!tiles.isComplete()) return 'the tiles';
      return tiles.root().equals(root) ? null : tiles.edge() || 'the first tile';
    },
    openContact(given, place) {
      runs = [];
      next = 1;
      for (const run of Array.isArray(given) ? given : [null]) {
        const [first, entries, leaf] = Array.isArray(run) ? run : [];
        const isWhole = [first, entries, leaf].every((it) => Number.isSafeInteger(it) && it >= 0);
        if (!isWhole || first !== next || entries < 1 || leaf + entries > size) {
          report(place, 'malformed', 'where its entries are in the tree makes no sense');
          break;
        }
        runs.push({ first, entries, leaf });
        next += entries;
      }
    },
    /** What is wrong with the entry's place in the tree: a code and a message, or null. */
    takeEntry({ sequence, hash }) {
      while (runs.length > 0 && sequence >= runs[0].first + runs[0].entries) runs.shift();
      const [run] = runs;
      if (run === undefined || !(sequence >= run.first) || !tiles.isComplete()) return null;
      const leaf = run.leaf + sequence - run.first;
      if (!claim(leaf)) return ['out_of_place', `leaf ${leaf} is another entry's already`];
      if (tiles.leaf(leaf).equals(leafHash(Buffer.from(String(hash), 'hex')))) return null;
      return ['written_anew', `the signed tree has another entry as leaf ${leaf}`];
    },
    /** A run that goes on behind the last entry tells of a tail that was cut off. */
    closeContact(place) {
      const last = runs.at(-1);
      runs = [];
      if (last === undefined || !tiles.isComplete()) return;
      const [from, to] = [last.leaf, last.leaf + last.entries - 1];
      const isClaimed = (claimed[Math.floor(to / 8)] & (1 << (to % 8))) !== 0;
      if (isClaimed) return;
      report(place, 'cut', `the signed tree has more of this contact (leaves ${from} to ${to})`);
    },
    *unclaimed() {
      if (covered === size || !tiles.isComplete()) return;
      let from = null;
      for (let leaf = 0; leaf <= size; leaf += 1) {
        const isFree = leaf < size && (claimed[Math.floor(leaf / 8)] & (1 << (leaf % 8))) === 0;
        if (isFree) from ??= leaf;
        else if (from !== null) {
          yield from === leaf - 1 ? `leaf ${from}` : `leaves ${from} to ${leaf - 1}`;
          from = null;
        }
      }
    },
  };
}

/** Both copies are in the order of the ids, so whoever is passed over is missing. */
function openAwaited(earlier, after) {
  const ids = (earlier ?? new Map()).keys();
  let awaited = ids.next().value;
  return {
    *passedBefore(nextId) {
      const isPassed = (id) => id !== undefined && (nextId === null || id < nextId);
      while (isPassed(awaited)) {
        if (awaited > after) yield awaited;
        awaited = ids.next().value;
      }
      if (awaited === nextId) awaited = ids.next().value;
    },
  };
}
