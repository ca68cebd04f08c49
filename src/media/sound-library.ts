import { stat } from 'node:fs/promises';
import type { BuiltinSound, Sound } from './media.ts';
import { PlayableSound } from './playable-sound.ts';
import { readSoundFile } from './sound-file.ts';

type Kept = { sound: PlayableSound; version: string };

/** A worker's own memory for prompts: some ten of a minute each, or very many short ones. */
const KEPT_MAX_BYTES = 24 * 1024 * 1024;
const KEPT_MAX = 64;

/**
 * The sounds of one worker: the built-in ones, and files it has read. What was used last stays
 * longest, and what plays goes on when it is given up. A file that was written anew is read anew.
 */
export class SoundLibrary {
  readonly #builtins: ReadonlyMap<BuiltinSound, PlayableSound>;
  readonly #kept = new Map<string, Kept>();
  readonly #reading = new Map<string, Promise<PlayableSound>>();

  constructor(builtins: Readonly<Partial<Record<BuiltinSound, readonly Uint8Array[]>>>) {
    const names = Object.keys(builtins) as BuiltinSound[];
    this.#builtins = new Map(
      names.map((name) => [name, new PlayableSound(builtins[name] ?? [])] as const),
    );
  }

  /**
   * The sound; at once where it is built in. Rejects with `Failure` `sound_file_unusable`.
   */
  load(sound: Sound): PlayableSound | Promise<PlayableSound> {
    if (sound.kind === 'opus') {
      const reading = this.#reading.get(sound.path) ?? this.#read(sound.path);
      this.#reading.set(sound.path, reading);
      return reading;
    }
    const builtin = this.#builtins.get(sound.name);
    return builtin ?? Promise.reject(new Error(`no built-in sound ${sound.name}`));
  }

  /** How many files are kept, for tests. */
  get keptFiles(): number {
    return this.#kept.size;
  }

  async #read(path: string): Promise<PlayableSound> {
    try {
      const version = await versionOf(path);
      const known = this.#kept.get(path);
      if (known?.version === version) {
        // Moved to the end: used last.
        this.#kept.delete(path);
        this.#kept.set(path, known);
        return known.sound;
      }
      const sound = new PlayableSound(await readSoundFile(path));
      known?.sound.retire();
      this.#kept.delete(path);
      this.#kept.set(path, { sound, version });
      this.#forgetSome(sound);
      return sound;
    } finally {
      this.#reading.delete(path);
    }
  }

  #forgetSome(fresh: PlayableSound): void {
    let bytes = 0;
    for (const { sound } of this.#kept.values()) bytes += sound.bytes;
    for (const [path, { sound }] of this.#kept) {
      if (bytes <= KEPT_MAX_BYTES && this.#kept.size <= KEPT_MAX) return;
      if (sound === fresh) return;
      bytes -= sound.bytes;
      this.#kept.delete(path);
      sound.retire();
    }
  }
}

/** Changes when the file does; a file that is not there has a version too, and fails later. */
async function versionOf(path: string): Promise<string> {
  return stat(path).then(
    ({ mtimeMs, size, ino }) => `${mtimeMs}/${size}/${ino}`,
    () => '',
  );
}
