import { Failure } from '../platform/failure.ts';
import type { EndpointCodec } from './media.ts';
import type { PlayableSound } from './playable-sound.ts';

/** How a sound ended, told once for each. */
export type SoundEnd = { playId: number; completed: boolean; trouble?: string };

type Entry = { playId: number; loop: boolean; sound: PlayableSound | null; next: number };

/** Sounds waiting on one leg; a script that queues more has lost its way. */
const QUEUE_MAX = 32;

/**
 * Plays sounds toward one leg, one behind the other. A loop goes round until it is stopped, or
 * until another sound waits at the end of its round, so that music can be followed by words.
 */
export class Player {
  readonly #onEnd: (end: SoundEnd) => void;
  #queue: Entry[] = [];
  /** The head has given its last frame, which is just being sent. */
  #ended = false;

  constructor(onEnd: (end: SoundEnd) => void) {
    this.#onEnd = onEnd;
  }

  /** Something is to be heard now; while a sound is still being read, it is not. */
  get active(): boolean {
    return this.#queue[0] !== undefined && this.#queue[0].sound !== null;
  }

  /** Queues a sound that is here, or that is on its way. */
  play(
    { playId, loop }: { playId: number; loop: boolean },
    sound: PlayableSound | Promise<PlayableSound>,
  ): void {
    if (this.#queue.length >= QUEUE_MAX) {
      this.#onEnd({ playId, completed: false, trouble: 'sound_queue_full' });
      return;
    }
    const entry: Entry = { playId, loop, sound: null, next: 0 };
    this.#queue.push(entry);
    if (!(sound instanceof Promise)) {
      this.#arrived(entry, sound);
      return;
    }
    sound.then(
      (loaded) => this.#arrived(entry, loaded),
      (error: unknown) => {
        const trouble = error instanceof Failure ? error.code : 'media_engine_failed';
        this.#end(entry, { completed: false, trouble });
      },
    );
  }

  /** Ends what plays and what waits. */
  stop(): void {
    for (const entry of this.#queue) this.#end(entry, { completed: false });
  }

  /** The payload of this frame; `null` where there is none yet, and the sound waits. */
  next(codec: EndpointCodec): Uint8Array | null {
    const head = this.#queue[0];
    if (head === undefined || head.sound === null) return null;
    const payload = head.sound.payload(head.next, codec);
    if (payload === null) return null;
    head.next += 1;
    if (head.next < head.sound.frames.length) return payload;
    if (head.loop && this.#queue.length === 1) head.next = 0;
    else this.#ended = true;
    return payload;
  }

  /** Call it when the frame was sent: a sound has ended when its last frame is out. */
  sent(): void {
    const head = this.#queue[0];
    if (!this.#ended || head === undefined) return;
    this.#end(head, { completed: true });
  }

  #arrived(entry: Entry, sound: PlayableSound): void {
    // It may have been stopped while it was read.
    if (!this.#queue.includes(entry)) return;
    sound.acquire();
    entry.sound = sound;
  }

  #end(entry: Entry, how: Omit<SoundEnd, 'playId'>): void {
    if (!this.#queue.includes(entry)) return;
    if (entry === this.#queue[0]) this.#ended = false;
    this.#queue = this.#queue.filter((other) => other !== entry);
    entry.sound?.release();
    this.#onEnd({ playId: entry.playId, ...how });
  }
}
