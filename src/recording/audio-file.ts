import { createSecretKey } from 'node:crypto';
import { Application, Signal, createEncoder } from 'libopus-wasm';
import {
  Layout,
  PCM_RATE,
  PCM_SLOT,
  openOpusReader,
  slotsOf,
  type OpusReader,
  type Part,
} from './layout.ts';
import { OggOpusWriter } from './ogg.ts';
import { opusFrames } from './opus-packet.ts';
import { PARTIES, type RecordedParty } from './recording.ts';
import { readRecording, summarize } from './recording-reader.ts';
import { SLOT_SAMPLES, type Slot } from './timeline.ts';

/** What a recording is handed out as: two channels, the customer on the left. */
export type AudioFormat = 'ogg' | 'wav';

export type StoredRecording = {
  path: string;
  recordingId: string;
  /** 32 bytes in base64. */
  key: string;
};

/** 20 ms of silence, as any decoder takes it (RFC 6716 section 3.1). */
const OPUS_SILENCE = Uint8Array.of(0xf8, 0xff, 0xfe);
const OPUS_BITRATE = 24_000;
const WAV_HEAD_BYTES = 44;
const SAMPLE_BYTES = 2;

/**
 * A recording as an audio file, piece by piece, about a second of sound each: no copy that could
 * be read is ever on a disk. A file that was cut short gives what there is.
 */
export async function* audioFile(
  stored: StoredRecording,
  format: AudioFormat,
): AsyncGenerator<Buffer> {
  const key = createSecretKey(Buffer.from(stored.key, 'base64'));
  const { path, recordingId } = stored;
  const { durationMs } = await summarize(path, recordingId, key);
  const writer = format === 'ogg' ? await openOgg() : await openWav(slotsOf(durationMs));
  const readers = { customer: await openOpusReader(), endpoint: await openOpusReader() };
  const layout = new Layout(readers);
  try {
    yield writer.head();
    for await (const items of readRecording(path, recordingId, key)) {
      yield* piecesOf(layout.push(items), writer);
    }
    yield* piecesOf(layout.end(durationMs), writer);
    yield writer.end();
  } finally {
    for (const reader of Object.values(readers)) reader.free();
    writer.free();
  }
}

type AudioWriter = {
  head(): Buffer;
  add(slot: Slot<Part>): Buffer | null;
  end(): Buffer;
  free(): void;
};

function* piecesOf(slots: Iterable<Slot<Part>>, writer: AudioWriter): Generator<Buffer> {
  for (const slot of slots) {
    const piece = writer.add(slot);
    if (piece !== null) yield piece;
  }
}

async function openOgg(): Promise<AudioWriter> {
  const ogg = new OggOpusWriter(1);
  const encoders = { customer: await openEncoder(), endpoint: await openEncoder() };
  const packetOf = (slot: Slot<Part>, party: RecordedParty): Uint8Array => {
    const part = slot[party];
    if (part === null) return OPUS_SILENCE;
    return part.kind === 'opus' ? part.packet : encoders[party].encode(part.samples).slice();
  };
  return {
    head: () => ogg.head(),
    add(slot) {
      // All streams but the last carry their length, so that the next one can be found.
      const first = packetOf(slot, 'customer');
      const framed =
        opusFrames(first)?.selfDelimited ?? opusFrames(OPUS_SILENCE)?.selfDelimited ?? first;
      return ogg.add(Buffer.concat([framed, packetOf(slot, 'endpoint')]), SLOT_SAMPLES);
    },
    end: () => ogg.end(),
    free: () => Object.values(encoders).forEach((encoder) => encoder.free()),
  };
}

function openEncoder() {
  return createEncoder({
    sampleRate: PCM_RATE,
    channels: 1,
    application: Application.Voip,
    signal: Signal.Voice,
    bitrate: OPUS_BITRATE,
    complexity: 3,
    frameSize: PCM_SLOT,
  });
}

async function openWav(slots: number): Promise<AudioWriter> {
  const readers = { customer: await openOpusReader(), endpoint: await openOpusReader() };
  const pieceSlots = 50;
  let waiting: Buffer[] = [];
  const take = (): Buffer => {
    const piece = Buffer.concat(waiting);
    waiting = [];
    return piece;
  };
  return {
    head: () => wavHead(slots * PCM_SLOT),
    add(slot) {
      waiting.push(interleaved(PARTIES.map((party) => samplesOf(slot[party], readers[party]))));
      return waiting.length < pieceSlots ? null : take();
    },
    end: take,
    free: () => Object.values(readers).forEach((reader) => reader.free()),
  };
}

function samplesOf(part: Part | null, reader: OpusReader): Int16Array {
  if (part === null) return new Int16Array(PCM_SLOT);
  return part.kind === 'pcm' ? part.samples : reader.decode(part.packet);
}

function interleaved(channels: readonly Int16Array[]): Buffer {
  const bytes = Buffer.alloc(PCM_SLOT * channels.length * SAMPLE_BYTES);
  channels.forEach((samples, channel) => {
    for (let at = 0; at < PCM_SLOT; at += 1) {
      bytes.writeInt16LE(samples[at] ?? 0, (at * channels.length + channel) * SAMPLE_BYTES);
    }
  });
  return bytes;
}

/** RIFF WAVE, 16-bit PCM. The length is known, so players can jump and show the time. */
function wavHead(samples: number): Buffer {
  const frameBytes = PARTIES.length * SAMPLE_BYTES;
  const dataBytes = samples * frameBytes;
  const head = Buffer.alloc(WAV_HEAD_BYTES);
  head.write('RIFF', 0, 'latin1');
  head.writeUInt32LE(WAV_HEAD_BYTES - 8 + dataBytes, 4);
  head.write('WAVEfmt ', 8, 'latin1');
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(PARTIES.length, 22);
  head.writeUInt32LE(PCM_RATE, 24);
  head.writeUInt32LE(PCM_RATE * frameBytes, 28);
  head.writeUInt16LE(frameBytes, 32);
  head.writeUInt16LE(8 * SAMPLE_BYTES, 34);
  head.write('data', 36, 'latin1');
  head.writeUInt32LE(dataBytes, 40);
  return head;
}
