// One contact's evidence, or one proof: what it says, its chain, and its place in the signed tree.
import { canonical, isHashOf, openChain } from './audit-chain.mjs';
import { noteFault, readKey, readNote } from './audit-note.mjs';
import { add, newResult } from './audit-report.mjs';
import { rowProblems } from './audit-rows.mjs';
import { readOutside, readSeal, sealSummary } from './audit-seal.mjs';
import { isConsistent, leafHash, rootByInclusion } from './audit-tree.mjs';

/**
 * `heads` takes the end of each chain, `earlier` has those of a copy made before. Contacts that
 * turned out to be the same person are parts of the bundle, each with a chain of its own.
 */
export function verifyBundle(bundle, against) {
  const result = verifyPart(bundle, against);
  const parts = Array.isArray(bundle.absorbed) ? bundle.absorbed.map((it) => it ?? {}) : [];
  const { contactId } = result;
  for (const [index, part] of parts.entries()) {
    const { accountId, format } = bundle;
    const place = `absorbed[${index}]`;
    addPart(result, verifyPart({ ...part, accountId, format }, against), place);
    for (const [name, value] of Object.entries({ accountId, format })) {
      if (part[name] === value) continue;
      const message = `it is not of ${value}, as the bundle around it`;
      add(result, { place, contactId, sequence: null, code: 'out_of_place', message });
    }
  }
  for (const message of partProblems(bundle, parts)) {
    add(result, { place: 'absorbed', contactId, sequence: null, code: 'rows_differ', message });
  }
  return result;
}

function addPart(result, part, place) {
  result.contacts += part.contacts;
  result.entries += part.entries;
  if (result.checkpoint !== null) result.checkpoint.covered += part.checkpoint?.covered ?? 0;
  for (const it of part.problems) add(result, { ...it, place: `${place}.${it.place}` });
  result.found += part.found - part.problems.length;
}

/** The chains themselves name whom they go on for: no part may lack, and none may come twice. */
function* partProblems(bundle, parts) {
  const named = [bundle, ...parts]
    .flatMap(({ ledger }) => (Array.isArray(ledger) ? ledger : []))
    .flatMap((entry) => (entry?.type === 'ContactMerged' ? [entry.data.absorbedContactId] : []));
  const given = parts.map(({ contact }) => contact?.id);
  for (const id of new Set([...named, ...given])) {
    const count = given.filter((it) => it === id).length;
    if (!named.includes(id)) yield `no chain tells that ${id} is this person`;
    else if (count !== 1) yield `${count} parts of ${id}, which the chain tells is this person`;
  }
}

function verifyPart(bundle, { earlier, heads, key, outside = [] } = {}) {
  const result = { ...newResult(bundle.format), contacts: 1, contactId: bundle.contact?.id };
  const { contactId } = result;
  const report = (place, sequence, code, message) =>
    add(result, { place, contactId, sequence, code, message });
  const ledger = Array.isArray(bundle.ledger) ? bundle.ledger.map((it) => it ?? {}) : [];
  const { accountId, ledgerHead: head } = bundle;
  const known = { accountId, contactId, head, earlier: earlier?.get(contactId) };
  const chain = openChain(known, report);
  heads?.set(contactId, head);
  for (const [index, entry] of ledger.entries()) chain.take(entry, `ledger[${index}]`);
  chain.close('ledgerHead');
  result.entries = ledger.length;
  const section = { ...bundle.checkpoint, accountId };
  const seal = readSeal(section, key, (...said) => report('checkpoint', null, ...said));
  const proofs = Array.isArray(bundle.proofs) ? bundle.proofs : [];
  for (const it of proofProblems(ledger, proofs, seal)) report(...it);
  result.checkpoint = sealSummary(seal, proofs.length, key);
  const said = (place, ...rest) => report(place, null, ...rest);
  result.outside = checkOutside(seal, outside, said);
  // Rows are held against the ledger only where the ledger itself holds.
  if (result.ok)
    for (const it of rowProblems(bundle, canonical)) report(it.place, null, ...it.said);
  return result;
}

