import { createCipheriv, createDecipheriv, createSecretKey, KeyObject } from 'node:crypto';
import type { CipherKey } from 'node:crypto';
import { Failure } from './failure.ts';
import type { Random } from './random.ts';

/** Seals secrets at rest: AES-256-GCM, a version byte, a 12-byte nonce, the text, a 16-byte tag. */
export type Sealer = {
  seal(text: string): Buffer;
  /** Throws `Failure` `seal_broken` when the bytes were altered or sealed under another key. */
  open(sealed: Uint8Array): string;
};

const VERSION = 1;
const VERSION_BYTE = Buffer.of(VERSION);
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** `key` has 32 bytes. */
export function makeSealer(key: Uint8Array | KeyObject, random: Random): Sealer {
  // Given as bytes, the key is imported anew by each call, which takes longer than the sealing.
  return sealerWith(key instanceof KeyObject ? key : createSecretKey(key), random);
}

/** The same for a key that seals or opens one thing only: to import it would be the longer way. */
export function makeOneTimeSealer(key: Uint8Array, random: Random): Sealer {
  return sealerWith(key, random);
}

function sealerWith(key: CipherKey, random: Random): Sealer {
  return { seal: (text) => seal(key, text, random), open: (sealed) => open(key, sealed) };
}

function seal(key: CipherKey, text: string, random: Random): Buffer {
  const nonce = random.bytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  const body = [cipher.update(text, 'utf8'), cipher.final()];
  return Buffer.concat([VERSION_BYTE, nonce, ...body, cipher.getAuthTag()]);
}

function open(key: CipherKey, sealed: Uint8Array): string {
  try {
    const bytes = Buffer.from(sealed);
    if (bytes[0] !== VERSION) throw new Error(`unknown version ${bytes[0]}`);
    const nonce = bytes.subarray(1, 1 + NONCE_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', key, nonce);
    decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
    const body = bytes.subarray(1 + NONCE_BYTES, bytes.length - TAG_BYTES);
    return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
  } catch (cause) {
    throw new Failure({
      code: 'seal_broken',
      message: 'A stored secret cannot be opened with the key of this data folder.',
      fix: 'Restore the secrets.json that belongs to this database, or set the secret anew.',
      verdict: 'terminal',
      side: 'server',
      cause,
    });
  }
}
