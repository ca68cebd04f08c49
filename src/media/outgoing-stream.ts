import type { Random } from '../platform/random.ts';
import { buildRtp, sequenceAhead, timestampAhead, type RtpPacket } from './rtp.ts';

export type AudioFrame = { payloadType: number; payload: Uint8Array };

/** A forwarded source that jumps further than this (2 s, or so many packets) is mapped anew. */
const JUMP_FRAMES_MAX = 100;
const JUMP_PACKETS_MAX = 1000;
const REMEMBERED_SEQUENCES = 64;

type Mapping = { ssrc: number; sequence: number; timestamp: number; firstSequence: number };

/**
 * The one RTP stream we send on a leg. Silence made here, frames coded here, packets passed on
 * from the other leg and telephone events all leave as one SSRC with one unbroken run of
 * sequence numbers and timestamps, so the receiver never sees where one source gave way to
 * another. SRTP would also refuse a sequence number used twice.
 */
export class OutgoingStream {
  readonly ssrc: number;
  readonly frameTicks: number;
  packets = 0;
  octets = 0;
  #sequence: number;
  /** Timestamp of the next 20 ms slot. */
  #timestamp: number;
  /** Where the timestamp would be if one slot had been filled per `tick`. */
  #wall: number;
  #mapping: Mapping | undefined;
  #interrupted = true;
  #newestIn = 0;
  #seen: number[] = [];
  #first = true;

  /** `clockRate` in Hz; a frame is 20 ms of it. */
  constructor(options: { ssrc: number; clockRate: number; random: Random }) {
    this.ssrc = options.ssrc;
    this.frameTicks = options.clockRate / 50;
    // Both start at random (RFC 3550 section 5.1); below 2^15 so SRTP's roll-over guess is safe.
    this.#sequence = options.random.below(0x8000);
    this.#timestamp = options.random.below(0x1_0000_0000);
    this.#wall = this.#timestamp;
  }

  /** Time passes: call once per 20 ms, before anything else of that frame. */
  tick(): void {
    this.#wall = (this.#wall + this.frameTicks) >>> 0;
  }

  /** Timestamp the next frame will carry; the base of a telephone event that starts now. */
  get nextTimestamp(): number {
    return this.#timestamp;
  }

  /** Forwarded packets have run ahead of time, so that no frame of ours is due. */
  get isAhead(): boolean {
    return timestampAhead(this.#timestamp, this.#wall) < 0;
  }

  /** What is forwarded next comes from elsewhere, whatever its SSRC and numbers look like. */
  newSource(): void {
    this.#mapping = undefined;
  }

  /**
   * A 20 ms frame made by us. `null` while forwarded packets have already run ahead of time:
   * then a pause is the chance to let the receiver's buffer come down again.
   */
  frame(frame: AudioFrame): Buffer | null {
    const behind = timestampAhead(this.#timestamp, this.#wall);
    if (behind < 0) return null;
    if (behind > this.frameTicks) this.#timestamp = this.#wall;
    const packet = this.#write(frame, this.#sequence, this.#timestamp, this.#first);
    this.#first = false;
    this.#interrupted = true;
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.skipSlot();
    return packet;
  }

  /** A telephone event: it stands at `timestamp` and does not move the slots (RFC 4733 2.3). */
  event(event: AudioFrame & { timestamp: number; marker: boolean }): Buffer {
    const packet = this.#write(event, this.#sequence, event.timestamp, event.marker);
    this.#interrupted = true;
    this.#sequence = (this.#sequence + 1) & 0xffff;
    return packet;
  }

  /** Lets one slot pass without a frame. */
  skipSlot(): void {
    this.#timestamp = (this.#timestamp + this.frameTicks) >>> 0;
  }

  /**
   * Passes a packet of the other leg on under our numbers. Gaps and small reorderings stay as
   * they came. `null` for a duplicate, or one from before the last interruption.
   */
  forward(packet: RtpPacket, payloadType: number): Buffer | null {
    const known = this.#mapping;
    const fresh = known === undefined || this.#interrupted || this.#jumps(packet, known);
    const mapping = fresh ? this.#remap(packet) : known;
    if (sequenceAhead(mapping.firstSequence, packet.sequence) < 0) return null;
    if (this.#seen.includes(packet.sequence)) return null;
    this.#seen.push(packet.sequence);
    if (this.#seen.length > REMEMBERED_SEQUENCES) this.#seen.shift();
    return this.#pass(packet, payloadType, mapping, fresh);
  }

  #jumps(packet: RtpPacket, mapping: Mapping): boolean {
    if (packet.ssrc !== mapping.ssrc) return true;
    const packets = Math.abs(sequenceAhead(this.#newestIn, packet.sequence));
    return packets > JUMP_PACKETS_MAX || Math.abs(this.#framesAhead(packet)) > JUMP_FRAMES_MAX;
  }

  /** How far the old mapping would put this packet beyond the next slot. */
  #framesAhead(packet: RtpPacket): number {
    const natural = (packet.timestamp + (this.#mapping?.timestamp ?? 0)) >>> 0;
    return timestampAhead(this.#timestamp, natural) / this.frameTicks;
  }

  #remap(packet: RtpPacket): Mapping {
    const ahead = this.#framesAhead(packet);
    const sameSource = this.#mapping?.ssrc === packet.ssrc;
    // A source that only paused keeps its place in time, unless we filled that place already.
    const keepsTime = sameSource && ahead >= 0 && ahead <= JUMP_FRAMES_MAX;
    const mapping = {
      ssrc: packet.ssrc,
      sequence: this.#sequence - packet.sequence,
      timestamp: keepsTime ? (this.#mapping?.timestamp ?? 0) : this.#timestamp - packet.timestamp,
      firstSequence: packet.sequence,
    };
    this.#mapping = mapping;
    this.#interrupted = false;
    this.#seen = [];
    this.#newestIn = packet.sequence;
    return mapping;
  }

  #pass(packet: RtpPacket, payloadType: number, mapping: Mapping, fresh: boolean): Buffer {
    const sequence = (packet.sequence + mapping.sequence) & 0xffff;
    const timestamp = (packet.timestamp + mapping.timestamp) >>> 0;
    if (sequenceAhead(this.#newestIn, packet.sequence) >= 0) {
      this.#newestIn = packet.sequence;
      this.#sequence = (sequence + 1) & 0xffff;
      this.#timestamp = (timestamp + this.frameTicks) >>> 0;
    }
    this.#first = false;
    const frame = { payloadType, payload: packet.payload };
    return this.#write(frame, sequence, timestamp, fresh || packet.marker);
  }

  #write(frame: AudioFrame, sequence: number, timestamp: number, marker: boolean): Buffer {
    this.packets += 1;
    this.octets += frame.payload.length;
    return buildRtp({ ...frame, marker, sequence, timestamp, ssrc: this.ssrc });
  }
}
