import type { Clock, TimerHandle } from '../../../src/platform/clock.ts';

/**
 * Server-sent events over fetch. The browser's own EventSource cannot send an Authorization
 * header, and a key in the URL would end up in logs and in the history.
 */
export type StreamMessage = { event: string; data: string };

/**
 * Cuts a text/event-stream body into messages, whatever the chunks it comes in
 * (HTML standard 9.2.6). An unfinished message stays until the rest arrives.
 */
export function makeEventParser(onMessage: (message: StreamMessage) => void) {
  let rest = '';
  let event = '';
  let data: string[] = [];
  const readLine = (line: string): void => {
    if (line === '') {
      if (data.length > 0) onMessage({ event: event || 'message', data: data.join('\n') });
      event = '';
      data = [];
      return;
    }
    const colon = line.indexOf(':');
    // A line that starts with a colon is a comment; servers send them to keep the path open.
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') event = value;
    if (field === 'data') data.push(value);
  };
  return {
    push(chunk: string): void {
      const text = rest + chunk;
      // A CR at the very end may be the first half of CRLF: it waits for the next chunk.
      const whole = text.endsWith('\r') ? text.slice(0, -1) : text;
      const lines = whole.split(/\r\n|\n|\r/);
      rest = (lines.pop() ?? '') + text.slice(whole.length);
      for (const line of lines) readLine(line);
    },
  };
}

export type FollowOptions = {
  url: string;
  headers: Record<string, string>;
  clock: Clock;
  fetch: typeof fetch;
  onMessage: (message: StreamMessage) => void;
  /** True while the stream is open, false while it is not. */
  onLive: (live: boolean) => void;
};

const BACKOFF_FIRST_MS = 500;
const BACKOFF_LAST_MS = 8_000;

/** Follows a stream for as long as the page lives; comes back by itself. Returns a stopper. */
export function followStream(options: FollowOptions): () => void {
  const abort = new AbortController();
  let timer: TimerHandle | undefined;
  let backoffMs = BACKOFF_FIRST_MS;

  const readOnce = async (): Promise<void> => {
    const answer = await options.fetch(options.url, {
      headers: { ...options.headers, accept: 'text/event-stream' },
      signal: abort.signal,
      cache: 'no-store',
    });
    if (!answer.ok || answer.body === null) throw new Error(`stream answered ${answer.status}`);
    options.onLive(true);
    backoffMs = BACKOFF_FIRST_MS;
    const parser = makeEventParser(options.onMessage);
    const decoder = new TextDecoder();
    const reader = answer.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      parser.push(decoder.decode(value, { stream: true }));
    }
  };

  const run = (): void => {
    void readOnce()
      // Whatever broke it, the answer is the same: wait, then try again.
      .catch(() => undefined)
      .then(() => {
        if (abort.signal.aborted) return;
        options.onLive(false);
        timer = options.clock.after(backoffMs, run);
        backoffMs = Math.min(backoffMs * 2, BACKOFF_LAST_MS);
      });
  };
  run();
  return () => {
    abort.abort();
    timer?.cancel();
  };
}
