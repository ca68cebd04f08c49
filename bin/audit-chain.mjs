// The rules of the ledger, as a reader checks them; docs/explanation/ledger.md has them in words.
// Plain JavaScript that shares no line with the server, so that one mistake cannot hide in both.
import { createDecipheriv, createHash } from 'node:crypto';

const ZERO = Uint8Array.of(0);
const HASHED = ['accountId', 'actor', 'at', 'contactId', 'data', 'id', 'sequence', 'type'];
const OPEN = ['erased', 'hash', 'personal', 'previousHash', 'sealKey', 'sealed'];
const BARE = ['hash', 'previousHash', 'sealedHash'];
/** A bundle has what is personal in it, an export only its hash. */
const FIELDS = [OPEN, BARE].map((beside) => [...HASHED, ...beside].sort().join());

/** JSON with the keys in UTF-16 order and no white space, written here a second time. */
export function canonical(value) {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(',')}}`;
}

/** Entries of before there was a sealed part were hashed without a word of it. */
export function isHashOf(entry) {
  const { sealed = null } = entry;
  const hashed = sealed === null ? null : sha256(Buffer.from(sealed, 'base64')).digest('hex');
  const { sealedHash = hashed } = entry;
  if (hashOf(entry, { sealedHash }) === entry.hash) return true;
  return sealedHash === null && hashOf(entry, {}) === entry.hash;
}

/** SHA-256 over a zero byte, the hash before, and the entry with its time in milliseconds. */
function hashOf(entry, { sealedHash }) {
  const { accountId, actor, contactId, data, id, sequence, type } = entry;
  const text = (value) => JSON.stringify(value);
  // The names in their order, written out: this runs for each of millions.
  const sealed = sealedHash === undefined ? '' : `"sealedHash":${text(sealedHash)},`;
  const json =
    `{"accountId":${text(accountId)},"actor":${text(actor)},"at":${Date.parse(entry.at)},` +
    `"contactId":${text(contactId)},"data":${canonical(data)},"id":${text(id)},${sealed}` +
    `"sequence":${text(sequence)},"type":${text(type)}}`;
  return sha256(ZERO, Buffer.from(entry.previousHash, 'hex'), json).digest('hex');
}

function sha256(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash;
}

/** What is wrong with the personal part, or null: it must be what the sealed bytes open to. */
function personalFault({ sealed, sealKey, personal, erased }) {
  if (sealed === undefined) return null;
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

const isHash = (text) => text === null || /^[0-9a-f]{64}$/.test(text);
const respelled = (text) => Buffer.from(String(text), 'base64').toString('base64');

function isWellFormed(entry) {
  const ms = Date.parse(entry.at);
  return (
    FIELDS.includes(Object.keys(entry).sort().join()) &&
    /^([0-9a-f]{64})?$/.test(entry.previousHash) &&
    isHash(entry.sealKey ?? null) &&
    isHash(entry.sealedHash ?? null) &&
    // Another spelling of the same bytes would be hashed alike.
    ((entry.sealed ?? null) === null || respelled(entry.sealed) === entry.sealed) &&
    // Another spelling of the same instant would be hashed alike.
    !Number.isNaN(ms) &&
    new Date(ms).toISOString() === entry.at
  );
}

/**
 * Follows one contact's chain; `report(place, sequence, code, message)` takes what is wrong. The
 * `earlier` head is what a copy made before says: that entry must still be there, with that hash.
 */
export function openChain({ accountId, contactId, head, earlier }, report) {
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
