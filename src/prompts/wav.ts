import { PROMPT_LIMITS, unusablePrompt, type Pcm } from './prompts.ts';

const PCM = 1;
/** WAVE_FORMAT_EXTENSIBLE: the true format stands in the first two bytes of a GUID. */
const EXTENSIBLE = 0xfffe;
const CHUNKS_MAX = 100;

type Format = { channels: number; rate: number; bits: number };

/**
 * Reads a RIFF/WAVE file from strangers: every length is checked against what is there. Programs
 * that write to a pipe do not know the length beforehand; `openEnded` takes what has come then.
 * Throws `Failure` `prompt_unusable`.
 */
export function readWav(file: Uint8Array, options: { openEnded?: boolean } = {}): Pcm {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const wordAt = (at: number): string => Buffer.from(file.subarray(at, at + 4)).toString('latin1');
  if (file.length < 12 || wordAt(0) !== 'RIFF' || wordAt(8) !== 'WAVE') {
    throw unusablePrompt('it is no WAV file');
  }
  let format: Format | null = null;
  let at = 12;
  for (let chunk = 0; chunk < CHUNKS_MAX && at + 8 <= file.length; chunk += 1) {
    const kind = wordAt(at);
    const length = view.getUint32(at + 4, true);
    const start = at + 8;
    const isWhole = length <= file.length - start;
    if (kind === 'data') {
      if (format === null) throw unusablePrompt('its sound comes before its format');
      if (!isWhole && options.openEnded !== true) throw unusablePrompt('it is cut off');
      return readSamples(file.subarray(start, isWhole ? start + length : file.length), format);
    }
    if (!isWhole) throw unusablePrompt('a part of it is longer than the file');
    if (kind === 'fmt ') format = readFormat(view, start, length);
    // Chunks begin at even places.
    at = start + length + (length % 2);
  }
  throw unusablePrompt('it holds no sound');
}

function readFormat(view: DataView, at: number, length: number): Format {
  if (length < 16) throw unusablePrompt('its format is cut off');
  const named = view.getUint16(at, true);
  const kind = named === EXTENSIBLE && length >= 26 ? view.getUint16(at + 24, true) : named;
  const channels = view.getUint16(at + 2, true);
  const rate = view.getUint32(at + 4, true);
  const blockBytes = view.getUint16(at + 12, true);
  const bits = view.getUint16(at + 14, true);
  if (kind !== PCM) throw unusablePrompt(`its format is ${kind}, not PCM`);
  if (channels !== 1 && channels !== 2) throw unusablePrompt(`it has ${channels} channels`);
  if (rate < 8_000 || rate > 48_000) throw unusablePrompt(`its rate is ${rate} Hz`);
  if (bits !== 8 && bits !== 16 && bits !== 24) throw unusablePrompt(`it has ${bits} bits`);
  if (blockBytes !== (channels * bits) / 8) throw unusablePrompt('its format contradicts itself');
  return { channels, rate, bits };
}

/** One channel of 16 bits: the mean of two, the upper bits of 24. */
function readSamples(data: Uint8Array, { channels, rate, bits }: Format): Pcm {
  const bytes = bits / 8;
  const length = Math.floor(data.length / (bytes * channels));
  const durationMs = (length / rate) * 1_000;
  if (durationMs < PROMPT_LIMITS.durationMinMs) throw unusablePrompt('it is empty');
  if (durationMs > PROMPT_LIMITS.durationMs) throw unusablePrompt('it is longer than 3 minutes');
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const sampleAt = (at: number): number => {
    if (bytes === 1) return (view.getUint8(at) - 128) << 8;
    return view.getInt16(at + bytes - 2, true);
  };
  const samples = new Int16Array(length);
  for (let index = 0; index < length; index += 1) {
    const at = index * bytes * channels;
    samples[index] =
      channels === 1 ? sampleAt(at) : Math.round((sampleAt(at) + sampleAt(at + bytes)) / 2);
  }
  return { samples, rate };
}
