import { createSecretKey } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { createEncoder, Application } from 'libopus-wasm';
import { encodeG711 } from '../media/g711.ts';
import { ManualClock } from '../platform/clock.ts';
import { audioFile } from './audio-file.ts';
import { recordingDisk, type RecordingDisk } from './recording-disk.ts';
import { Recorder } from './recorder.ts';
import type { RecordingTrouble } from './recording.ts';

/** Recordings of tones, and ears that tell the tones apart, for the tests of this folder. */
export const folder = await mkdtemp(join(tmpdir(), 'askfirst-recording-'));
after(() => rm(folder, { recursive: true, force: true }));

export const KEY = Buffer.alloc(32, 7).toString('base64');
export const key = createSecretKey(Buffer.from(KEY, 'base64'));
let files = 0;

export type Told = {
  recorder: Recorder;
  clock: ManualClock;
  path: string;
  troubles: RecordingTrouble[];
};

export function begin(disk: RecordingDisk = recordingDisk): Told {
  files += 1;
  const path = join(folder, `${files}`, 'rec_1.afrec');
  const clock = new ManualClock();
  const troubles: RecordingTrouble[] = [];
  const ports = { clock, disk, onTrouble: (trouble: RecordingTrouble) => troubles.push(trouble) };
  const recorder = new Recorder(ports, {
    action: 'start',
    recordingId: 'rec_1',
    path,
    key: KEY,
    keepFreeBytes: 0,
  });
  return { recorder, clock, path, troubles };
}

/** 20 ms frames of a tone, as Opus or PCMU. */
export async function opusTone(hz: number, frames: number): Promise<Uint8Array[]> {
  const encoder = await createEncoder({
    sampleRate: 48_000,
    channels: 1,
    application: Application.Audio,
    frameSize: 960,
  });
  const packets = Array.from({ length: frames }, (_, frame) =>
    Uint8Array.from(encoder.encode(tone(hz, 48_000, frame * 960, 960))),
  );
  encoder.free();
  return packets;
}

export function ulawTone(hz: number, frames: number, samples = 160): Uint8Array[] {
  return Array.from({ length: frames }, (_, frame) =>
    encodeG711('PCMU', tone(hz, 8000, frame * samples, samples)),
  );
}

function tone(hz: number, rate: number, from: number, samples: number): Int16Array {
  return Int16Array.from({ length: samples }, (_, at) =>
    Math.round(8000 * Math.sin((2 * Math.PI * hz * (from + at)) / rate)),
  );
}

export async function fileOf(path: string, format: 'ogg' | 'wav'): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const stored = { path, recordingId: 'rec_1', key: KEY };
  for await (const piece of audioFile(stored, format)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** One channel of a 16-bit stereo WAV, from its 44th byte on. */
export function channel(wav: Buffer, index: number): Int16Array {
  const frames = (wav.length - 44) / 4;
  return Int16Array.from({ length: frames }, (_, at) => wav.readInt16LE(44 + at * 4 + index * 2));
}

/** How much of `hz` there is in these samples, 0 to about 1 (Goertzel). */
export function share(samples: Int16Array, hz: number, rate = 16_000): number {
  const turn = 2 * Math.cos((2 * Math.PI * hz) / rate);
  let [before, last, power] = [0, 0, 0];
  for (const sample of samples) {
    [before, last] = [last, sample + turn * last - before];
    power += sample * sample;
  }
  const energy = before * before + last * last - turn * before * last;
  return power === 0 ? 0 : (2 * energy) / (power * samples.length);
}

/** A call of two seconds: Opus from the customer, PCMU from the endpoint. */
export async function record(told: Told): Promise<void> {
  const customer = await opusTone(440, 100);
  const endpoint = ulawTone(1000, 100);
  for (let frame = 0; frame < 100; frame += 1) {
    told.recorder.push('customer', 'opus', customer[frame] ?? customer[0]!, frame * 960);
    told.recorder.push('endpoint', 'PCMU', endpoint[frame] ?? endpoint[0]!, frame * 160);
    told.clock.advance(20);
  }
  told.recorder.stop();
  await told.recorder.settled();
}
