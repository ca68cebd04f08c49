import { Application, Signal, createDecoder, createEncoder } from 'libopus-wasm';
import { readOggOpus, type OpusStream } from './ogg-opus.ts';
import { FRAME_SAMPLES, PROMPT_LIMITS, SOUND_RATE, unusablePrompt, type Pcm } from './prompts.ts';
import { toSoundRate } from './resample.ts';
import { readWav } from './wav.ts';

export type UploadKind = 'audio/wav' | 'audio/ogg';

/** Coding runs in the server's own process: it gives way after this many frames (about 10 ms). */
const FRAMES_AT_A_TIME = 25;
const LONGEST_PACKET_SAMPLES = 5_760;
const BITRATE = 24_000;

/**
 * An uploaded file as frames of 20 ms Opus, ready to be played. Opus is decoded and coded anew as
 * well: a packet of a stranger never reaches a customer's phone. Throws `prompt_unusable`.
 */
export async function framesOfUpload(kind: UploadKind, file: Uint8Array): Promise<Uint8Array[]> {
  if (file.length > PROMPT_LIMITS.bytes) throw unusablePrompt('it is larger than 20 MB');
  if (kind === 'audio/wav') return framesOf(readWav(file));
  return framesOf(await decoded(readOggOpus(file)));
}

/** Codes sound into frames, the last one filled up with silence. */
export async function framesOf(pcm: Pcm): Promise<Uint8Array[]> {
  const samples = toSoundRate(pcm);
  const encoder = await createEncoder({
    sampleRate: SOUND_RATE,
    channels: 1,
    application: Application.Voip,
    signal: Signal.Auto,
    bitrate: BITRATE,
    complexity: 8,
    frameSize: FRAME_SAMPLES,
  });
  const frames: Uint8Array[] = [];
  try {
    for (let at = 0; at < samples.length; at += FRAME_SAMPLES) {
      const frame = new Int16Array(FRAME_SAMPLES);
      frame.set(samples.subarray(at, at + FRAME_SAMPLES));
      // A copy: the encoder writes the next one to the same place.
      frames.push(Uint8Array.from(encoder.encode(frame)));
      if (frames.length % FRAMES_AT_A_TIME === 0) await giveWay();
    }
  } finally {
    encoder.free();
  }
  return frames;
}

/** Lets everything else of this process have its turn. */
function giveWay(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

async function decoded({ packets, preSkip }: OpusStream): Promise<Pcm> {
  const decoder = await createDecoder({
    sampleRate: SOUND_RATE,
    channels: 1,
    maxFrameSize: LONGEST_PACKET_SAMPLES,
  });
  const limit = (PROMPT_LIMITS.durationMs / 1_000) * SOUND_RATE + preSkip;
  const parts: Int16Array[] = [];
  let length = 0;
  try {
    for (const packet of packets) {
      const part = Int16Array.from(decodeOne(decoder, packet));
      length += part.length;
      if (length > limit) throw unusablePrompt('it is longer than 3 minutes');
      parts.push(part);
      if (parts.length % FRAMES_AT_A_TIME === 0) await giveWay();
    }
  } finally {
    decoder.free();
  }
  const samples = new Int16Array(length);
  let at = 0;
  for (const part of parts) {
    samples.set(part, at);
    at += part.length;
  }
  const heard = samples.subarray(preSkip);
  if (heard.length < FRAME_SAMPLES) throw unusablePrompt('it is empty');
  return { samples: heard, rate: SOUND_RATE };
}

type Decoder = Awaited<ReturnType<typeof createDecoder>>;

function decodeOne(decoder: Decoder, packet: Uint8Array): Int16Array {
  try {
    return decoder.decode(packet);
  } catch {
    throw unusablePrompt('a packet in it is no Opus');
  }
}

/** How long frames sound, in milliseconds. */
export function durationMsOf(frames: readonly Uint8Array[]): number {
  return frames.length * 20;
}
