import { readFileSync } from 'node:fs';

/** The samples of the recorded greeting: 8 kHz, mono, 16 bits, about five seconds. */
export function readGreeting(): Int16Array {
  const wav = readFileSync(new URL('./greeting.wav', import.meta.url));
  // Chunks of a RIFF file: four letters, a length, the bytes (padded to an even count).
  for (let at = 12; at + 8 <= wav.length;) {
    const length = wav.readUInt32LE(at + 4);
    if (wav.toString('latin1', at, at + 4) === 'data') {
      const count = Math.floor(Math.min(length, wav.length - at - 8) / 2);
      return Int16Array.from({ length: count }, (_, i) => wav.readInt16LE(at + 8 + 2 * i));
    }
    at += 8 + length + (length & 1);
  }
  return new Int16Array(0);
}
