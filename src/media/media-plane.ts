import { isIP } from 'node:net';
import type { Clock } from '../platform/clock.ts';
import { Failure } from '../platform/failure.ts';
import type { Log } from '../platform/log.ts';
import type { Random } from '../platform/random.ts';
import type { MediaCall, MediaCallOptions, MediaPlane } from './media.ts';
import { noCapacity } from './media-capacity.ts';
import { PlaneCall } from './plane-call.ts';
import { PortAllocator } from './port-allocator.ts';
import { WorkerPool } from './worker-pool.ts';
import { probeEngine, WorkerProcess } from './worker-process.ts';
import type { WorkerSettings } from './worker-protocol.ts';

export type MediaPlaneOptions = {
  /** The main process's clock: time-outs of requests, port release, worker restarts. */
  clock: Clock;
  random: Random;
  log: Log;
  /** Our own IP address for all RTP sockets; `0.0.0.0` for all of IPv4. */
  bindAddress: string;
  /** UDP ports, both ends included; a bridged call takes two. */
  portRange: { first: number; last: number };
  workers: number;
  callsPerWorker: number;
  /** From Meta's answer to ICE and DTLS up. Meta completes it while the phone rings. */
  connectTimeoutMs?: number;
  /** Silence of a bridged leg until the `silent` event. */
  silentAfterMs?: number;
};

/** The embedded media plane, with what an operator or a test may ask beyond the face. */
export type EmbeddedMediaPlane = MediaPlane & {
  workerPids(): number[];
  portsInUse(): number;
};

/** Tries per call: another port or worker may do where one was lost in between. */
const OPEN_ATTEMPTS = 3;

/**
 * Starts the embedded driver: one throw-away child that proves the settings, then the workers.
 * Throws `Failure` `media_engine_unusable` or `media_no_capacity` where it cannot work here.
 */
export async function openMediaPlane(options: MediaPlaneOptions): Promise<EmbeddedMediaPlane> {
  const settings: WorkerSettings = {
    bindAddress: options.bindAddress,
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    silentAfterMs: options.silentAfterMs ?? 3000,
    logLevel: options.log.level,
  };
  const ports = new PortAllocator({
    address: options.bindAddress,
    range: options.portRange,
    clock: options.clock,
    random: options.random,
  });
  await proveSettings(options, settings, ports);
  const calls = new Map<number, PlaneCall>();
  const pool = new WorkerPool({
    ...options,
    settings,
    startWorker: (worker) => new WorkerProcess(worker),
    onEvent: (handle, event) => calls.get(handle)?.report(event),
    onDied: (handles) => {
      for (const handle of handles) {
        calls.get(handle)?.report({ kind: 'lost', cause: 'media_worker_died' });
      }
    },
  });
  try {
    await pool.start();
  } catch (error) {
    await pool.close();
    throw error;
  }
  return makePlane(options, pool, ports, calls);
}

function makePlane(
  { log }: MediaPlaneOptions,
  pool: WorkerPool<WorkerProcess>,
  ports: PortAllocator,
  calls: Map<number, PlaneCall>,
): EmbeddedMediaPlane {
  let lastHandle = 0;
  let opening = 0;

  async function openOnce(call: MediaCallOptions): Promise<MediaCall> {
    const worker = pool.pick();
    if (worker === null) throw noCapacity('Every media worker is full, overloaded or restarting.');
    lastHandle += 1;
    const handle = lastHandle;
    // Counted before the first wait, so that two callers never share the last place.
    worker.handles.add(handle);
    const port = await ports.take();
    try {
      if (port === null) throw noCapacity('No UDP port of the media range is free.');
      const sdes = call.sdes ?? null;
      const { offer } = await worker.ask(handle, 'open', { port, sdes });
      const { onEvent } = call;
      const onClosed = (): void => void calls.delete(handle);
      const opened = new PlaneCall({ handle, worker, ports, port, offer, onEvent, onClosed });
      calls.set(handle, opened);
      return opened;
    } catch (error) {
      worker.handles.delete(handle);
      if (port !== null) ports.release(port);
      throw error;
    }
  }

  async function openCall(call: MediaCallOptions): Promise<MediaCall> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await openOnce(call);
      } catch (error) {
        const again = error instanceof Failure && error.verdict === 'retryable';
        if (!again || attempt === OPEN_ATTEMPTS) throw error;
        log.debug(
          { callId: call.callId, attempt, code: error.code },
          'opening media is tried again',
        );
      }
    }
  }

  return {
    async openCall(call) {
      opening += 1;
      try {
        return await openCall(call);
      } finally {
        opening -= 1;
      }
    },
    liveCalls: () => calls.size + opening,
    workerPids: () => pool.pids(),
    portsInUse: () => ports.inUse,
    async close() {
      await Promise.all([...calls.values()].map((call) => call.close()));
      await pool.close();
    },
  };
}

async function proveSettings(
  { clock }: MediaPlaneOptions,
  settings: WorkerSettings,
  ports: PortAllocator,
): Promise<void> {
  const port = isIP(settings.bindAddress) === 0 ? null : await ports.take();
  if (port !== null) {
    await probeEngine(clock, settings, port).finally(() => ports.release(port));
    return;
  }
  throw new Failure({
    code: 'media_engine_unusable',
    message: `No UDP port of the media range could be opened at ${settings.bindAddress}.`,
    fix: 'Bind to an IP address of this machine, and give a port range no other program uses.',
    verdict: 'terminal',
    side: 'client',
  });
}
