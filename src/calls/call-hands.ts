import type { MediaLeg, Sound } from '../media/media.ts';
import type { EndpointId } from '../platform/ids.ts';
import type { CallState } from './call.ts';

/**
 * What may be done with a live call from inside its gateway: by an order of the business, or by a
 * script that leads the call. Nothing here throws for what a call can do by itself: on a call
 * that is over, all of it does nothing, sounds end as not completed and endpoints fail.
 */
export type CallHands = {
  /** Plays a sound toward a leg; resolves at its end. It waits its turn unless it interrupts. */
  play(sound: Sound, options?: PlayWish): Promise<PlayEnd>;
  /** Ends what plays and waits on a leg; the customer's unless told. */
  stopPlaying(leg?: MediaLeg): void;
  /** Every key pressed on either leg, once; returns the way to stop listening. */
  onDtmf(listener: (key: PressedKey) => void): () => void;
  /**
   * Invites an endpoint and, once it has answered, makes it the one that speaks with the
   * customer; the one before is told to go. When it fails, everything stays as it was.
   */
  connectEndpoint(endpointId: EndpointId): Promise<ConnectEnd>;
  hold(): void;
  resume(): void;
  setMuted(leg: MediaLeg, muted: boolean): void;
  /** Presses keys toward a leg: 0-9, *, #, A-D. */
  sendDtmf(leg: MediaLeg, digits: string): void;
  /** Starts, pauses, resumes or ends the recording; false where there is none to be had. */
  record(order: RecordOrder): Promise<boolean>;
  /** The person said stop: takes effect, and ends the call, before this resolves. */
  optOut(): Promise<void>;
  /** Ends the call. `reason` is an end code of `end-codes.ts`. */
  hangUp(reason: string): void;
};

export type PlayWish = { leg?: MediaLeg; loop?: boolean; interrupt?: boolean };
/** `trouble` is the code of a failure: the sound could not be read. */
export type PlayEnd = { completed: boolean; trouble: string | null };
export type PressedKey = { leg: MediaLeg; digit: string; durationMs: number };
/** `reason` is an end code, such as `endpoint_busy`. */
export type ConnectEnd = { up: true } | { up: false; reason: string };
export type RecordOrder = 'start' | 'pause' | 'resume' | 'stop';

/**
 * Somebody who leads a call by its hands. The session tells it every state it has read; it acts
 * in its own time, and records what it does by itself.
 */
export type CallGuide = {
  /** True: the session invites nobody by itself; `connectEndpoint` does when the time has come. */
  readonly connects: boolean;
  onState(state: CallState): void;
  /** The call goes down: nothing more is to be done. Called once. */
  close(): void;
};

/** Who leads this call; null when nobody does. Asked at every step until somebody does. */
export type OpenGuide = (hands: CallHands, state: CallState) => CallGuide | null;
