import { ArrivalDelay } from './arrival-delay.ts';
import { sequenceAhead, timestampAhead, type RtpPacket } from './rtp.ts';

export type JitterPop =
  | { kind: 'packet'; packet: RtpPacket }
  /** A later packet is here, this one is not: conceal it. */
  | { kind: 'lost' }
  /** Nothing to play: the sender pauses (DTX), or the buffer is filling up. */
  | { kind: 'empty' };

const TARGET_MIN = 1;
/**
 * Until the network is known, and where it loses packets: error correction needs the packet after
 * the lost one, so that one has to be waited for.
 */
const TARGET_CAREFUL = 2;
/** Packets until the network counts as known: 2 s. */
const KNOWN_PACKETS = 100;
const LOSSY_SHARE = 0.02;
/** Packets over which the share of lost ones is taken: 5 s. */
const LOSS_MEMORY = 250;
const TARGET_MAX = 12;
/** What late packets may add to what was measured. */
const EXTRA_MAX = 4;
/** Beyond this the buffer is a backlog after a stall, and is cut to its target at once. */
const PACKETS_MAX = 25;
/** Pops without a late packet before one frame less is added: 10 s. */
const CALM_POPS = 500;
const JUMP_MAX = 500;
/** The longest Opus packet is 120 ms. */
const PACKET_FRAMES_MAX = 6;
const REMEMBERED_LOSSES = 64;

/**
 * Puts packets back in order and hands one out per frame. Its target, in frames of 20 ms, follows
 * the measured delays (`ArrivalDelay`), with a frame more for a while after each late packet.
 * Whoever plays speeds up or slows down toward it; here only a backlog is thrown away.
 */
export class JitterBuffer {
  readonly #frameTicks: number;
  /**
   * By sequence number, the next one first. No Map: it makes itself a new table every few deletes,
   * and through the old ones V8 keeps packets that were long played for dozens of megabytes.
   */
  readonly #packets: RtpPacket[] = [];
  #delays: ArrivalDelay;
  #next: number | undefined;
  #ssrc: number | undefined;
  #newest: RtpPacket | undefined;
  #filling = true;
  #played = false;
  #waited = 0;
  #extra = 0;
  #calm = 0;
  #packetFrames = 1;
  /** Handed out as lost; one that comes after all was late, and is no duplicate. */
  readonly #lost = new Set<number>();
  #late = 0;
  #lossShare = 0;

  constructor(frameTicks = 160) {
    this.#frameTicks = frameTicks;
    this.#delays = new ArrivalDelay(frameTicks);
  }

  /** Packets waiting. */
  get depth(): number {
    return this.#packets.length;
  }

  /** Sound waiting, in frames; packets may be shorter or longer than one. */
  get depthFrames(): number {
    return this.#packets.length * this.#packetFrames;
  }

