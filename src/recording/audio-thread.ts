/**
 * A thread that makes one audio file, because decoding an hour takes seconds that calls and
 * requests must not wait for. It sends a piece, then waits until that one was taken.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { audioFile, type AudioFormat, type StoredRecording } from './audio-file.ts';

const { stored, format } = workerData as { stored: StoredRecording; format: AudioFormat };
const taken: Array<() => void> = [];
parentPort?.on('message', () => taken.shift()?.());

for await (const piece of audioFile(stored, format)) {
  const wait = new Promise<void>((resolve) => taken.push(resolve));
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has none
  parentPort?.postMessage(piece);
  await wait;
}
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has none
parentPort?.postMessage(null);
parentPort?.close();
