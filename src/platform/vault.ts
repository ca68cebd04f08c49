import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { Random } from './random.ts';
import { makeOneTimeSealer, makeSealer, type Sealer } from './sealing.ts';

/**
 * The keys of one installation. What is kept of a subject is sealed under a random key of its own,
 * and that key is kept sealed under the data key. To destroy the one row that holds it is to erase
 * the subject everywhere at once, also from what must never be changed, such as a hash chain.
 */
export type Vault = {
  /** Seals under the data key: for what belongs to no single subject. */
  readonly sealer: Sealer;
  /** A new key for a subject, and the form in which it may be stored. */
  makeKey(subjectId: string): { key: SubjectKey; sealed: Buffer };
  /**
   * Opens a stored key. The caller reads the stored form anew each time, so a key that was
   * destroyed by another node is gone here as well. Throws `Failure` `seal_broken`.
   */
  openKey(subjectId: string, sealed: Uint8Array): SubjectKey;
  /** A name that can be looked up and compared, but not read or guessed without the data key. */
  pseudonym(text: string): Buffer;
};

/** What one subject's key can do. */
export type SubjectKey = {
  /** Seals any JSON value. */
  seal(value: unknown): Buffer;
  open(sealed: Uint8Array): unknown;
  /** 32 bytes for one thing alone: whoever is given them can open that thing and nothing else. */
  keyFor(thing: string): Buffer;
  /** Seals under the key of one thing. */
  sealThing(thing: string, value: unknown): Buffer;
  openThing(thing: string, sealed: Uint8Array): unknown;
};

const KEY_BYTES = 32;
/** Opened keys that are kept at hand, about 0.5 kB each. */
export const OPEN_KEYS_MAX = 10_000;

/** `dataKey` has 32 bytes. */
export function openVault(dataKey: Uint8Array, random: Random): Vault {
  const sealer = makeSealer(dataKey, random);
  // A key of its own: what is compared must not help anybody who attacks what is sealed.
  const derived = hkdfSync('sha256', dataKey, '', 'pseudonyms', KEY_BYTES);
  const pseudonymKey = createSecretKey(Buffer.from(derived));
  const opened = new Map<string, { sealed: Buffer; key: SubjectKey }>();
  const keep = (subjectId: string, stored: Uint8Array, key: SubjectKey): void => {
    // In memory of its own: a small Buffer is a piece of a pool, and would hold 64 kB of it.
    const sealed = Buffer.allocUnsafeSlow(stored.length);
    sealed.set(stored);
    opened.delete(subjectId);
    opened.set(subjectId, { sealed, key });
    if (opened.size <= OPEN_KEYS_MAX) return;
    const [oldest] = opened.keys();
    if (oldest !== undefined) opened.delete(oldest);
  };
  return {
    sealer,
    makeKey(subjectId) {
      const bytes = Buffer.from(random.bytes(KEY_BYTES));
      const sealed = sealer.seal(`${subjectId} ${bytes.toString('hex')}`);
      // Not kept at hand: a file of new people would push out those who are busy.
      return { key: new OpenKey(bytes, random), sealed };
    },
    openKey(subjectId, stored) {
      const known = opened.get(subjectId);
      if (known !== undefined && known.sealed.equals(stored)) {
        opened.delete(subjectId);
        opened.set(subjectId, known);
        return known.key;
      }
      const [owner, hex = ''] = sealer.open(stored).split(' ');
      // One subject's key put into another's row would show the one to readers of the other.
      if (owner !== subjectId) throw new TypeError(`the key of ${subjectId} is another's`);
      const key = new OpenKey(Buffer.from(hex, 'hex'), random);
      keep(subjectId, stored, key);
      return key;
    },
    pseudonym: (text) => createHmac('sha256', pseudonymKey).update(text).digest(),
  };
}

/** A class, because thousands are kept at hand: they share their methods. */
class OpenKey implements SubjectKey {
  readonly #secret: KeyObject;
  readonly #random: Random;

  constructor(bytes: Uint8Array, random: Random) {
    this.#secret = createSecretKey(bytes);
    this.#random = random;
  }

  seal(value: unknown): Buffer {
    return makeSealer(this.#secret, this.#random).seal(JSON.stringify(value));
  }

  open(sealed: Uint8Array): unknown {
    return JSON.parse(makeSealer(this.#secret, this.#random).open(sealed));
  }

  keyFor(thing: string): Buffer {
    return createHmac('sha256', this.#secret).update(thing).digest();
  }

  sealThing(thing: string, value: unknown): Buffer {
    return makeOneTimeSealer(this.keyFor(thing), this.#random).seal(JSON.stringify(value));
  }

  openThing(thing: string, sealed: Uint8Array): unknown {
    return JSON.parse(makeOneTimeSealer(this.keyFor(thing), this.#random).open(sealed));
  }
}
