import { createDecoder } from 'libopus-wasm';
import { decodeG711 } from '../media/g711.ts';
import type { RecordedCodec, RecordedItem, RecordedParty } from './recording.ts';
import {
  SAMPLES_PER_MS,
  SLOT_SAMPLES,
  SlotQueue,
  Timeline,
  type Placed,
  type Slot,
} from './timeline.ts';

/** 20 ms of one party: Opus as it came, or samples at 16 kHz where that could not be kept. */
export type Part = { kind: 'opus'; packet: Uint8Array } | { kind: 'pcm'; samples: Int16Array };

export const PCM_RATE = 16_000;
export const PCM_SLOT = PCM_RATE / 50;
const CLOCK_PER_SAMPLE = 48_000 / PCM_RATE;
/** A packet may lie this far behind the newest one, and is still put in its place. */
const SETTLE_SAMPLES = 1_000 * SAMPLES_PER_MS;
/** The longest packet Opus allows: 120 ms. */
const LONGEST_PACKET = PCM_RATE * 0.12;

type Carry = { at: number; samples: Int16Array };

/** Decodes Opus to 16 kHz; holds memory outside the JavaScript heap until `free()`. */
export type OpusReader = { decode(packet: Uint8Array): Int16Array; free(): void };

export async function openOpusReader(): Promise<OpusReader> {
  const decoder = await createDecoder({
    sampleRate: PCM_RATE,
    channels: 1,
    maxFrameSize: LONGEST_PACKET,
  });
  return {
    decode(packet) {
      try {
        return Int16Array.from(decoder.decode(packet));
      } catch {
        // What is not Opus sounds like a lost packet.
        return Int16Array.from(decoder.decodePacketLoss(PCM_SLOT));
      }
    },
    free: () => decoder.free(),
  };
}

/** Turns the items of a recording into slots of 20 ms in order, silence where there was none. */
export class Layout {
  readonly #timeline = new Timeline();
  readonly #queue = new SlotQueue<Part>();
  readonly #readers: Record<RecordedParty, OpusReader>;
  readonly #carries: Partial<Record<RecordedParty, Carry>> = {};

  constructor(readers: Record<RecordedParty, OpusReader>) {
    this.#readers = readers;
  }

  *push(items: readonly RecordedItem[]): Generator<Slot<Part>> {
    for (const item of items) {
      if (item.kind !== 'frame') continue;
      const placed = this.#timeline.place(item);
      if (placed !== null) this.#add(placed);
      yield* this.#queue.takeUntil(item.atMs * SAMPLES_PER_MS - SETTLE_SAMPLES);
    }
  }

  /** The rest, up to the end of the recording. */
  *end(durationMs: number): Generator<Slot<Part>> {
    this.#flush('customer');
    this.#flush('endpoint');
    yield* this.#queue.takeUntil(slotsOf(durationMs) * SLOT_SAMPLES);
  }

  #add({ party, at, sound }: Placed): void {
    if (sound.kind === 'opus') {
      this.#flush(party);
      this.#queue.add(party, at, sound);
      return;
    }
    const samples = this.#decode(party, sound.codec, sound.payload);
    const carry = this.#carries[party];
    const carryEnd = carry === undefined ? -Infinity : endOf(carry);
    if (Math.abs(carryEnd - at) < SLOT_SAMPLES / 2 && carry !== undefined) {
      carry.samples = Int16Array.from([...carry.samples, ...samples]);
    } else {
      this.#flush(party);
      this.#carries[party] = { at, samples };
    }
    this.#emit(party);
  }

  /** Gives out what fills whole slots. */
  #emit(party: RecordedParty): void {
    const carry = this.#carries[party];
    if (carry === undefined) return;
    while (carry.samples.length >= PCM_SLOT) {
      const samples = carry.samples.slice(0, PCM_SLOT);
      this.#queue.add(party, carry.at, { kind: 'pcm', samples });
      carry.samples = carry.samples.slice(PCM_SLOT);
      carry.at += SLOT_SAMPLES;
    }
  }

  #flush(party: RecordedParty): void {
    const carry = this.#carries[party];
    delete this.#carries[party];
    if (carry === undefined || carry.samples.length < PCM_SLOT / 2) return;
    const samples = new Int16Array(PCM_SLOT);
    samples.set(carry.samples);
    this.#queue.add(party, carry.at, { kind: 'pcm', samples });
  }

  #decode(party: RecordedParty, codec: RecordedCodec, payload: Uint8Array): Int16Array {
    if (codec === 'opus') return this.#readers[party].decode(payload);
    return doubled(decodeG711(codec, payload));
  }
}

export function slotsOf(durationMs: number): number {
  return Math.floor((durationMs * SAMPLES_PER_MS) / SLOT_SAMPLES);
}

function endOf({ at, samples }: Carry): number {
  return at + samples.length * CLOCK_PER_SAMPLE;
}

/** 8 kHz to 16 kHz: the samples, and between each two of them their middle. */
function doubled(samples: Int16Array): Int16Array {
  const twice = new Int16Array(samples.length * 2);
  for (let at = 0; at < samples.length; at += 1) {
    const here = samples[at] ?? 0;
    twice[at * 2] = here;
    twice[at * 2 + 1] = (here + (samples[at + 1] ?? here)) >> 1;
  }
  return twice;
}
