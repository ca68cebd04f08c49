// Signed notes and checkpoints as C2SP defines them, as a reader checks them:
// c2sp.org/signed-note and c2sp.org/tlog-checkpoint.
import { createHash, createPublicKey, verify } from 'node:crypto';

const ED25519 = 1;
/** RFC 8410 section 4: what stands before the 32 bytes of a public key in SPKI. */
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');
const TIME = String.raw`\d{4}-\d\d-\d\dT[\d:.]{12}Z`;
const SIZE = String.raw`0|[1-9]\d{0,15}`;
const TEXT = new RegExp(
  String.raw`^(askfirst/[\w-]+)\n(${SIZE})\n([A-Za-z0-9+/]{43}=)\ntime (${TIME})\n$`,
);
const LINE = /^— (\S+) ([A-Za-z0-9+/]+=*)$/;
const KEY = /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/;
const SIGNATURES_MAX = 16;

/** What a note says, or null when it is none. Nothing in it counts before `noteFault` is null. */
export function readNote(note) {
  const cut = String(note).lastIndexOf('\n\n');
  if (cut === -1) return null;
  const text = note.slice(0, cut + 1);
  const [, origin, size, root, time] = TEXT.exec(text) ?? [];
  const lines = note.slice(cut + 2).split('\n');
  if (origin === undefined || lines.pop() !== '' || lines.length > SIGNATURES_MAX) return null;
  const signatures = lines.map((line) => LINE.exec(line));
  if (signatures.length === 0 || signatures.includes(null)) return null;
  return {
    text,
    origin,
    size: Number(size),
    root: Buffer.from(root, 'base64'),
    time,
    signatures: signatures.map(([, name, bytes]) => ({
      name,
      bytes: Buffer.from(bytes, 'base64'),
    })),
  };
}

/** `<name>+<id>+<base64>`, or null. */
export function readKey(text) {
  const [, name, id, typed] = KEY.exec(String(text).trim()) ?? [];
  const bytes = Buffer.from(typed ?? '', 'base64');
  if (bytes.length !== 33 || bytes[0] !== ED25519) return null;
  const hash = createHash('sha256').update(`${name}\n`).update(bytes).digest('hex');
  if (hash.slice(0, 8) !== id) return null;
  const key = Buffer.concat([SPKI, bytes.subarray(1)]);
  return {
    name,
    id,
    text: String(text).trim(),
    key: createPublicKey({ key, format: 'der', type: 'spki' }),
  };
}

/** Why a note is not what the holder of the key signed, or null. */
export function noteFault(note, key) {
  if (note === null) return 'it is no checkpoint';
  if (note.origin !== key.name) return `it is of ${note.origin}, and the key of ${key.name}`;
  const known = note.signatures.filter(
    ({ name, bytes }) => name === key.name && bytes.subarray(0, 4).toString('hex') === key.id,
  );
  if (known.length === 0) return 'it is signed by another key';
  const isSigned = ({ bytes }) => verify(null, Buffer.from(note.text), key.key, bytes.subarray(4));
  return known.every(isSigned) ? null : 'the signature does not fit what it says';
}

/** The notes of a file of checkpoints, each with its line; throws at what is none. */
export function notesOf(file) {
  const parts = file.split(/(?<=\n\n)(?=askfirst\/)/).filter((part) => part !== '');
  let line = 1;
  return parts.map((part) => {
    const place = `checkpoints, line ${line}`;
    line += part.split('\n').length - 1;
    // Each note of the file is followed by an empty line.
    return { place, note: part.endsWith('\n\n') ? readNote(part.slice(0, -1)) : null };
  });
}
