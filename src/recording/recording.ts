import type { AccountId, CallId, ContactId, Id } from '../platform/ids.ts';

/**
 * Recordings of calls: off unless a call asks for one, announced before the first sample, written
 * while the call runs as chunks that are sealed one by one, one party per channel. The key comes
 * from the contact's own, so an erasure makes every recording of a person unreadable at once. A
 * disk that is full, slow or gone ends a recording and never harms a call.
 */
export type RecordedParty = 'customer' | 'endpoint';
/** The channel of each party wherever a recording is heard: the customer is on the left. */
export const PARTIES: readonly RecordedParty[] = ['customer', 'endpoint'];

export type RecordedCodec = 'opus' | 'PCMU' | 'PCMA';

/** One packet of sound as it came, or a change of what is being recorded. */
export type RecordedItem =
  | {
      kind: 'frame';
      party: RecordedParty;
      codec: RecordedCodec;
      /** Milliseconds since the recording began, by the arrival of the packet. */
      atMs: number;
      /** The RTP timestamp in the codec's clock: 48 kHz for Opus, 8 kHz for G.711. */
      timestamp: number;
      payload: Uint8Array;
    }
  /** Between `paused` and `resumed` there is silence, so its time stays the time of the call. */
  | { kind: 'paused' | 'resumed' | 'stopped'; atMs: number };

/** What the main process tells the media process about a call's recording. */
export type RecordingOrder =
  | {
      action: 'start';
      recordingId: string;
      /** The file to make; its folder is made as well. */
      path: string;
      /** 32 bytes in base64, for this recording alone. */
      key: string;
      /** The disk keeps this much free: the database may lie on it too. */
      keepFreeBytes: number;
    }
  | { action: 'pause' | 'resume' | 'stop' };

export type RecordingTrouble =
  | 'disk_full'
  | 'disk_slow'
  | 'disk_failed'
  | 'too_long'
  | 'announcement_failed'
  | 'call_lost';

/** How far a recording is. `finished`: all of it is on disk; else the disk still works on it. */
export type RecordingFigures = {
  recordingId: string;
  finished: boolean;
  durationMs: number;
  bytes: number;
  frames: number;
  trouble: RecordingTrouble | null;
};

/**
 * A recording as it is kept. `announcing`: the people on the call are being told, and nothing is
 * recorded yet. `ready`: it can be heard, in part at least; `reason` then says what cut it short.
 * `failed`: there is nothing to hear. `deleted`: kept only as the fact that it was.
 */
export type RecordingState = 'announcing' | 'recording' | 'paused' | 'ready' | 'failed' | 'deleted';

/** Longer than any call: Meta ends one long before. Keeps a file and its figures bounded. */
export const RECORDING_MS_MAX = 12 * 60 * 60 * 1000;
export const KEY_BYTES = 32;

export type RecordingId = Id<'recording'>;

/** The row of a recording. Instants in ms. */
export type Recording = {
  id: RecordingId;
  accountId: AccountId;
  contactId: ContactId;
  callId: CallId;
  state: RecordingState;
  node: string;
  announced: Announced;
  startedAt: number | null;
  endedAt: number | null;
  durationMs: number | null;
  bytes: number | null;
  reason: string | null;
  createdAt: number;
  deletedAt: number | null;
};

/** `played`: our announcement was heard. `by_business`: the business says it told them itself. */
export type Announced = 'played' | 'by_business';

/** True while more may be recorded. */
export function isOpen({ state }: Recording): boolean {
  return state === 'announcing' || state === 'recording' || state === 'paused';
}

/** Where the sealed file of a recording lies, under the folder of recordings. */
export function recordingPath(folder: string, recording: Pick<Recording, 'accountId' | 'id'>) {
  return `${folder}/${recording.accountId}/${recording.id}.afrec`;
}
