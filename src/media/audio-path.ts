import { DtmfSender } from './dtmf.ts';
import { FRAME_SAMPLES, type FrameCodec } from './frame-codec.ts';
import type { EndpointCodec, Sound } from './media.ts';
import type { OutgoingStream } from './outgoing-stream.ts';
import { Player, type SoundEnd } from './player.ts';
import type { RtpPacket } from './rtp.ts';
import type { SoundLibrary } from './sound-library.ts';
import { mixVoices, type Voice } from './voice.ts';

/** Where the audio of a leg comes from. */
export type PathInput =
  | { kind: 'nothing' }
  /** Packets of this one source pass untouched. */
  | { kind: 'passthrough'; source: object }
  | { kind: 'voices'; voices: readonly Voice[]; encoder: FrameCodec };

export type PathTarget = {
  codec: EndpointCodec;
  audioPayloadType: number;
  /** One frame of silence in the target's codec. */
  silence: Uint8Array;
  /** How telephone events are written there; `null` where the peer takes none. */
  events: { payloadType: number; clockRate: number } | null;
};

export type PathOptions = {
  sounds: SoundLibrary;
  send: (packet: Buffer) => void;
  onPlayed: (end: SoundEnd) => void;
};

/** Frames without a forwarded packet before we fill in silence ourselves. */
const GRACE_FRAMES = 3;
const SILENT_FRAME = new Int16Array(FRAME_SAMPLES);
const HOLD_MUSIC: Sound = { kind: 'builtin', name: 'hold_music' };

/**
 * All that one leg is sent, made into its one stream: first digits, then a sound that plays, then
 * what it hears of the others, and while it hears nobody, music or silence, so that the target's
 * timers and firewalls always see a live stream.
 */
export class AudioPath {
  readonly player: Player;
  readonly #options: PathOptions;
  readonly #dtmf = new DtmfSender();
  /** Goes round and round while there is nothing else to hear. */
  readonly #waiting: Player;
  #waitingSound: Sound | null = null;
  #stream: OutgoingStream | undefined;
  #target: PathTarget | undefined;
  #input: PathInput = { kind: 'nothing' };
  #framesSinceForward = GRACE_FRAMES;
  #eventTimestamp = 0;

  constructor(options: PathOptions) {
    this.#options = options;
    this.player = new Player(options.onPlayed);
    this.#waiting = new Player(({ trouble }) => this.#waitingEnded(trouble));
  }

  /** Sets, or changes after a new offer and answer, where and how it is sent. */
  connect(target: PathTarget, stream: OutgoingStream): void {
    this.#target = target;
    this.#stream = stream;
    // What waits could never be sent, and would keep the line busy for ever.
    if (target.events === null) this.#dtmf.clear();
  }

  /** What is heard from now on. Another source leaves no gap and no step in the stream. */
  hear(input: PathInput): void {
    const before = this.#input;
    this.#input = input;
    if (input.kind !== 'passthrough') return;
    if (before.kind !== 'passthrough' || before.source !== input.source) this.#stream?.newSource();
  }

  /** What is heard in place of silence while nobody is heard. */
  setWaiting(sound: Sound | null): void {
    if (isSameSound(sound, this.#waitingSound)) return;
    this.#waitingSound = sound;
    this.#waiting.stop();
    this.#startWaiting(sound);
  }

  /** Queues a digit for the target; false where it takes no telephone events. */
  sendDigit(digit: string, durationMs?: number): boolean {
    if (this.#target === undefined || this.#target.events === null) return false;
    this.#dtmf.queue(digit, durationMs);
    return true;
  }

  /** An audio packet of the source that passes untouched. */
  accept(packet: RtpPacket): void {
    const target = this.#target;
    if (target === undefined || this.player.active || this.#dtmf.busy) return;
    const forwarded = this.#stream?.forward(packet, target.audioPayloadType) ?? null;
    if (forwarded === null) return;
    this.#framesSinceForward = 0;
    this.#options.send(forwarded);
  }

  /** Time passes for a leg that is sent nothing. */
  rest(): void {
    this.#stream?.tick();
  }

  /** Runs every 20 ms and sends what is due. */
  tick(): void {
    const target = this.#target;
    const stream = this.#stream;
    if (target === undefined || stream === undefined) return;
    stream.tick();
    if (this.#tickDigit(target, stream)) return;
    this.#framesSinceForward += 1;
    // Not before its time: a sound that waits for the stream loses nothing of itself.
    if (stream.isAhead) return;
    const payload = this.#nextPayload(target);
    if (payload === null) return;
    const packet = stream.frame({ payloadType: target.audioPayloadType, payload });
    if (packet !== null) this.#options.send(packet);
    this.player.sent();
  }

  /** Ends what plays. */
  close(): void {
    this.player.stop();
    this.#waitingSound = null;
    this.#waiting.stop();
  }

  #tickDigit(target: PathTarget, stream: OutgoingStream): boolean {
    if (target.events === null) return false;
    const event = this.#dtmf.next(target.events.clockRate);
    if (event === null) return false;
    if (event.starts) this.#eventTimestamp = stream.nextTimestamp;
    this.#options.send(
      stream.event({
        payloadType: target.events.payloadType,
        payload: event.payload,
        timestamp: this.#eventTimestamp,
        marker: event.starts,
      }),
    );
    stream.skipSlot();
    this.#framesSinceForward = GRACE_FRAMES;
    return true;
  }

  #nextPayload(target: PathTarget): Uint8Array | null {
    const { silence, codec } = target;
    const input = this.#input;
    if (this.player.active) return this.player.next(codec) ?? silence;
    if (input.kind === 'nothing') return this.#waiting.next(codec) ?? silence;
    if (input.kind === 'voices') {
      return input.encoder.encode(mixVoices(input.voices) ?? SILENT_FRAME);
    }
    return this.#framesSinceForward <= GRACE_FRAMES ? null : silence;
  }

  #startWaiting(sound: Sound | null): void {
    if (sound === null) return;
    this.#waiting.play({ playId: 0, loop: true }, this.#options.sounds.load(sound));
  }

  /** Music that cannot be read is replaced by ours: nobody is left waiting in silence. */
  #waitingEnded(trouble: string | undefined): void {
    if (trouble === undefined || this.#waitingSound === null) return;
    if (!isSameSound(this.#waitingSound, HOLD_MUSIC)) this.#startWaiting(HOLD_MUSIC);
  }
}

function isSameSound(a: Sound | null, b: Sound | null): boolean {
  return keyOf(a) === keyOf(b);
}

function keyOf(sound: Sound | null): string | null {
  if (sound === null) return null;
  return sound.kind === 'opus' ? `file ${sound.path}` : sound.name;
}
