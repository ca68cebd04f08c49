import { errorText, Failure, type FailureSide, type Verdict } from '../platform/failure.ts';
import type {
  EndpointMedia,
  EndpointMediaOptions,
  MediaEvent,
  MediaLeg,
  MediaStats,
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
  open: { input: { port: number }; output: { offer: string } };
  applyAnswer: { input: { sdp: string }; output: null };
  openEndpoint: { input: { port: number; options: EndpointMediaOptions }; output: string };
  applyEndpointAnswer: { input: { sdp: string }; output: EndpointMedia };
  answerEndpointOffer: { input: { sdp: string }; output: string };
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
  | { kind: 'bridge'; handle: number }
  | { kind: 'ringMeanwhile'; handle: number }
  | { kind: 'sendDtmf'; handle: number; leg: MediaLeg; digits: string }
  /** Close everything and exit. */
  | { kind: 'shutdown' };

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
