import { open, rename, writeFile } from 'node:fs/promises';
import { errorText, Failure } from '../platform/failure.ts';

/**
 * A sound as the media worker plays it: Opus packets of 20 ms each, so that toward WhatsApp
 * nothing has to be decoded or timed. The file is `ASKFSND` and the version byte, then each
 * packet behind its length in two bytes, big-endian.
 */
const HEADER = Uint8Array.of(...Buffer.from('ASKFSND'), 1);
/** The largest Opus frame (RFC 6716 section 3.4, R2). */
const FRAME_MAX_BYTES = 1275;
const FRAME_MS = 20;
/** Half an hour: longer than any prompt or music needs to be before it repeats. */
export const SOUND_MINUTES_MAX = 30;
const FRAMES_MAX = (SOUND_MINUTES_MAX * 60_000) / FRAME_MS;
/** Half an hour at 64 kbit/s, with room. */
export const SOUND_FILE_MAX_BYTES = 16 * 1024 * 1024;

/** Writes a sound in one piece: a reader never sees half of it. Throws as reading does. */
export async function writeSoundFile(path: string, frames: readonly Uint8Array[]): Promise<void> {
  const bytes = soundBytes(frames);
  await writeFile(`${path}.part`, bytes);
  await rename(`${path}.part`, path);
}

/** The same as bytes, for where a sound is kept elsewhere. */
export function soundBytes(frames: readonly Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = [HEADER];
  for (const frame of frames) {
    parts.push(Uint8Array.of(frame.length >> 8, frame.length & 0xff), frame);
  }
  const bytes = Buffer.concat(parts);
  // What could not be read again must not be written.
  parseSound(bytes);
  return bytes;
}

/** The frames of a sound. Throws `Failure` `sound_file_unusable`, whatever is wrong with it. */
export async function readSoundFile(path: string): Promise<readonly Uint8Array[]> {
  let bytes: Uint8Array;
  try {
    bytes = await readLimited(path);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw unusable(`it cannot be read: ${errorText(error)}`, error);
  }
  return parseSound(bytes);
}

/** The same from bytes in memory. */
export function parseSound(bytes: Uint8Array): readonly Uint8Array[] {
  if (bytes.length > SOUND_FILE_MAX_BYTES) throw unusable('it is too large');
  if (!HEADER.every((byte, at) => bytes[at] === byte)) throw unusable('it is no sound file');
  const frames: Uint8Array[] = [];
  let at = HEADER.length;
  while (at < bytes.length) {
    const length = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
    const start = at + 2;
    at = start + length;
    if (at > bytes.length) throw unusable('it ends in the middle of a frame');
    const frame = bytes.subarray(start, at);
    if (!isTwentyMsOfOpus(frame)) throw unusable(`frame ${frames.length} is not 20 ms of Opus`);
    if (frames.length === FRAMES_MAX) {
      throw unusable(`it is longer than ${SOUND_MINUTES_MAX} minutes`);
    }
    frames.push(frame);
  }
  if (frames.length === 0) throw unusable('it is empty');
  return frames;
}

/** Reads the first byte, which says how much sound follows (RFC 6716 sections 3.1 and 3.2). */
export function isTwentyMsOfOpus(frame: Uint8Array): boolean {
  const [toc, count = 0] = frame;
  if (toc === undefined || frame.length > FRAME_MAX_BYTES) return false;
  const config = toc >> 3;
  const tenths =
    config < 12
      ? ([100, 200, 400, 600][config % 4] ?? 0)
      : config < 16
        ? ([100, 200][config % 2] ?? 0)
        : ([25, 50, 100, 200][config % 4] ?? 0);
  const code = toc & 0x03;
  const packed = code === 0 ? 1 : code < 3 ? 2 : count & 0x3f;
  return tenths * packed === FRAME_MS * 10;
}

async function readLimited(path: string): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat().then((found) => {
      if (!found.isFile()) throw unusable('it is not a file');
      return found;
    });
    if (size > SOUND_FILE_MAX_BYTES) throw unusable('it is too large');
    const bytes = Buffer.alloc(size);
    const { bytesRead } = await file.read(bytes, 0, size, 0);
    return bytes.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function unusable(reason: string, cause?: unknown): Failure {
  return new Failure({
    code: 'sound_file_unusable',
    message: `A sound cannot be played: ${reason}.`,
    fix: 'Upload the prompt again; if it was made by hand, make it anew as 20 ms Opus frames.',
    verdict: 'terminal',
    side: 'server',
    cause,
  });
}
