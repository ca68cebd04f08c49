import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { test, type TestContext } from 'node:test';
import { JUNK } from '../../test/junk.ts';
import { openMetaPeer } from '../../test/meta-peer.ts';
import { until } from '../../test/real-time.ts';
import { freePort } from '../../test/sipp-peer.ts';
import { delay, systemClock } from '../platform/clock.ts';
import {
  isFromWorker,
  type FromWorker,
  type RequestKind,
  type WorkerSettings,
} from './worker-protocol.ts';

/** One media worker as a process of its own, without the pool that would replace it. */
const WORKER_FILE = fileURLToPath(new URL('./media-worker-main.ts', import.meta.url));
const SETTINGS: WorkerSettings = {
  bindAddress: '127.0.0.1',
  connectTimeoutMs: 30_000,
  silentAfterMs: 30_000,
  logLevel: 'trace',
};
/** What the worker itself has open, what is kept free, and room for some calls. */
const DESCRIPTORS = 128;
const CALLS_MAX = 100;
/** Twice, with fifteen kinds of junk: 20,010 datagrams. */
const ROUNDS = 667;

test('without 64 free descriptors a call is refused, and the worker lives on (G2)', async (t) => {
  const worker = await startWorker(t, DESCRIPTORS);
  let handle = 0;
  let refused: FromWorker | null = null;
  while (refused === null && handle < CALLS_MAX) {
    handle += 1;
    const answer = await worker.ask(handle, 'open', { port: await freePort(), sdes: null });
    if (answer.kind === 'failed') refused = answer;
  }
  assert.ok(refused?.kind === 'failed' && handle > 1, `refused at call ${handle}`);
  assert.equal(refused.failure.code, 'media_no_capacity');
  assert.match(refused.failure.fix, /ulimit -n/);
  for (let open = 1; open < handle; open += 1) await worker.ask(open, 'close', null);
  // The engine gives its descriptors back in its own time.
  await until(async () => {
    handle += 1;
    const again = await worker.ask(handle, 'open', { port: await freePort(), sdes: null });
    return again.kind === 'reply';
  });
});

test('floods of junk make the engine write nothing into the log (G9)', async (t) => {
  const worker = await startWorker(t);
  const port = await freePort();
  const opened = await worker.ask(1, 'open', { port, sdes: null });
  assert.ok(opened.kind === 'reply');
  const { offer } = opened.output as { offer: string };
  const customer = await openMetaPeer(offer);
  t.after(() => customer.close());
  const stranger = createSocket('udp4').bind(0, '127.0.0.1');
  await once(stranger, 'listening');
  t.after(() => stranger.close());
  const flood = async (rounds: number): Promise<void> => {
    for (let round = 0; round < rounds; round += 1) {
      for (const [, datagram] of JUNK) stranger.send(datagram, port, '127.0.0.1');
      // The socket's buffer is to hold what is sent, else nothing of it would be looked at.
      if (round % 4 === 3) await delay(systemClock, 1);
    }
  };
  await flood(ROUNDS);
  assert.equal((await worker.ask(1, 'applyAnswer', { sdp: customer.answer })).kind, 'reply');
  await customer.connected;
  await flood(ROUNDS);
  await until(() => customer.received.length > 2);
  assert.equal((await worker.ask(1, 'close', null)).kind, 'reply');
  assert.equal(worker.written(), '');
});

async function startWorker(t: TestContext, descriptors?: number) {
  const limit = descriptors === undefined ? '' : `ulimit -n ${descriptors}; `;
  const file = `exec "$0" "$1" "$2"`;
  const child = spawn(
    'sh',
    ['-c', limit + file, process.execPath, WORKER_FILE, JSON.stringify(SETTINGS)],
    { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
  );
  const gone = once(child, 'exit');
  let written = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => (written += chunk.toString()));
  }
  t.after(async () => {
    child.kill('SIGKILL');
    await gone;
  });
  const waiting = new Map<number, (answer: FromWorker) => void>();
  const ready = Promise.withResolvers<void>();
  child.on('message', (message) => {
    if (!isFromWorker(message)) return;
    if (message.kind === 'ready') ready.resolve();
    if (message.kind === 'reply' || message.kind === 'failed') {
      waiting.get(message.request)?.(message);
    }
  });
  const died = gone.then(([code]) => Promise.reject(new Error(`it died with ${code}: ${written}`)));
  await Promise.race([ready.promise, died]);
  died.catch(() => {});
  let requests = 0;
  return {
    written: () => written,
    ask(handle: number, ask: RequestKind, input: object | null): Promise<FromWorker> {
      requests += 1;
      const { promise, resolve } = Promise.withResolvers<FromWorker>();
      waiting.set(requests, resolve);
      child.send({ kind: 'request', request: requests, handle, ask, input });
      return Promise.race([promise, died]);
    },
  };
}
