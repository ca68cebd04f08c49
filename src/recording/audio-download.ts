import { Worker } from 'node:worker_threads';
import type { AudioFormat, StoredRecording } from './audio-file.ts';

const THREAD_FILE = new URL('./audio-thread.ts', import.meta.url);

/** The pieces of an audio file, made in a thread of its own that ends with the reading. */
export async function* audioDownload(
  stored: StoredRecording,
  format: AudioFormat,
): AsyncGenerator<Uint8Array> {
  const thread = new Worker(THREAD_FILE, { workerData: { stored, format }, execArgv: [] });
  let next = Promise.withResolvers<Uint8Array | null>();
  thread.on('message', (piece: Uint8Array | null) => next.resolve(piece));
  thread.on('error', (error) => next.reject(error));
  // A thread that ends without a word has nothing more to give.
  thread.on('exit', () => next.resolve(null));
  try {
    for (;;) {
      const piece = await next.promise;
      if (piece === null) return;
      next = Promise.withResolvers();
      // A reader that goes away while the thread fails leaves nobody to tell.
      next.promise.catch(() => null);
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has none
      thread.postMessage('taken');
      yield piece;
    }
  } finally {
    await thread.terminate();
  }
}
