// The rules of the ledger, as a reader checks them; docs/explanation/ledger.md has them in words.
// Plain JavaScript that shares no line with the server, so that one mistake cannot hide in both.
import { createDecipheriv, createHash } from 'node:crypto';
import { rowProblems } from './audit-rows.mjs';

const HASHED = ['accountId', 'actor', 'at', 'contactId', 'data', 'id', 'sequence', 'type'];
const BESIDE = ['erased', 'hash', 'personal', 'previousHash', 'sealKey', 'sealed'];
const FIELDS = [...HASHED, ...BESIDE].sort().join();
const SHOWN_MAX = 20;
export const LIMITS =
  'A cut tail, or a history written anew from some entry on, shows only against an earlier copy ' +
  '(--earlier). Numbers and the measured values of CDRs are not in the ledger.';

/** JSON with the keys in UTF-16 order and no white space, written here a second time. */
export function canonical(value) {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(',')}}`;
}

/** Entries of before there was a sealed part were hashed without a word of it. */
function isHashOf(entry) {
  const { sealed } = entry;
  const sealedHash = sealed === null ? null : sha256(Buffer.from(sealed, 'base64')).digest('hex');
  if (hashOf(entry, { sealedHash }) === entry.hash) return true;
  return sealed === null && hashOf(entry, {}) === entry.hash;
}

/** SHA-256 over a zero byte, the hash before, and the entry with its time in milliseconds. */
function hashOf(entry, sealedPart) {
  const hashed = Object.fromEntries(HASHED.map((name) => [name, entry[name]]));
  const text = canonical({ ...hashed, ...sealedPart, at: Date.parse(entry.at) });
  return sha256(Uint8Array.of(0), Buffer.from(entry.previousHash, 'hex'), text).digest('hex');
}

function sha256(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash;
}

/** What is wrong with the personal part, or null: it must be what the sealed bytes open to. */
function personalFault({ sealed, sealKey, personal, erased }) {
  if (sealed === null) {
    return personal === null && sealKey === null && erased === false ? null : 'nothing is sealed';
  }
  if (sealKey === null) return personal === null && erased === true ? null : 'it has no key';
  if (erased !== false) return 'it says that it was erased';
  try {
    return canonical(JSON.parse(unseal(sealed, sealKey))) === canonical(personal)
      ? null
      : 'the sealed bytes say something else';
  } catch {
    return 'the key does not open it';
  }
}

/** AES-256-GCM: a version byte, 12 bytes of nonce, the text, 16 bytes of tag. */
function unseal(sealed, sealKey) {
  const bytes = Buffer.from(sealed, 'base64');
  if (bytes[0] !== 1) throw new Error('unknown version');
  const key = Buffer.from(sealKey, 'hex');
  const opener = createDecipheriv('aes-256-gcm', key, bytes.subarray(1, 13));
  opener.setAuthTag(bytes.subarray(bytes.length - 16));
  const text = [opener.update(bytes.subarray(13, bytes.length - 16)), opener.final()];
  return Buffer.concat(text).toString('utf8');
}

const respelled = (text) => Buffer.from(String(text), 'base64').toString('base64');

function isWellFormed(entry) {
  const ms = Date.parse(entry.at);
  return (
    Object.keys(entry).sort().join() === FIELDS &&
    /^([0-9a-f]{64})?$/.test(entry.previousHash) &&
    (entry.sealKey === null || /^[0-9a-f]{64}$/.test(entry.sealKey)) &&
    // Another spelling of the same bytes would be hashed alike.
    (entry.sealed === null || respelled(entry.sealed) === entry.sealed) &&
    // Another spelling of the same instant would be hashed alike.
    !Number.isNaN(ms) &&
    new Date(ms).toISOString() === entry.at
  );
}

/**
 * Follows one contact's chain; `report(place, sequence, code, message)` takes what is wrong. The
 * `earlier` head is what a copy made before says: that entry must still be there, with that hash.
 */
function openChain({ accountId, contactId, head, earlier }, report) {
  let last = { sequence: 0, hash: '' };
  const fault = (entry) => {
    const { sequence } = entry;
    if (!isWellFormed(entry)) return ['malformed', 'this is not an entry as Askfirst writes it'];
    if (entry.contactId !== contactId || entry.accountId !== accountId) {
      return ['of_another', 'the entry belongs to another contact or account'];
    }
    if (sequence > last.sequence + 1) {
      return ['missing', `entry ${last.sequence + 1} should come here, but ${sequence} does`];
    }
    if (sequence !== last.sequence + 1) {
      return ['out_of_place', `entry ${sequence} comes after entry ${last.sequence}`];
    }
    if (entry.previousHash !== last.hash) {
      return ['not_chained', 'it is not chained to the entry before it'];
    }
    if (!isHashOf(entry)) {
      return ['changed', 'its contents are not what was hashed when it was written'];
    }
    const wrong = personalFault(entry);
    return wrong === null ? null : ['personal_differs', `of its personal part: ${wrong}`];
  };
  return {
    take(entry, place) {
      const found = fault(entry);
      if (found !== null) report(place, entry.sequence ?? null, ...found);
      last = entry;
      // A damaged entry may have no sequence at all, as if there were no earlier copy.
      if (earlier === undefined || entry.sequence !== earlier.sequence) return;
      if (entry.hash === earlier.hash) return;
      report(place, entry.sequence, 'written_anew', 'the earlier copy has another entry here');
    },
    close(place) {
      if (last.sequence < earlier?.sequence) {
        const message = `the earlier copy goes on to entry ${earlier.sequence}`;
        report(place, last.sequence, 'cut', message);
      }
      if (last.sequence === head?.sequence && last.hash === head?.hash) return;
      const message = `the chain ends at entry ${last.sequence}, its head names ${head?.sequence}`;
      report(place, last.sequence, 'wrong_end', message);
    },
  };
}

function newResult(format) {
  return { ok: true, format, contacts: 0, entries: 0, found: 0, problems: [], limits: LIMITS };
}

function add(result, problem) {
  result.ok = false;
  result.found += 1;
  // One cut can break every later line; nobody reads a million of them.
  if (result.problems.length < SHOWN_MAX) result.problems.push(problem);
}

/** `heads` takes the end of each chain, `earlier` has those of a copy made before. */
export function verifyBundle(bundle, { earlier, heads } = {}) {
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
  // Rows are held against the ledger only where the ledger itself holds.
  if (result.ok)
    for (const it of rowProblems(bundle, canonical)) report(it.place, null, ...it.said);
  return result;
}

/** Takes an export line by line, so that memory does not grow with the file. */
export function openExport(header, { earlier, heads } = {}) {
  const result = newResult(header.format);
  let chain = null;
  let contactId = '';
  let isEnded = false;
  const ids = (earlier ?? new Map()).keys();
  let awaited = ids.next().value;
  const report = (place, sequence, code, message) =>
    add(result, { place, contactId, sequence, code, message });
  return {
    take(line, number) {
      const place = `line ${number}`;
      if (isEnded) report(place, null, 'out_of_place', 'something stands behind the last line');
      else if ('hash' in line) {
        result.entries += 1;
        if (chain === null) report(place, null, 'out_of_place', 'an entry before any contact');
        else chain.take(line, place);
      } else {
        chain?.close(place);
        isEnded = 'end' in line;
        if (isEnded) checkEnd(line.end, place);
        else openContact(line, place);
      }
    },
    close() {
      if (!isEnded) report('end', null, 'file_cut', 'the last line is missing: load it again');
      return result;
    },
  };
  function openContact(line, place) {
    result.contacts += 1;
    if (!(line.contactId > contactId)) {
      report(place, null, 'out_of_place', 'contacts must come in the order of their ids');
    }
    reportLeftOut(line.contactId, place);
    contactId = line.contactId;
    const known = { accountId: header.accountId, contactId, head: line.head };
    chain = openChain({ ...known, earlier: earlier?.get(contactId) }, report);
    heads?.set(contactId, line.head);
  }
  /** Both copies are in the order of the ids, so whoever is passed over is missing. */
  function reportLeftOut(nextId, place) {
    const isPassed = (id) => id !== undefined && (nextId === null || id < nextId);
    while (isPassed(awaited)) {
      const message = `contact ${awaited} of the earlier copy is missing`;
      if (awaited > (header.after ?? '')) report(place, null, 'left_out', message);
      awaited = ids.next().value;
    }
    if (awaited === nextId) awaited = ids.next().value;
  }
  function checkEnd(end, place) {
    reportLeftOut(null, place);
    if (end?.contacts === result.contacts && end?.entries === result.entries) return;
    const found = `${result.contacts} contacts and ${result.entries} entries`;
    report(place, null, 'wrong_end', `${found}, where ${JSON.stringify(end)} were written`);
  }
}
