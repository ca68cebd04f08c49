// The checkpoint of a file: who signed it, and whether what was kept elsewhere agrees with it.
import { noteFault, readKey, readNote } from './audit-note.mjs';
import { openFrontier } from './audit-tree.mjs';

/**
 * Reads the checkpoint that a file carries. `key` is the one that the reader trusts; without it the
 * file's own word is taken, and the result says so.
 */
export function readSeal({ verifierKey, note, accountId }, given, report) {
  const own = readKey(verifierKey);
  const key = given ?? own;
  if (own === null) report('malformed', 'the public key is none');
  else if (given !== undefined && given.text !== own.text) {
    report('other_key', `it names another key than the one that was given: ${own.text}`);
  }
  if (note === null || key === null) return null;
  const read = readNote(note);
  const fault =
    read !== null && read.origin !== `askfirst/${accountId}`
      ? `it is of ${read.origin}`
      : noteFault(read, key);
  if (fault !== null) report('not_signed', `the checkpoint does not hold: ${fault}`);
  return read === null ? null : { ...read, key };
}

export function sealSummary(seal, covered, given) {
  if (seal === null) return null;
  const { size, time, key } = seal;
  return { size, time, covered, key: key.text, isKeyGiven: given !== undefined };
}

/** Checkpoints that were kept elsewhere: each signed, larger and later than the one before. */
export function readOutside(notes, key, report) {
  let last = { size: 0, time: '' };
  const held = [];
  for (const { place, note, isAlone = false } of notes) {
    const fault = noteFault(note, key);
    if (fault !== null) {
      report(place, 'not_signed', `the checkpoint does not hold: ${fault}`);
      continue;
    }
    held.push({ ...note, place, isAlone });
    if (isAlone) continue;
    if (note.size < last.size) report(place, 'out_of_place', 'it is smaller than the one before');
    if (note.time < last.time) report(place, 'clock_back', 'it is older than the one before');
    last = note;
  }
  return held;
}

/** Works out the root at the size of each checkpoint anew; for all of them one walk is enough. */
export function compareRoots(held, { size, leaf }, report) {
  const frontier = openFrontier();
  let taken = 0;
  for (const it of [...held].sort((a, b) => a.size - b.size)) {
    if (it.size > size) {
      report(it.place, 'cut', `the checkpoint covers ${it.size} entries, the file ${size}`);
      continue;
    }
    for (; taken < it.size; taken += 1) frontier.take(Buffer.from(leaf(taken)));
    if (frontier.root().equals(it.root)) continue;
    const message = `the first ${it.size} entries are not those of this checkpoint`;
    report(it.place, 'written_anew', message);
  }
}
