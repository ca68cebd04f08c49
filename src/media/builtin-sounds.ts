import { Application, createEncoder } from 'libopus-wasm';
import type { BuiltinSound } from './media.ts';
import { OPUS_SILENCE } from './opus-codec.ts';

/** Wideband: what WhatsApp plays at most (`maxplaybackrate=16000` in Meta's SDP). */
const SAMPLE_RATE = 16_000;
const FRAME_SAMPLES = SAMPLE_RATE / 50;
/** About -18 dBm0, between the quietest and the loudest that E.180 allows for tones. */
const TONE_AMPLITUDE = 4000;

type Wave = (seconds: number) => number;
type BuiltinFrames = Readonly<Record<BuiltinSound, readonly Uint8Array[]>>;

/**
 * The sounds that need no file, coded once per worker and then the same frames for everybody.
 * - `ringing`: 425 Hz, one second on and four off, as ITU-T E.180 recommends and most of the world
 *   does, so that nobody takes the wait for a dead line.
 * - `hold_music`: eight seconds of soft broken chords, ours, so that nobody owes a licence.
 * - `beep` and `silence`: half a second each.
 */
export async function builtinSounds(): Promise<BuiltinFrames> {
  const tone = (hz: number): Wave => {
    return (seconds) => TONE_AMPLITUDE * Math.sin(2 * Math.PI * hz * seconds);
  };
  return {
    ringing: [...(await coded(50, tone(425))), ...silence(200)],
    hold_music: await coded(MUSIC_SECONDS * 50, music),
    beep: [...(await coded(10, tone(1000))), ...silence(15)],
    silence: silence(25),
  };
}

/** C, A minor, F, G: two seconds each, eight notes up and down, in Hz. */
const CHORDS = [
  [261.63, 329.63, 392, 523.25],
  [220, 261.63, 329.63, 440],
  [174.61, 220, 261.63, 349.23],
  [196, 246.94, 293.66, 392],
] as const;
const CHORD_SECONDS = 2;
const NOTE_SECONDS = 0.25;
const NOTE_ORDER = [0, 1, 2, 3, 2, 3, 2, 1] as const;
const MUSIC_SECONDS = CHORDS.length * CHORD_SECONDS;
const NOTES = MUSIC_SECONDS / NOTE_SECONDS;
const MUSIC_AMPLITUDE = 2600;

/** Plucked notes that fade into the next ones; the end of a round fades into its beginning. */
const music: Wave = (seconds) => {
  const note = Math.floor(seconds / NOTE_SECONDS);
  let sum = 0;
  // Four notes back is as long as one is heard.
  for (let back = 0; back < 4; back += 1) {
    const sounding = (note - back + NOTES) % NOTES;
    const age = seconds - (note - back) * NOTE_SECONDS;
    sum += pluck(frequencyOf(sounding), age);
  }
  return MUSIC_AMPLITUDE * sum;
};

function frequencyOf(note: number): number {
  const notesPerChord = CHORD_SECONDS / NOTE_SECONDS;
  const chord = CHORDS[Math.floor(note / notesPerChord)] ?? CHORDS[0];
  return chord[NOTE_ORDER[note % notesPerChord] ?? 0];
}

function pluck(hz: number, age: number): number {
  const attack = Math.min(1, age / 0.012);
  const turn = 2 * Math.PI * hz * age;
  return attack * Math.exp(-4 * age) * (Math.sin(turn) + 0.3 * Math.sin(2 * turn));
}

async function coded(frames: number, wave: Wave): Promise<Uint8Array[]> {
  const encoder = await createEncoder({
    sampleRate: SAMPLE_RATE,
    channels: 1,
    application: Application.Audio,
    bitrate: 24_000,
    complexity: 5,
    frameSize: FRAME_SAMPLES,
  });
  const made = Array.from({ length: frames }, (_, frame) => {
    const samples = Int16Array.from({ length: FRAME_SAMPLES }, (_sample, at) =>
      Math.round(wave((frame * FRAME_SAMPLES + at) / SAMPLE_RATE)),
    );
    return Uint8Array.from(encoder.encode(samples));
  });
  encoder.free();
  return made;
}

function silence(frames: number): Uint8Array[] {
  return Array.from({ length: frames }, () => OPUS_SILENCE);
}
