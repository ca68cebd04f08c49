import { createHash, createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto';
import { isoTime } from '../platform/clock.ts';
import type { AccountId } from '../platform/ids.ts';

/**
 * Checkpoints: signed statements of how an account's ledger looked as a whole at one moment. One
 * that somebody else keeps makes it impossible to change, cut or leave out what stood before it
 * without being found. The form is C2SP's tlog-checkpoint in a signed note, which other tools can
 * read; each account is a log of its own, so that its export is complete without anybody else's.
 */
export type Checkpoint = {
  accountId: AccountId;
  /** Entries of the account that it covers. */
  size: number;
  root: Uint8Array;
  /** When it was made, in ms; never earlier than the one before. */
  at: number;
  /** The signed text as it is handed out. */
  note: string;
};

/** Signs, and tells by which public key others check that. */
export type CheckpointSigner = {
  sign(tree: Omit<Checkpoint, 'note'>): string;
  /** `<name>+<id>+<base64>`, the form in which other tools take the key of a log. */
  verifierKey(accountId: AccountId): string;
  publicKeyPem: string;
};

/**
 * Checkpoints outside the database: one text file per account, only ever added to. Whoever changes
 * the database must change this file as well, and every copy of it; so keep the folder on another
 * disk or host than the database (ASKFIRST_CHECKPOINT_DIR).
 */
export type CheckpointFiles = {
  /** The last checkpoint in the file of an account; null when it has none. */
  last(accountId: AccountId): Promise<Checkpoint | null>;
  /** Adds checkpoints, oldest first; they are on the disk when this returns. */
  append(accountId: AccountId, checkpoints: readonly Checkpoint[]): Promise<void>;
};

/** Signed-note: the type of an Ed25519 signature. */
const ED25519 = 1;
const PUBLIC_KEY_BYTES = 32;
/** RFC 8410 section 7: what stands before the 32 bytes of a private key in PKCS #8. */
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** A log's name; its key has the same one, as tlog-checkpoint recommends. */
export function originOf(accountId: AccountId): string {
  return `askfirst/${accountId}`;
}

/** `seed` is the 32 bytes of `ledgerKey` in secrets.json. */
export function makeCheckpointSigner(seed: Uint8Array): CheckpointSigner {
  const privateKey = privateKeyOf(seed);
  const publicKey = createPublicKey(privateKey);
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-PUBLIC_KEY_BYTES);
  return {
    sign(tree) {
      const text = checkpointText(tree);
      const signed = sign(null, Buffer.from(text), privateKey);
      const line = Buffer.concat([keyId(originOf(tree.accountId), raw), signed]);
      return `${text}\n— ${originOf(tree.accountId)} ${line.toString('base64')}\n`;
    },
    verifierKey(accountId) {
      const name = originOf(accountId);
      const typed = Buffer.concat([Buffer.of(ED25519), raw]);
      return `${name}+${keyId(name, raw).toString('hex')}+${typed.toString('base64')}`;
    },
    publicKeyPem: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
  };
}

/** The time is an extension line: a checkpoint without it says less about when. */
function checkpointText({ accountId, size, root, at }: Omit<Checkpoint, 'note'>): string {
  const lines = [originOf(accountId), size, Buffer.from(root).toString('base64')];
  return `${[...lines, `time ${isoTime(at)}`].join('\n')}\n`;
}

/** Signed-note, Ed25519: SHA-256(name || 0x0A || 0x01 || public key), its first four bytes. */
function keyId(name: string, publicKey: Uint8Array): Buffer {
  const head = Buffer.from(`${name}\n`);
  const hash = createHash('sha256').update(head).update(Uint8Array.of(ED25519)).update(publicKey);
  return hash.digest().subarray(0, 4);
}

function privateKeyOf(seed: Uint8Array): KeyObject {
  const key = Buffer.concat([PKCS8_ED25519, seed]);
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}

const NOTE = /^askfirst\/(acct_[0-9a-f-]{36})\n(\d+)\n([A-Za-z0-9+/]{43}=)\ntime (\S+)\n\n— .+\n$/;

/** What our own note says; null when this is none. It does not check the signature. */
export function readNote(note: string): Checkpoint | null {
  const [, accountId, size, root, time] = NOTE.exec(note) ?? [];
  if (accountId === undefined || root === undefined || time === undefined) return null;
  return {
    accountId: accountId as AccountId,
    size: Number(size),
    root: Buffer.from(root, 'base64'),
    at: Date.parse(time),
    note,
  };
}
