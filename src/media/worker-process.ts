import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../platform/clock.ts';
import { Failure } from '../platform/failure.ts';
import type { MediaEvent } from './media.ts';
import {
  fromWire,
  isFromWorker,
  type RequestKind,
  type ToWorker,
  type WorkerLoad,
  type WorkerRequests,
  type WorkerSettings,
} from './worker-protocol.ts';

/**
 * Packets are garbage a moment after they came. With V8's usual 16 MB they would lie about for
 * seconds, each with its bytes outside the JavaScript heap.
 */
const YOUNG_SPACE = '--max-semi-space-size=1';
const WORKER_FILE = fileURLToPath(new URL('./media-worker-main.ts', import.meta.url));
/** A worker that does not answer for this long is stuck in native code. */
const REPLY_TIMEOUT_MS = 5000;
/** Then it may still answer: perhaps it was we who stood still, and its reply waits for us. */
const LAST_CHANCE_MS = 1000;
const START_TIMEOUT_MS = 60_000;
const EXIT_TIMEOUT_MS = 2000;
const COMPLAINT_MAX = 2000;

/** `starting` until it said ready; `draining` takes no new calls; `dead` is final. */
export type WorkerState = 'starting' | 'ready' | 'draining' | 'dead';

type Waiting = { resolve: (output: never) => void; reject: (error: Failure) => void };

/** The main process's end of one media worker. */
export class WorkerProcess {
  readonly ready: Promise<void>;
  readonly exited: Promise<void>;
  readonly handles = new Set<number>();
  load: WorkerLoad | undefined;
  state: WorkerState = 'starting';
  readonly #child: ChildProcess;
  readonly #clock: Clock;
  readonly #onEvent: (handle: number, event: MediaEvent) => void;
  readonly #onLoad: () => void;
  readonly #waiting = new Map<number, Waiting>();
  #lastRequest = 0;

  constructor(options: {
    clock: Clock;
    settings: WorkerSettings;
    onEvent: (handle: number, event: MediaEvent) => void;
    onLoad: () => void;
  }) {
    this.#clock = options.clock;
    this.#onEvent = options.onEvent;
    this.#onLoad = options.onLoad;
    this.#child = forkWorker([JSON.stringify(options.settings)], 'inherit');
    const ready = Promise.withResolvers<void>();
    this.ready = ready.promise;
    this.exited = new Promise((resolve) => {
      const ended = (): void => {
        this.state = 'dead';
        ready.reject(workerDied());
        this.#failWaiting();
        resolve();
      };
      this.#child.once('exit', ended);
      // A fork that failed has no process and no exit; any other error ends in an exit.
      this.#child.on('error', () => {
        if (this.#child.pid === undefined) ended();
        else this.kill();
      });
    });
    this.ready.catch(() => {});
    const slow = this.#clock.after(START_TIMEOUT_MS, () => this.kill());
    this.#child.on('message', (message) => {
      if (isFromWorker(message) && message.kind === 'ready') {
        slow.cancel();
        this.state = 'ready';
        ready.resolve();
      } else this.#receive(message);
    });
    void this.exited.then(() => slow.cancel());
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Asks and waits. Throws the worker's `Failure`, or one of its own when it is gone. */
  async ask<K extends RequestKind>(
    handle: number,
    ask: K,
    input: WorkerRequests[K]['input'],
  ): Promise<WorkerRequests[K]['output']> {
    if (this.state === 'dead') throw workerDied();
    this.#lastRequest += 1;
    const request = this.#lastRequest;
    const reply = new Promise<WorkerRequests[K]['output']>((resolve, reject) => {
      this.#waiting.set(request, { resolve, reject });
    });
    let stuck = this.#clock.after(REPLY_TIMEOUT_MS, () => {
      stuck = this.#clock.after(LAST_CHANCE_MS, () => this.kill());
    });
    this.tell({ kind: 'request', request, handle, ask, input } as ToWorker);
    try {
      return await reply;
    } finally {
      stuck.cancel();
      this.#waiting.delete(request);
    }
  }

  tell(message: ToWorker): void {
    // The callback takes the error of a channel that closes meanwhile; `exit` tells the rest.
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** Lets it close everything and leave; kills it if it does not. */
  async shutDown(): Promise<void> {
    this.tell({ kind: 'shutdown' });
    const timer = this.#clock.after(EXIT_TIMEOUT_MS, () => this.kill());
    await this.exited;
    timer.cancel();
  }

  #receive(message: unknown): void {
    if (!isFromWorker(message)) return;
    if (message.kind === 'event') this.#onEvent(message.handle, message.event);
    else if (message.kind === 'load') {
      this.load = message.load;
      this.#onLoad();
    } else if (message.kind === 'reply') {
      this.#waiting.get(message.request)?.resolve(message.output as never);
    } else if (message.kind === 'failed') {
      this.#waiting.get(message.request)?.reject(fromWire(message.failure));
    }
  }

  #failWaiting(): void {
    for (const { reject } of this.#waiting.values()) reject(workerDied());
    this.#waiting.clear();
  }
}

/**
 * Guard G2: lets a throw-away child make one offer with the real settings. What the engine does
 * not survive (an address that is not ours) ends that child and becomes one clear `Failure`.
 */
export async function probeEngine(
  clock: Clock,
  settings: WorkerSettings,
  port: number,
): Promise<void> {
  const child = forkWorker([JSON.stringify(settings), 'probe', String(port)], 'pipe');
  let complaint = '';
  child.stderr?.on('data', (text) => {
    complaint = `${complaint}${text}`.slice(-COMPLAINT_MAX);
  });
  const timer = clock.after(START_TIMEOUT_MS, () => child.kill('SIGKILL'));
  const code = await new Promise<number | null>((resolve) => {
    child.once('exit', resolve);
    child.once('error', () => resolve(null));
  });
  timer.cancel();
  if (code === 0) return;
  throw new Failure({
    code: 'media_engine_unusable',
    message: `The media engine cannot work with address ${settings.bindAddress}.`,
    cause: complaint.trim(),
    fix: "Set the media bind address to one of this machine's own IP addresses, or 0.0.0.0.",
    verdict: 'terminal',
    side: 'client',
  });
}

export function workerDied(): Failure {
  return new Failure({
    code: 'media_worker_died',
    message: 'The process that carried the media of this call ended.',
    fix: 'Place the call again; a new media process takes over by itself.',
    verdict: 'retryable',
    side: 'server',
  });
}

function forkWorker(args: string[], stderr: 'inherit' | 'pipe'): ChildProcess {
  const { PATH, LD_LIBRARY_PATH, TZ } = process.env;
  return fork(WORKER_FILE, args, {
    // Neither our flags nor our secrets: a worker needs none of them.
    execArgv: [YOUNG_SPACE],
    env: {
      ...(PATH === undefined ? {} : { PATH }),
      ...(LD_LIBRARY_PATH === undefined ? {} : { LD_LIBRARY_PATH }),
      ...(TZ === undefined ? {} : { TZ }),
      // glibc gives each thread of the engine and of V8 a heap of its own, and what one of them
      // frees none of the others can use.
      MALLOC_ARENA_MAX: '1',
    },
    stdio: ['ignore', 'ignore', stderr, 'ipc'],
  });
}
