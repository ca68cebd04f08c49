import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sound } from '../media/media.ts';
import { writeSoundFile } from '../media/sound-file.ts';
import spoken from './announcements.json' with { type: 'json' };

type Spoken = { text: string; frames: string[] };
const SPOKEN: Readonly<Record<string, Spoken>> = spoken;

/** Languages in which the announcement comes with the product. */
export const SPOKEN_LANGUAGES: ReadonlySet<string> = new Set(Object.keys(SPOKEN));

/** The sounds of the announcement, written where the media processes read them. */
export type Announcements = { soundIn(language: string): Promise<Sound> };

/** `folder` is made when it is needed. Throws what the disk throws. */
export function openAnnouncements(folder: string): Announcements {
  const made = new Map<string, Promise<Sound>>();
  const make = async (language: string): Promise<Sound> => {
    const { frames } = SPOKEN[language] ?? SPOKEN['en'] ?? { frames: [] };
    // Named by what it says: a new release never plays the words of an old one.
    const name = createHash('sha256').update(frames.join(' ')).digest('hex').slice(0, 16);
    const path = join(folder, `recorded-${language}-${name}.sound`);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeSoundFile(
      path,
      frames.map((frame) => Buffer.from(frame, 'base64')),
    );
    return { kind: 'opus', path };
  };
  return {
    soundIn(language) {
      const known = made.get(language) ?? make(language);
      made.set(language, known);
      // A full disk may have room again at the next call.
      known.catch(() => made.delete(language));
      return known;
    },
  };
}
