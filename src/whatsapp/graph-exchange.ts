import type { Dispatcher } from 'undici';
import type { Clock } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import type { ResponseHeaders } from './failure-from-response.ts';

/**
 * One HTTP request and its answer, with the one fact that decides whether a dial may be tried
 * again: had the request left when it failed? undici's plain `request()` does not tell, so this
 * speaks to its dispatcher directly.
 */
export type Exchange =
  | { kind: 'answered'; status: number; headers: ResponseHeaders; bodyText: string }
  /**
   * The request never touched a connection: sending it again is safe. `unusable` when it cannot
   * be sent at all, such as a token with a line break in it.
   */
  | { kind: 'notSent'; unusable: boolean; cause: Error }
  /** It was on its way, or already there: nobody knows. */
  | { kind: 'lost'; cause: Error };

export type ExchangeRequest = {
  method: 'GET' | 'POST' | 'DELETE';
  url: URL;
  headers: Record<string, string>;
  body: string | null;
  timeoutMs: number;
};

/** A Graph answer is a few kilobytes; an endless one is cut off here. */
const ANSWER_BYTES_MAX = 1024 * 1024;

/** Sends a request; never rejects. The time-out covers the whole exchange, slow drips included. */
export async function exchange(
  dispatcher: Dispatcher,
  clock: Clock,
  request: ExchangeRequest,
): Promise<Exchange> {
  const attempt = new Attempt();
  const timer = clock.after(request.timeoutMs, () =>
    attempt.cutOff(new Error(`no answer within ${request.timeoutMs} ms`)),
  );
  try {
    dispatcher.dispatch(
      {
        origin: request.url.origin,
        path: request.url.pathname + request.url.search,
        method: request.method,
        headers: request.headers,
        body: request.body,
        // Our own clock holds the time-out, so that tests can move it.
        headersTimeout: 0,
        bodyTimeout: 0,
      },
      attempt,
    );
    return await attempt.result;
  } catch (cause) {
    return notSent(cause instanceof Error ? cause : new Error(errorText(cause)));
  } finally {
    timer.cancel();
  }
}

function notSent(cause: Error): Exchange {
  const unusable = 'code' in cause && cause.code === 'UND_ERR_INVALID_ARG';
  return { kind: 'notSent', unusable, cause };
}

class Attempt implements Dispatcher.DispatchHandler {
  readonly result: Promise<Exchange>;
  readonly #settle: (result: Exchange) => void;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #status = 0;
  #headers: ResponseHeaders = {};
  #left = false;
  #cutOff: Error | undefined;
  #controller: Dispatcher.DispatchController | undefined;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<Exchange>();
    this.result = promise;
    this.#settle = resolve;
  }

  /** Gives up; a request still waiting for a connection will not leave any more. */
  cutOff(reason: Error): void {
    this.#cutOff = reason;
    this.#controller?.abort(reason);
    this.#fail(reason);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#cutOff === undefined) this.#left = true;
    else controller.abort(this.#cutOff);
  }

  /** 1xx answers come before the real one; the last one counts. */
  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: ResponseHeaders,
  ): void {
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes <= ANSWER_BYTES_MAX) this.#chunks.push(chunk);
    else this.cutOff(new Error('the answer is larger than 1 MB'));
  }

  onResponseEnd(): void {
    this.#settle({
      kind: 'answered',
      status: this.#status,
      headers: this.#headers,
      bodyText: Buffer.concat(this.#chunks).toString('utf8'),
    });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(error);
  }

  #fail(cause: Error): void {
    this.#settle(this.#left ? { kind: 'lost', cause } : notSent(cause));
  }
}
