import { opusFrames } from './opus-packet.ts';
import { PARTIES, type RecordedCodec, type RecordedItem, type RecordedParty } from './recording.ts';

/**
 * Lays the packets of both parties out on one timeline of 20 ms, so that the channels stay in
 * step however the packets came. Within a stream the RTP timestamps say where a packet belongs,
 * for arrival jitters; arrival anchors a stream when it begins, jumps, or has drifted away. What
 * is left empty is silence: a party that is quiet, muted or away, and the time of a pause.
 */
export type Sound =
  /** 20 ms of Opus as it came. */
  | { kind: 'opus'; packet: Uint8Array }
  /** Anything else, to be decoded: another codec, or another length than 20 ms. */
  | { kind: 'coded'; codec: RecordedCodec; payload: Uint8Array };

/** Sound that begins at this sample of 48 kHz. */
export type Placed = { party: RecordedParty; at: number; sound: Sound };

export const SAMPLES_PER_MS = 48;
export const SLOT_SAMPLES = 20 * SAMPLES_PER_MS;
/** Arrival and timestamp may differ by so much: a burst after a stall, or slow drift. */
const APART_SAMPLES_MAX = 400 * SAMPLES_PER_MS;

type Stream = { codec: RecordedCodec; timestamp: number; at: number; end: number };

export class Timeline {
  readonly #streams = new Map<RecordedParty, Stream>();

  /** Where a packet belongs; null for one that lies before what was placed already. */
  place(frame: Extract<RecordedItem, { kind: 'frame' }>): Placed | null {
    const { party, codec, payload } = frame;
    const length = lengthOf(codec, payload);
    if (length === null) return null;
    const known = this.#streams.get(party);
    const at = this.#positionOf(frame, known);
    // A late or repeated packet would push all that follows out of step.
    if (known !== undefined && at < known.end - SLOT_SAMPLES / 2) return null;
    this.#streams.set(party, { codec, timestamp: frame.timestamp, at, end: at + length });
    return { party, at, sound: soundOf(codec, payload, length) };
  }

  #positionOf(
    { codec, timestamp, atMs }: Extract<RecordedItem, { kind: 'frame' }>,
    known: Stream | undefined,
  ): number {
    const arrived = atMs * SAMPLES_PER_MS;
    if (known === undefined) return arrived;
    const anchored = Math.max(arrived, known.end);
    if (known.codec !== codec) return anchored;
    const scale = codec === 'opus' ? 1 : 6;
    const expected = known.at + ((timestamp - known.timestamp) | 0) * scale;
    return Math.abs(expected - arrived) <= APART_SAMPLES_MAX ? expected : anchored;
  }
}

function lengthOf(codec: RecordedCodec, payload: Uint8Array): number | null {
  if (codec === 'opus') return opusFrames(payload)?.samples ?? null;
  return payload.length * 6;
}

function soundOf(codec: RecordedCodec, payload: Uint8Array, length: number): Sound {
  if (codec !== 'opus' || length !== SLOT_SAMPLES) return { kind: 'coded', codec, payload };
  const isRewritable = (opusFrames(payload)?.selfDelimited ?? null) !== null;
  return isRewritable ? { kind: 'opus', packet: payload } : { kind: 'coded', codec, payload };
}

/** 20 ms of both parties; null is silence. */
export type Slot<Part> = Record<RecordedParty, Part | null>;

/**
 * Gathers what falls into each 20 ms and gives the slots out in order. A party may be behind the
 * other by the wait below; more than that is lost, which the limit on memory demands.
 */
export class SlotQueue<Part> {
  readonly #slots = new Map<number, Slot<Part>>();
  #next = 0;

  /** Into the slot it begins nearest to, or the one after it where that one is taken. */
  add(party: RecordedParty, at: number, part: Part): void {
    const nearest = Math.max(this.#next, Math.round(at / SLOT_SAMPLES));
    for (const number of [nearest, nearest + 1]) {
      const slot = this.#slots.get(number) ?? { customer: null, endpoint: null };
      this.#slots.set(number, slot);
      if (slot[party] !== null) continue;
      slot[party] = part;
      return;
    }
  }

  /** All slots that lie before this sample, one by one: a long pause is many. */
  *takeUntil(sample: number): Generator<Slot<Part>> {
    while ((this.#next + 1) * SLOT_SAMPLES <= sample) {
      const slot = this.#slots.get(this.#next) ?? emptySlot<Part>();
      this.#slots.delete(this.#next);
      this.#next += 1;
      yield slot;
    }
  }
}

function emptySlot<Part>(): Slot<Part> {
  return Object.fromEntries(PARTIES.map((party) => [party, null])) as Slot<Part>;
}
