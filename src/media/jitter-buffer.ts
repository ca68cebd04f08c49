import { sequenceAhead, type RtpPacket } from './rtp.ts';

export type JitterPop =
  | { kind: 'packet'; packet: RtpPacket }
  /** A later packet is here, this one is not: conceal it. */
  | { kind: 'lost' }
  /** Nothing to play: the sender pauses (DTX), or the buffer is filling up. */
  | { kind: 'empty' };

const DEPTH_MIN = 2;
const DEPTH_MAX = 8;
/** Beyond this the buffer is a backlog after a stall, and is cut to its target at once. */
const PACKETS_MAX = 25;
/** Pops (20 ms each) without a late packet before the target shrinks: 10 s. */
const CALM_POPS = 500;
/** Pops with more than the target buffered before one packet is left out: 1 s. */
const SLOW_POPS = 50;
const JUMP_MAX = 500;
/** Longer than any network's hiccup, shorter than the 400 ms between DTX packets. */
const PAUSE_POPS = 12;

/**
 * Puts packets back in order and hands one out per frame. The depth starts at 40 ms and adapts:
 * one frame more after an underrun caused by a late packet, one less after ten calm seconds. A
 * sender's faster clock is met by leaving out one packet per second at most.
 */
export class JitterBuffer {
  #packets = new Map<number, RtpPacket>();
  #next: number | undefined;
  #ssrc: number | undefined;
  #filling = true;
  #played = false;
  #underrunPops = 0;
  #waited = 0;
  #target = DEPTH_MIN;
  #calm = 0;
  #above = 0;

  /** Frames waiting. */
  get depth(): number {
    return this.#packets.size;
  }

  get targetDepth(): number {
    return this.#target;
  }

  push(packet: RtpPacket): void {
    const ahead = this.#next === undefined ? 0 : sequenceAhead(this.#next, packet.sequence);
    if (packet.ssrc !== this.#ssrc || Math.abs(ahead) > JUMP_MAX) this.#restart(packet);
    else if (ahead < 0) {
      // Before the first was played an earlier packet may still become the first.
      if (this.#played) return this.#noteLate();
      this.#next = packet.sequence;
    }
    // An underrun that ends this soon was a late packet; a longer one was a pause of the sender.
    if (this.#underrunPops > 0 && this.#underrunPops < PAUSE_POPS) this.#noteLate();
    this.#underrunPops = 0;
    if (this.#next === undefined) this.#next = packet.sequence;
    this.#packets.set(packet.sequence, packet);
    if (this.#packets.size > PACKETS_MAX) this.#cutBacklog();
  }

  /** Call once per frame. */
  pop(): JitterPop {
    if (this.#next === undefined) return { kind: 'empty' };
    this.#noteCalm();
    if (this.#packets.size === 0) {
      this.#underrunPops += this.#played ? 1 : 0;
      this.#filling = true;
      this.#waited = 0;
      return { kind: 'empty' };
    }
    if (this.#filling && !this.#filledUp()) return { kind: 'empty' };
    this.#played = true;
    this.#catchUp();
    const packet = this.#packets.get(this.#next);
    this.#packets.delete(this.#next);
    this.#next = (this.#next + 1) & 0xffff;
    return packet === undefined ? { kind: 'lost' } : { kind: 'packet', packet };
  }

  /** A packet that comes before its turn, for forward error correction of a lost one. */
  peek(): RtpPacket | undefined {
    return this.#next === undefined ? undefined : this.#packets.get(this.#next);
  }

  #filledUp(): boolean {
    this.#waited += 1;
    // A lone packet is not kept waiting for company: DTX sends one every 400 ms.
    if (this.#packets.size < this.#target && this.#waited <= this.#target) return false;
    this.#filling = false;
    return true;
  }

  #restart(packet: RtpPacket): void {
    this.#packets.clear();
    this.#ssrc = packet.ssrc;
    this.#next = packet.sequence;
    this.#filling = true;
    this.#played = false;
    this.#underrunPops = 0;
    this.#waited = 0;
  }

  #noteLate(): void {
    this.#target = Math.min(this.#target + 1, DEPTH_MAX);
    this.#calm = 0;
  }

  #noteCalm(): void {
    this.#calm += 1;
    if (this.#calm < CALM_POPS) return;
    this.#calm = 0;
    this.#target = Math.max(this.#target - 1, DEPTH_MIN);
  }

  #catchUp(): void {
    this.#above = this.#packets.size > this.#target + 1 ? this.#above + 1 : 0;
    if (this.#above < SLOW_POPS) return;
    this.#above = 0;
    this.#skipOne();
  }

  #cutBacklog(): void {
    while (this.#packets.size > this.#target) this.#skipOne();
  }

  #skipOne(): void {
    if (this.#next === undefined) return;
    this.#packets.delete(this.#next);
    this.#next = (this.#next + 1) & 0xffff;
  }
}
