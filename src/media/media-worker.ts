import { readdirSync, readFileSync } from 'node:fs';
import type { Clock } from '../platform/clock.ts';
import { Failure } from '../platform/failure.ts';
import type { Random } from '../platform/random.ts';
import { recordingDisk } from '../recording/recording-disk.ts';
import { CallRecording } from './call-recording.ts';
import { FrameTicker } from './frame-ticker.ts';
import { LiveCall } from './live-call.ts';
import type { MediaEvent } from './media.ts';
import { canBind } from './port-allocator.ts';
import type { SoundLibrary } from './sound-library.ts';
import {
  toWire,
  type FromWorker,
  type RequestKind,
  type ToWorker,
  type WorkerRequests,
  type WorkerSettings,
} from './worker-protocol.ts';

type Request = Extract<ToWorker, { kind: 'request' }>;
type OpenInput = WorkerRequests['open']['input'];
type Output = WorkerRequests[RequestKind]['output'];

const LOAD_EVERY_MS = 1000;
/** Guard G2: the engine aborts the process when it finds no descriptor. */
const DESCRIPTORS_KEPT_FREE = 64;

/** All calls of one worker process: answers the main process, drives the frames, reports load. */
export class MediaWorker {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #settings: WorkerSettings;
  readonly #sounds: SoundLibrary;
  readonly #send: (message: FromWorker) => void;
  readonly #calls = new Map<number, LiveCall>();
  readonly #recordings = new Map<number, CallRecording>();
  readonly #ticker: FrameTicker;
  readonly #startRssBytes = process.memoryUsage.rss();
  #opened = 0;
  #closed = false;

  constructor(options: {
    clock: Clock;
    random: Random;
    settings: WorkerSettings;
    sounds: SoundLibrary;
    send: (message: FromWorker) => void;
  }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#settings = options.settings;
    this.#sounds = options.sounds;
    this.#send = options.send;
    this.#ticker = new FrameTicker(options.clock, () => {
      for (const call of this.#calls.values()) call.tick();
    });
    this.#reportLoad();
  }

  handle(message: Exclude<ToWorker, { kind: 'shutdown' }>): void {
    if (message.kind === 'request') void this.#answer(message);
    else this.#calls.get(message.handle)?.obey(message.order);
  }

  close(): void {
    this.#closed = true;
    this.#ticker.stop();
    for (const recording of this.#recordings.values()) recording.close();
    for (const call of this.#calls.values()) call.close();
    this.#calls.clear();
  }

  async #answer(message: Request): Promise<void> {
    try {
      const output = await this.#perform(message);
      this.#send({ kind: 'reply', request: message.request, output });
    } catch (error) {
      this.#send({ kind: 'failed', request: message.request, failure: toWire(error) });
    }
  }

  async #perform(message: Request): Promise<Output> {
    if (message.ask === 'open') return this.#open(message.handle, message.input);
    const call = this.#calls.get(message.handle);
    if (call === undefined) throw unknownCall();
    switch (message.ask) {
      case 'applyAnswer':
        call.applyAnswer(message.input.sdp);
        return null;
      case 'openEndpoint':
        if (message.input.options.browser === true) refuseWithoutDescriptors();
        return call.openEndpoint(message.input.legId, message.input.port, message.input.options);
      case 'applyEndpointAnswer':
        return call.applyEndpointAnswer(message.input.legId, message.input.sdp);
      case 'answerEndpointOffer':
        return call.answerEndpointOffer(message.input.legId, message.input.sdp);
      case 'closeEndpoint':
        call.closeEndpoint(message.input.legId);
        return null;
      case 'record':
        return this.#recordings.get(message.handle)?.obey(message.input.order) ?? null;
      case 'stats':
        return call.stats();
      case 'close':
        return this.#close(message.handle, call);
    }
  }

  async #open(handle: number, input: OpenInput): Promise<{ offer: string }> {
    const { port, sdes } = input;
    refuseWithoutDescriptors();
    // Again, as close to the native bind as can be: see guard G1.
    if (!(await canBind(this.#settings.bindAddress, port))) {
      throw noCapacity(
        `UDP port ${port} was taken by another program.`,
        'Give the media plane a port range that no other program uses.',
      );
    }
    const onEvent = (event: MediaEvent): void => this.#send({ kind: 'event', handle, event });
    const recording = new CallRecording({ clock: this.#clock, disk: recordingDisk, onEvent });
    const call = new LiveCall({
      ...this.#settings,
      clock: this.#clock,
      random: this.#random,
      sounds: this.#sounds,
      port,
      sdes,
      onFrame: recording.onFrame,
      onEvent,
    });
    await call.open();
    this.#recordings.set(handle, recording);
    this.#calls.set(handle, call);
    this.#opened += 1;
    this.#ticker.start();
    return { offer: call.offer };
  }

  #close(handle: number, call: LiveCall): Output {
    this.#calls.delete(handle);
    this.#recordings.get(handle)?.close();
    this.#recordings.delete(handle);
    call.close();
    if (this.#calls.size === 0) this.#ticker.stop();
    return call.stats();
  }

  #reportLoad(): void {
    this.#clock.after(LOAD_EVERY_MS, () => {
      if (this.#closed) return;
      this.#send({
        kind: 'load',
        load: {
          frameLatenessMs: this.#ticker.takeLateness(),
          rssBytes: process.memoryUsage.rss(),
          startRssBytes: this.#startRssBytes,
          callsOpened: this.#opened,
        },
      });
      this.#reportLoad();
    });
  }
}

function refuseWithoutDescriptors(): void {
  if (descriptorsLeft() >= DESCRIPTORS_KEPT_FREE) return;
  throw noCapacity('The media worker has too few file descriptors left.', 'Raise ulimit -n.');
}

/** Free file descriptors of this process; unlimited where the system does not tell. */
function descriptorsLeft(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const limit = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
    if (limit === undefined) return Number.POSITIVE_INFINITY;
    return Number(limit) - readdirSync('/proc/self/fd').length;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

function noCapacity(message: string, fix: string): Failure {
  return new Failure({
    code: 'media_no_capacity',
    message,
    fix,
    verdict: 'retryable',
    side: 'server',
  });
}

function unknownCall(): Failure {
  return new Failure({
    code: 'media_call_closed',
    message: 'The media of this call was closed before.',
    fix: 'Do nothing more with it; the call is over.',
    verdict: 'terminal',
    side: 'client',
  });
}
