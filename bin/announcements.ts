import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Application, Signal, createEncoder } from 'libopus-wasm';

/**
 * `node bin/announcements.ts`: speaks the announcements of recordings anew, with espeak-ng
 * (`apt-get install espeak-ng`), and writes them as 20 ms Opus frames into one file.
 */
const TEXTS: Readonly<Record<string, string>> = {
  de: 'Dieses Gespräch wird aufgezeichnet. Wenn Sie das nicht möchten, sagen Sie es bitte jetzt.',
  en: 'This call is being recorded. If you do not want that, please say so now.',
  es: 'Esta llamada se está grabando. Si no lo desea, dígalo ahora, por favor.',
  fr: 'Cet appel est enregistré. Si vous ne le souhaitez pas, veuillez le dire maintenant.',
  hi: 'यह कॉल रिकॉर्ड की जा रही है। यदि आप ऐसा नहीं चाहते, तो कृपया अभी बताएँ।',
  id: 'Panggilan ini direkam. Jika Anda tidak menginginkannya, silakan katakan sekarang.',
  it: 'Questa chiamata viene registrata. Se non lo desidera, lo dica ora, per favore.',
  nl: 'Dit gesprek wordt opgenomen. Als u dat niet wilt, zeg het dan nu.',
  pt: 'Esta chamada está sendo gravada. Se não quiser, por favor diga agora.',
};
const VOICES: Readonly<Record<string, string>> = { pt: 'pt-br', en: 'en-gb' };
/** Words a minute. */
const SPEED = '150';
const FRAME_SAMPLES = 320;
const WAV_HEAD_BYTES = 44;

const spoken: Record<string, { text: string; frames: string[] }> = {};
for (const [language, text] of Object.entries(TEXTS)) {
  const frames = await framesOf(samplesOf(language, text));
  spoken[language] = { text, frames: frames.map((frame) => frame.toString('base64')) };
  console.log(`${language}: ${(frames.length / 50).toFixed(1)} s`);
}
const target = join(dirname(import.meta.dirname), 'src/recording/announcements.json');
writeFileSync(target, `${JSON.stringify(spoken, null, 1)}\n`);

/** 16 kHz mono, resampled from what the program speaks at. */
function samplesOf(language: string, text: string): Int16Array {
  const voice = VOICES[language] ?? language;
  const wav = execFileSync('espeak-ng', ['-v', voice, '-s', SPEED, '--stdout', text]);
  const rate = wav.readUInt32LE(24);
  const count = Math.floor((wav.length - WAV_HEAD_BYTES) / 2);
  const at = (index: number): number =>
    index < count ? wav.readInt16LE(WAV_HEAD_BYTES + index * 2) : 0;
  return Int16Array.from({ length: Math.floor((count * 16_000) / rate) }, (_, index) => {
    const place = (index * rate) / 16_000;
    const before = Math.floor(place);
    return Math.round(at(before) + (at(before + 1) - at(before)) * (place - before));
  });
}

async function framesOf(samples: Int16Array): Promise<Buffer[]> {
  const encoder = await createEncoder({
    sampleRate: 16_000,
    channels: 1,
    application: Application.Voip,
    signal: Signal.Voice,
    bitrate: 16_000,
    complexity: 10,
    frameSize: FRAME_SAMPLES,
  });
  const frames: Buffer[] = [];
  for (let from = 0; from < samples.length; from += FRAME_SAMPLES) {
    const frame = new Int16Array(FRAME_SAMPLES);
    frame.set(samples.subarray(from, from + FRAME_SAMPLES));
    frames.push(Buffer.from(encoder.encode(frame)));
  }
  encoder.free();
  return frames;
}