/** A proof for each entry from the first on; only the newest may still be without. */
function* proofProblems(ledger, proofs, seal) {
  if (seal === null) {
    if (proofs.length > 0) yield ['proofs', null, 'malformed', 'there is no checkpoint to prove'];
    return;
  }
  for (const [index, given] of proofs.entries()) {
    const place = `proofs[${index}]`;
    const entry = ledger[index];
    if (entry === undefined || given?.sequence !== entry.sequence) {
      yield [
        place,
        given?.sequence ?? null,
        'out_of_place',
        'it is not the proof of the entry here',
      ];
      continue;
    }
    if (isProven(entry, given, seal)) continue;
    const message = 'the entry is not the one that stands under the signed checkpoint';
    yield [place, entry.sequence, 'written_anew', message];
  }
}

const HASH = /^[0-9a-f]{64}$/;

function isProven(entry, { leaf, proof }, seal) {
  if (!Number.isSafeInteger(leaf) || !Array.isArray(proof) || !HASH.test(entry.hash)) return false;
  if (!proof.every((hash) => HASH.test(hash))) return false;
  const path = proof.map((hash) => Buffer.from(hash, 'hex'));
  const root = rootByInclusion(leaf, seal.size, leafHash(Buffer.from(entry.hash, 'hex')), path);
  return root?.equals(seal.root) === true;
}

/** A single checkpoint can be compared only with one of the same size. */
function checkOutside(seal, outside, report) {
  if (outside.length === 0) return 0;
  if (seal === null) {
    report('checkpoint', 'cut', 'the file has no checkpoint, but there have been some');
    return 0;
  }
  const held = readOutside(outside, seal.key, report);
  const same = held.filter(({ size }) => size === seal.size);
  for (const { place, root } of same) {
    if (!root.equals(seal.root)) report(place, 'written_anew', 'it has another root for this size');
  }
  if (same.length === 0 && held.some(({ size, isAlone }) => !isAlone && size > seal.size)) {
    report('checkpoint', 'written_anew', 'this checkpoint is none of those that were kept');
  }
  return same.length;
}

/** An answer of /v1/contacts/{id}/inclusion. */
export function verifyInclusion(given, { key, outside = [] } = {}) {
  const { accountId, entry } = given;
  const result = { ...newResult(given.format), contacts: 1, entries: 1 };
  const report = (place, code, message) =>
    add(result, { place, contactId: entry?.contactId ?? '', sequence: null, code, message });
  const seal = readSeal(given, key, (...said) => report('note', ...said));
  if (entry?.accountId !== accountId || !isHashOf(entry)) {
    report('entry', 'changed', 'its contents are not what was hashed when it was written');
  }
  if (seal !== null && !isProven(entry ?? {}, given, seal)) {
    report('proof', 'written_anew', 'the entry is not one of those under the checkpoint');
  }
  result.checkpoint = sealSummary(seal, 1, key);
  result.outside = checkOutside(seal, outside, report);
  return result;
}

/** An answer of /v1/ledger/checkpoints/consistency. */
export function verifyConsistency(given, { key, outside = [] } = {}) {
  const result = newResult(given.format);
  const report = (place, code, message) =>
    add(result, { place, contactId: '', sequence: null, code, message });
  const seal = readSeal({ ...given, note: given.to }, key, (...said) => report('to', ...said));
  const from = readNote(given.from);
  const signer = key ?? readKey(given.verifierKey);
  const fault = signer === null ? null : noteFault(from, signer);
  if (fault !== null) report('from', 'not_signed', `the checkpoint does not hold: ${fault}`);
  const proof = Array.isArray(given.proof) ? given.proof : ['none'];
  const path = proof.every((hash) => HASH.test(hash)) ? proof : ['none'];
  const trees = from !== null &&
    seal !== null && {
      first: from.size,
      second: seal.size,
      firstRoot: from.root,
      secondRoot: seal.root,
      proof: path.map((hash) => Buffer.from(hash, 'hex')),
    };
  if (trees && (path[0] === 'none' || !isConsistent(trees))) {
    report('proof', 'written_anew', 'the later checkpoint did not only add to the earlier one');
  }
  if (trees && from.time > seal.time)
    report('to', 'clock_back', 'it is older than the earlier one');
  result.checkpoint = sealSummary(seal, 0, key);
  result.outside = checkOutside(seal, outside, report);
  return result;
}
