import { createSecretKey, type KeyObject } from 'node:crypto';
import type { Clock } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import { PAYLOAD_BYTES_MAX, fileHead, sealChunk, writeItem } from './recording-file.ts';
import type { RecordingDisk, RecordingFile } from './recording-disk.ts';
import {
  RECORDING_MS_MAX,
  type RecordedCodec,
  type RecordedItem,
  type RecordedParty,
  type RecordingFigures,
  type RecordingOrder,
  type RecordingTrouble,
} from './recording.ts';

type Start = Extract<RecordingOrder, { action: 'start' }>;

export type RecorderPorts = {
  clock: Clock;
  disk: RecordingDisk;
  /** Something ended the recording before it was told to stop. Said once. */
  onTrouble: (trouble: RecordingTrouble) => void;
};

/** A chunk is sealed after this long: what a dying process can lose at most. */
const CHUNK_MS = 1_000;
const CHUNK_BYTES = 32 * 1024;
/** Sealed chunks that wait for the disk: half a minute of a call, about 0.3 MB. */
const WAITING_CHUNKS_MAX = 30;
/** Looks at the room on the disk again after so many chunks. */
const CHUNKS_PER_LOOK = 10;

/**
 * Writes one recording inside the media process. `push` is all that the sound of a call ever
 * meets: it copies a payload into memory and returns; sealing happens once a second, and writing
 * in the background. When the disk does not keep up, the recording ends and the call goes on.
 */
export class Recorder {
  readonly #ports: RecorderPorts;
  readonly #order: Start;
  readonly #key: KeyObject;
  readonly #head: Buffer;
  readonly #startedAt: number;
  readonly #waiting: Buffer[] = [];
  #items: Buffer[] = [];
  #itemBytes = 0;
  #sealedAt = 0;
  #number = 0;
  #frames = 0;
  #bytes = 0;
  #durationMs = 0;
  #paused = false;
  #ended = false;
  #trouble: RecordingTrouble | null = null;
  #writing: Promise<void>;
  #isWriting = false;
  #file: RecordingFile | null = null;
  #onDisk = false;

  constructor(ports: RecorderPorts, order: Start) {
    this.#ports = ports;
    this.#order = order;
    this.#key = createSecretKey(Buffer.from(order.key, 'base64'));
    this.#head = fileHead(order.recordingId);
    this.#startedAt = ports.clock.monotonic();
    this.#writing = this.#open();
  }

  /** A packet of sound as it came from a party. Never throws and never waits. */
  push(party: RecordedParty, codec: RecordedCodec, payload: Uint8Array, timestamp: number): void {
    if (this.#ended || this.#paused) return;
    if (payload.length === 0 || payload.length > PAYLOAD_BYTES_MAX) return;
    const atMs = this.#now();
    if (atMs > RECORDING_MS_MAX) return this.#fail('too_long');
    this.#frames += 1;
    this.#add({ kind: 'frame', party, codec, atMs, timestamp, payload });
  }

  setPaused(paused: boolean): void {
    if (this.#ended || paused === this.#paused) return;
    this.#paused = paused;
    this.#add({ kind: paused ? 'paused' : 'resumed', atMs: this.#now() });
  }

  /** Seals the rest. What is still to be written is written without anybody waiting for it. */
  stop(): void {
    if (this.#ended) return;
    this.#durationMs = this.#now();
    this.#items.push(writeItem({ kind: 'stopped', atMs: this.#durationMs }));
    this.#ended = true;
    this.#seal(true);
  }

  /** Resolves when nothing is left to write, whatever became of it. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  figures(): RecordingFigures {
    return {
      recordingId: this.#order.recordingId,
      finished: this.#onDisk,
      durationMs: this.#ended ? this.#durationMs : this.#now(),
      bytes: this.#bytes,
      frames: this.#frames,
      trouble: this.#trouble,
    };
  }

  #now(): number {
    return Math.round(this.#ports.clock.monotonic() - this.#startedAt);
  }

  #add(item: RecordedItem): void {
    const bytes = writeItem(item);
    this.#items.push(bytes);
    this.#itemBytes += bytes.length;
    const isDue = item.atMs - this.#sealedAt >= CHUNK_MS || this.#itemBytes >= CHUNK_BYTES;
    if (isDue) this.#seal(false);
  }

  #seal(isLast: boolean): void {
    if (this.#waiting.length >= WAITING_CHUNKS_MAX) return this.#fail('disk_slow');
    const place = { head: this.#head, number: this.#number, isLast };
    this.#waiting.push(sealChunk(this.#key, place, Buffer.concat(this.#items)));
    this.#number += 1;
    this.#items = [];
    this.#itemBytes = 0;
    this.#sealedAt = this.#now();
    // Until the file is open, opening it goes on with what waits.
    if (this.#file !== null && !this.#isWriting) this.#writing = this.#write(this.#file);
  }

  async #open(): Promise<void> {
    this.#isWriting = true;
    const { path, keepFreeBytes } = this.#order;
    try {
      if ((await this.#ports.disk.freeBytes(path)) < keepFreeBytes) return this.#fail('disk_full');
      this.#file = await this.#ports.disk.create(path);
      await this.#file.append(this.#head);
      await this.#write(this.#file);
    } catch (error) {
      this.#fail(troubleOf(error));
      await this.#file?.close().catch(errorText);
    }
  }

  async #write(file: RecordingFile): Promise<void> {
    this.#isWriting = true;
    try {
      for (let chunk = this.#waiting[0]; chunk !== undefined; chunk = this.#waiting[0]) {
        await file.append(chunk);
        this.#waiting.shift();
        this.#bytes += chunk.length;
        await this.#lookForRoom();
      }
      if (this.#ended) await this.#close(file);
    } catch (error) {
      this.#fail(troubleOf(error));
      await file.close().catch(errorText);
    } finally {
      this.#isWriting = false;
    }
  }

  async #close(file: RecordingFile): Promise<void> {
    await file.close();
    this.#onDisk = true;
  }

  async #lookForRoom(): Promise<void> {
    if (this.#ended || this.#number % CHUNKS_PER_LOOK !== 0) return;
    const { path, keepFreeBytes } = this.#order;
    if ((await this.#ports.disk.freeBytes(path)) < keepFreeBytes) this.#fail('disk_full');
  }

  /** Ends the recording; what is on disk until now stays readable. */
  #fail(trouble: RecordingTrouble): void {
    if (this.#trouble !== null) return;
    this.#trouble = trouble;
    if (!this.#ended) this.#durationMs = this.#now();
    this.#ended = true;
    this.#items = [];
    if (this.#file !== null && !this.#isWriting) this.#writing = this.#write(this.#file);
    this.#ports.onTrouble(trouble);
  }
}

function troubleOf(error: unknown): RecordingTrouble {
  const code = (error as NodeJS.ErrnoException | null)?.code ?? '';
  return ['ENOSPC', 'EDQUOT'].includes(code) ? 'disk_full' : 'disk_failed';
}
