import { DtmfSender } from './dtmf.ts';
import { FRAME_SAMPLES, type FrameCodec } from './frame-codec.ts';
import type { AudioFrame, OutgoingStream } from './outgoing-stream.ts';
import { Playout } from './playout.ts';
import type { RtpPacket } from './rtp.ts';

/** How audio of one leg becomes audio of the other. */
export type Conversion =
  | { kind: 'passthrough' }
  | { kind: 'transcode'; from: FrameCodec; to: FrameCodec };

export type PathTarget = {
  audioPayloadType: number;
  /** One frame of silence in the target's codec. */
  silence: Uint8Array;
  /** How telephone events are written there; `null` where the peer takes none. */
  events: { payloadType: number; clockRate: number } | null;
};

/** Frames without a forwarded packet before we fill in silence ourselves. */
const GRACE_FRAMES = 3;
const SILENT_FRAME = new Int16Array(FRAME_SAMPLES);

/**
 * One direction of the bridge: what comes from one leg, made into the one stream of the other.
 * Closed (not bridged yet, or on hold) it sends silence, so the target's timers and firewalls
 * always see a live stream. Digits take the place of audio while they sound.
 */
export class AudioPath {
  readonly #stream: OutgoingStream;
  readonly #send: (packet: Buffer) => void;
  readonly #dtmf = new DtmfSender();
  #target: PathTarget | undefined;
  #conversion: Conversion = { kind: 'passthrough' };
  #playout: Playout | undefined;
  #open = false;
  #framesSinceForward = GRACE_FRAMES;
  #eventTimestamp = 0;
  /** Sent in place of silence while closed, round and round. */
  #waiting: readonly Uint8Array[] = [];
  #waited = 0;

  constructor(stream: OutgoingStream, send: (packet: Buffer) => void) {
    this.#stream = stream;
    this.#send = send;
  }

  /** Sets, or changes after a new offer and answer, what is sent and how it is made. */
  connect(target: PathTarget, conversion: Conversion): void {
    this.#target = target;
    this.#conversion = conversion;
    this.#playout = conversion.kind === 'transcode' ? new Playout(conversion.from) : undefined;
  }

  /** What is heard instead of silence while the path is closed; none is silence again. */
  setWaiting(frames: readonly Uint8Array[]): void {
    if (frames === this.#waiting) return;
    this.#waiting = frames;
    this.#waited = 0;
  }

  setOpen(open: boolean): void {
    // Sound from before a hold must not be heard after it.
    if (open && !this.#open && this.#conversion.kind === 'transcode') {
      this.#playout = new Playout(this.#conversion.from);
    }
    this.#open = open;
  }

  /** Queues a digit for the target; false where it takes no telephone events. */
  sendDigit(digit: string, durationMs?: number): boolean {
    if (this.#target === undefined || this.#target.events === null) return false;
    this.#dtmf.queue(digit, durationMs);
    return true;
  }

  /** An audio packet of the source leg. */
  accept(packet: RtpPacket): void {
    const target = this.#target;
    if (!this.#open || target === undefined) return;
    if (this.#playout !== undefined) {
      this.#playout.push(packet);
      return;
    }
    if (this.#dtmf.busy) return;
    const forwarded = this.#stream.forward(packet, target.audioPayloadType);
    if (forwarded === null) return;
    this.#framesSinceForward = 0;
    this.#send(forwarded);
  }

  /** Runs every 20 ms and sends what is due. */
  tick(): void {
    const target = this.#target;
    this.#stream.tick();
    if (target === undefined || this.#tickDigit(target)) return;
    const frame = this.#nextFrame(target);
    const packet = frame === null ? null : this.#stream.frame(frame);
    if (packet !== null) this.#send(packet);
  }

  #tickDigit(target: PathTarget): boolean {
    if (target.events === null) return false;
    const event = this.#dtmf.next(target.events.clockRate);
    if (event === null) return false;
    // Sound that comes meanwhile is played out and dropped, so it does not lag afterwards.
    this.#playout?.next();
    if (event.starts) this.#eventTimestamp = this.#stream.nextTimestamp;
    this.#send(
      this.#stream.event({
        payloadType: target.events.payloadType,
        payload: event.payload,
        timestamp: this.#eventTimestamp,
        marker: event.starts,
      }),
    );
    this.#stream.skipSlot();
    this.#framesSinceForward = GRACE_FRAMES;
    return true;
  }

  #waitingFrame(): Uint8Array | undefined {
    const frame = this.#waiting[this.#waited % this.#waiting.length];
    this.#waited += 1;
    return frame;
  }

  #nextFrame(target: PathTarget): AudioFrame | null {
    const payloadType = target.audioPayloadType;
    if (!this.#open) return { payloadType, payload: this.#waitingFrame() ?? target.silence };
    if (this.#conversion.kind === 'transcode') {
      const samples = this.#playout?.next() ?? SILENT_FRAME;
      return { payloadType, payload: this.#conversion.to.encode(samples) };
    }
    this.#framesSinceForward += 1;
    if (this.#framesSinceForward <= GRACE_FRAMES) return null;
    return { payloadType, payload: target.silence };
  }
}
