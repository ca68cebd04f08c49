import { timestampAhead } from './rtp.ts';

/** Later than this counts as this: no buffer waits so long. */
const LATEST_FRAMES = 15;
/** Share of the packets that the buffer shall be deep enough for. */
const COVERED_SHARE = 0.98;
/** Packets that the measurement remembers: 10 s. */
const MEMORY_PACKETS = 500;
/** A step this large is a new time base of the sender, not a network. */
const STEP_MAX_FRAMES = 50;

/**
 * How much later than the quickest ones packets come, in frames of 20 ms: a share for each delay,
 * with old packets fading out. The quickest is of the last 10 to 20 s, so that a clock that runs
 * away does not look like delay. Timestamps tell when a packet was due, so pauses do not count.
 */
export class ArrivalDelay {
  readonly #frameTicks: number;
  readonly #shares = new Float64Array(LATEST_FRAMES + 1);
  #packets = 0;
  #timestamp = 0;
  /** Frames since the first packet, by the sender's clock. */
  #sent = 0;
  #quickest = Number.POSITIVE_INFINITY;
  #quickestBefore = Number.POSITIVE_INFINITY;
  #last = 0;

  constructor(frameTicks: number) {
    this.#frameTicks = frameTicks;
  }

  /** Packets that were measured so far. */
  get packets(): number {
    return this.#packets;
  }

  /** A packet came in frame number `frame` of ours. */
  note(timestamp: number, frame: number): void {
    if (this.#packets > 0) {
      this.#sent += timestampAhead(this.#timestamp, timestamp) / this.#frameTicks;
    }
    this.#timestamp = timestamp;
    const delay = frame - this.#sent;
    if (Math.abs(delay - this.#last) > STEP_MAX_FRAMES) {
      this.#quickest = delay;
      this.#quickestBefore = delay;
    }
    this.#last = delay;
    if (this.#packets % MEMORY_PACKETS === 0) {
      this.#quickestBefore = this.#quickest;
      this.#quickest = delay;
    }
    this.#quickest = Math.min(this.#quickest, delay);
    this.#count(delay - Math.min(this.#quickest, this.#quickestBefore));
  }

  /** Frames by which all but the latest few packets have come. */
  get coveredFrames(): number {
    let share = 0;
    for (let frames = 0; frames <= LATEST_FRAMES; frames += 1) {
      share += this.#shares[frames] ?? 0;
      if (share >= COVERED_SHARE) return frames;
    }
    return LATEST_FRAMES;
  }

  #count(lateFrames: number): void {
    this.#packets += 1;
    const weight = 1 / Math.min(this.#packets, MEMORY_PACKETS);
    const at = Math.min(LATEST_FRAMES, Math.max(0, Math.round(lateFrames)));
    for (let frames = 0; frames <= LATEST_FRAMES; frames += 1) {
      const share = this.#shares[frames] ?? 0;
      this.#shares[frames] = share + weight * ((frames === at ? 1 : 0) - share);
    }
  }
}