  get targetDepth(): number {
    const isKnown = this.#delays.packets >= KNOWN_PACKETS;
    const least = isKnown && this.#lossShare <= LOSSY_SHARE ? TARGET_MIN : TARGET_CAREFUL;
    const measured = Math.max(least, this.#delays.coveredFrames + 1);
    return Math.min(TARGET_MAX, measured + this.#extra);
  }

  /** Packets that came after their turn. */
  get late(): number {
    return this.#late;
  }

  /** A packet came in frame number `frame`; the frames count up by one every 20 ms. */
  push(packet: RtpPacket, frame = 0): void {
    const ahead = this.#next === undefined ? 0 : sequenceAhead(this.#next, packet.sequence);
    if (packet.ssrc !== this.#ssrc || Math.abs(ahead) > JUMP_MAX) this.#restart(packet);
    this.#delays.note(packet.timestamp, frame);
    this.#measureLength(packet);
    if (this.#next === undefined) this.#next = packet.sequence;
    else if (sequenceAhead(this.#next, packet.sequence) < 0) {
      // Before the first was played an earlier packet may still become the first.
      if (this.#played) return this.#noteOld(packet.sequence);
      this.#next = packet.sequence;
    }
    this.#insert(packet);
    if (this.#packets.length > PACKETS_MAX) this.#cutBacklog();
  }

  /** Call once per packet's length of time. */
  pop(): JitterPop {
    if (this.#next === undefined) return { kind: 'empty' };
    this.#noteCalm();
    if (this.#packets.length === 0) {
      this.#filling = true;
      this.#waited = 0;
      return { kind: 'empty' };
    }
    if (this.#filling && !this.#filledUp()) return { kind: 'empty' };
    this.#played = true;
    const sequence = this.#next;
    const packet = this.peek();
    if (packet !== undefined) this.#packets.shift();
    this.#next = (sequence + 1) & 0xffff;
    if (packet !== undefined) {
      this.#lossShare -= this.#lossShare / LOSS_MEMORY;
      return { kind: 'packet', packet };
    }
    this.#noteLost(sequence);
    return { kind: 'lost' };
  }

  /** The packet whose turn is next, where it is here: for error correction of the one before. */
  peek(): RtpPacket | undefined {
    const first = this.#packets[0];
    return first?.sequence === this.#next ? first : undefined;
  }

  /** Most packets come in order, and few wait: looked for from the end. A duplicate is dropped. */
  #insert(packet: RtpPacket): void {
    let at = this.#packets.length;
    for (; at > 0; at -= 1) {
      const ahead = sequenceAhead(this.#packets[at - 1]?.sequence ?? 0, packet.sequence);
      if (ahead === 0) return;
      if (ahead > 0) break;
    }
    if (at === this.#packets.length) this.#packets.push(packet);
    else this.#packets.splice(at, 0, packet);
  }

  #filledUp(): boolean {
    this.#waited += 1;
    // A lone packet is not kept waiting for company: DTX sends one every 400 ms.
    if (this.depthFrames < this.targetDepth && this.#waited <= this.targetDepth) return false;
    this.#filling = false;
    // The time of those still missing passed while the buffer was empty.
    while (this.#next !== undefined && this.peek() === undefined) this.#giveUpNext();
    return true;
  }

  #giveUpNext(): void {
    const sequence = this.#next ?? 0;
    this.#noteLost(sequence);
    this.#next = (sequence + 1) & 0xffff;
  }

  #restart(packet: RtpPacket): void {
    this.#packets.length = 0;
    this.#lost.clear();
    this.#delays = new ArrivalDelay(this.#frameTicks);
    this.#ssrc = packet.ssrc;
    this.#next = packet.sequence;
    this.#newest = undefined;
    this.#filling = true;
    this.#played = false;
    this.#waited = 0;
  }

  /** Two neighbours tell how long a packet is; the timestamps of a pause do not. */
  #measureLength(packet: RtpPacket): void {
    const before = this.#newest;
    if (before !== undefined && sequenceAhead(before.sequence, packet.sequence) <= 0) return;
    this.#newest = packet;
    if (before === undefined || sequenceAhead(before.sequence, packet.sequence) !== 1) return;
    const frames = timestampAhead(before.timestamp, packet.timestamp) / this.#frameTicks;
    if (frames > 0 && frames <= PACKET_FRAMES_MAX) this.#packetFrames = frames;
  }

  #noteLost(sequence: number): void {
    this.#lossShare += (1 - this.#lossShare) / LOSS_MEMORY;
    this.#lost.add(sequence);
    if (this.#lost.size <= REMEMBERED_LOSSES) return;
    const [oldest] = this.#lost;
    if (oldest !== undefined) this.#lost.delete(oldest);
  }

  /** From before what was played: late where it was given up, else a duplicate. */
  #noteOld(sequence: number): void {
    if (!this.#lost.delete(sequence)) return;
    this.#late += 1;
    this.#extra = Math.min(this.#extra + 1, EXTRA_MAX);
    this.#calm = 0;
  }

  #noteCalm(): void {
    this.#calm += 1;
    if (this.#calm < CALM_POPS) return;
    this.#calm = 0;
    this.#extra = Math.max(this.#extra - 1, 0);
  }

  #cutBacklog(): void {
    while (this.depthFrames > this.targetDepth && this.#next !== undefined) {
      if (this.peek() !== undefined) this.#packets.shift();
      this.#next = (this.#next + 1) & 0xffff;
    }
  }
}
