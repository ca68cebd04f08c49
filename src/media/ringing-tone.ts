import { Application, createEncoder } from 'libopus-wasm';
import { OPUS_SILENCE } from './opus-codec.ts';

/**
 * What a customer hears between picking up and the agent's answer, so that nobody takes the wait
 * for a dead line: 425 Hz, one second on and four off, as ITU-T E.180 recommends and most of the
 * world does. Coded once per worker, then the same 250 frames for everybody.
 */
const HZ = 425;
const SAMPLE_RATE = 8000;
const FRAME_SAMPLES = SAMPLE_RATE / 50;
const ON_FRAMES = 50;
const OFF_FRAMES = 200;
/** About -18 dBm0, between the quietest and the loudest of E.180. */
const AMPLITUDE = 4000;

/** The frames of one period, 20 ms of Opus each. */
export async function ringingTone(): Promise<readonly Uint8Array[]> {
  const encoder = await createEncoder({
    sampleRate: SAMPLE_RATE,
    channels: 1,
    application: Application.Audio,
    bitrate: 24_000,
    complexity: 5,
    frameSize: FRAME_SAMPLES,
  });
  const frames: Uint8Array[] = [];
  for (let frame = 0; frame < ON_FRAMES; frame += 1) {
    const first = frame * FRAME_SAMPLES;
    const samples = Int16Array.from({ length: FRAME_SAMPLES }, (_, at) =>
      Math.round(AMPLITUDE * Math.sin((2 * Math.PI * HZ * (first + at)) / SAMPLE_RATE)),
    );
    frames.push(Uint8Array.from(encoder.encode(samples)));
  }
  encoder.free();
  return [...frames, ...Array.from({ length: OFF_FRAMES }, () => OPUS_SILENCE)];
}
