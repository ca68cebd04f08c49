import type { RecordingFigures, RecordingOrder } from '../recording/recording.ts';
import { errorText, Failure, type FailureSide, type Verdict } from '../platform/failure.ts';
import type {
  EndpointMedia,
  EndpointMediaOptions,
  ListenerMode,
  MediaEvent,
  MediaLeg,
  MediaStats,
  SdesOptions,
  Sound,
} from './media.ts';

/**
 * What the main process and a media worker say to each other over Node's IPC channel. Every
 * request is answered once, by number; events are sent as they happen. `handle` names a call for
 * the life of the plane, so a reused call id can never reach an old call.
 */
export type WorkerSettings = {
  bindAddress: string;
  connectTimeoutMs: number;
  silentAfterMs: number;
  logLevel: string;
};

/** Requests with their answers. */
export type WorkerRequests = {
  open: { input: { port: number; sdes: SdesOptions | null }; output: { offer: string } };
  applyAnswer: { input: { sdp: string }; output: null };
  openEndpoint: {
    input: { legId: string; port: number; options: EndpointMediaOptions };
    output: string;
  };
  applyEndpointAnswer: { input: { legId: string; sdp: string }; output: EndpointMedia };
  answerEndpointOffer: { input: { legId: string; sdp: string }; output: string };
  closeEndpoint: { input: { legId: string }; output: null };
  record: { input: { order: RecordingOrder }; output: RecordingFigures | null };
  stats: { input: null; output: MediaStats };
  close: { input: null; output: MediaStats };
};
export type RequestKind = keyof WorkerRequests;

export type ToWorker =
  | {
      [K in RequestKind]: {
        kind: 'request';
        request: number;
        handle: number;
        ask: K;
        input: WorkerRequests[K]['input'];
      };
    }[RequestKind]
  | { kind: 'order'; handle: number; order: CallOrder }
  /** Close everything and exit. */
  | { kind: 'shutdown' };

/** Which leg: of several endpoints the bridged one where no `legId` is given. */
export type LegName = { leg: MediaLeg; legId?: string };

/** What a call is told to do; nothing is answered, a dead worker surfaces by itself. */
export type CallOrder =
  | { do: 'bridge' }
  | { do: 'ringMeanwhile' }
  | { do: 'hold'; sound: Sound }
  | { do: 'resume' }
  | { do: 'useEndpoint'; legId: string }
  | { do: 'addListener'; legId: string; mode: ListenerMode }
  | { do: 'removeListener'; legId: string }
  | ({ do: 'setMuted'; muted: boolean } & LegName)
  | ({ do: 'play'; playId: number; sound: Sound; loop: boolean; interrupt: boolean } & LegName)
  | ({ do: 'stopPlaying' } & LegName)
  | ({ do: 'sendDtmf'; digits: string } & LegName);

export type FromWorker =
  | { kind: 'ready' }
  | { kind: 'reply'; request: number; output: WorkerRequests[RequestKind]['output'] }
  | { kind: 'failed'; request: number; failure: WireFailure }
  | { kind: 'event'; handle: number; event: MediaEvent }
  | { kind: 'load'; load: WorkerLoad };

export type WorkerLoad = {
  /** How late the 20 ms frames ran in the last second: the mean, in milliseconds. */
  frameLatenessMs: number;
  rssBytes: number;
  /** Resident memory when the worker became ready. */
  startRssBytes: number;
  callsOpened: number;
};

export type WireFailure = {
  code: string;
  message: string;
  fix: string;
  verdict: Verdict;
  side: FailureSide;
};

/** A failure in a form that survives the channel. Anything unforeseen is the engine's. */
export function toWire(error: unknown): WireFailure {
  if (error instanceof Failure) {
    const { code, message, fix, verdict, side } = error;
    return { code, message, fix, verdict, side };
  }
  return {
    code: 'media_engine_failed',
    message: `The media engine failed: ${errorText(error)}.`,
    fix: 'Place the call again; if it happens again, look at the media worker in the log.',
    verdict: 'retryable',
    side: 'server',
  };
}

export function fromWire(wire: WireFailure): Failure {
  return new Failure(wire);
}

export function isToWorker(message: unknown): message is ToWorker {
  return typeof message === 'object' && message !== null && 'kind' in message;
}

export function isFromWorker(message: unknown): message is FromWorker {
  return typeof message === 'object' && message !== null && 'kind' in message;
}
