import type { KeyObject } from 'node:crypto';
import { open, stat, type FileHandle } from 'node:fs/promises';
import {
  CHUNK_BYTES_MAX,
  CHUNK_HEAD_BYTES,
  fileHead,
  openChunk,
  readHead,
  readItems,
} from './recording-file.ts';
import type { RecordedItem } from './recording.ts';

/**
 * Reads a recording back, chunk by chunk, so that an hour takes no more memory than a second. A
 * file whose writer died ends early; everything before the break is good, for each chunk is
 * sealed by itself.
 */
export async function* readRecording(
  path: string,
  recordingId: string,
  key: KeyObject,
): AsyncGenerator<RecordedItem[], { complete: boolean }> {
  const file = await open(path, 'r');
  try {
    const length = fileHead(recordingId).length;
    const head = readHead(await bytesAt(file, 0, length), recordingId);
    if (head === null) return { complete: false };
    let at = length;
    for (let number = 0; ; number += 1) {
      const chunkHead = await bytesAt(file, at, CHUNK_HEAD_BYTES);
      if (chunkHead.length < CHUNK_HEAD_BYTES) return { complete: false };
      const sealedBytes = chunkHead.readUInt32BE(0);
      if (sealedBytes > CHUNK_BYTES_MAX || chunkHead.readUInt32BE(4) !== number) {
        return { complete: false };
      }
      const isLast = chunkHead.readUInt8(8) === 1;
      const sealed = await bytesAt(file, at + CHUNK_HEAD_BYTES, sealedBytes);
      const text = openChunk(key, { head, number, isLast }, sealed);
      if (text === null) return { complete: false };
      yield readItems(text);
      if (isLast) return { complete: true };
      at += CHUNK_HEAD_BYTES + sealedBytes;
    }
  } finally {
    await file.close();
  }
}

export type RecordingSummary = {
  complete: boolean;
  durationMs: number;
  frames: number;
  bytes: number;
};

/** How much of a recording there is. Throws when the file cannot be opened at all. */
export async function summarize(
  path: string,
  recordingId: string,
  key: KeyObject,
): Promise<RecordingSummary> {
  const { size: bytes } = await stat(path);
  const reading = readRecording(path, recordingId, key);
  let durationMs = 0;
  let frames = 0;
  for (;;) {
    const next = await reading.next();
    if (next.done === true) return { complete: next.value.complete, durationMs, frames, bytes };
    for (const item of next.value) {
      durationMs = Math.max(durationMs, item.atMs);
      if (item.kind === 'frame') frames += 1;
    }
  }
}

async function bytesAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await file.read(bytes, 0, length, position);
  return bytes.subarray(0, bytesRead);
}
