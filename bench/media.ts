import { fork, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { openMediaPlane } from '../src/media/media-plane.ts';
import { delay, systemClock } from '../src/platform/clock.ts';
import { errorText } from '../src/platform/failure.ts';
import { silentLog } from '../src/platform/log.ts';
import { systemRandom } from '../src/platform/random.ts';
import { audioPort } from '../test/rtp-peer.ts';
import { compare, tell, within, type BenchResult } from './harness.ts';
import type { LoadMode, LoadOrder, LoadReport } from './media-load.ts';
import { openRtpEngine, type Ng, type RtpEngine } from '../test/rtpengine-peer.ts';

/**
 * What a bridged call costs: DTLS-SRTP with Opus on one side, RTP on the other, 50 packets a
 * second each way on both. Our media worker and rtpengine carry the same streams of the same
 * generator, one after the other; only the processor time of the process that carries the media
 * counts. The fixed cost of a process stands in the figure of one call.
 *
 *   npm run bench -- media --seconds=2 --media-calls=1            a quick run
 *   npm run bench -- media --seconds=10 --media-calls=1,20,50,100 many minutes
 */
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 4);
const WISHED = process.env['BENCH_MEDIA_CALLS']?.split(',').map(Number);
const COUNTS: Record<LoadMode, number[]> = {
  transcoded: WISHED ?? [1, 20, 50],
  passthrough: WISHED ?? [20, 100],
};
/** Calls that are set up at a time. */
const SET_UP_TOGETHER = 5;
const CONNECT_MS = 4_000;
/**
 * One DTLS handshake in ten between the generator's engine and rtpengine hangs for good. A new
 * call has a new handshake; the figures are of calls that talk.
 */
const SET_UP_TRIES = 5;
const LOAD_ANSWER_MS = 15_000;
/** The handshakes make the packets late, and a jitter buffer remembers that for 10 s. */
const WARM_UP_MS = 12_000;
const TICKS_PER_SECOND = 100;
const PAGE_KB = 4;
const OUR_PORTS = { first: 25_000, last: 25_399 };
const ENGINE_PORTS = { first: 26_001, last: 26_999 };

type OpenCall = {
  offer: string;
  opus: number;
  /** The generator's side is there; returns our RTP port. */
  join(answer: string, endpointSdp: string): Promise<number>;
  close(): Promise<void>;
};
type Gateway = {
  pid: number;
  open(call: number, mode: LoadMode, endpointSdp: string): Promise<OpenCall>;
  close(): Promise<void>;
};
type Figures = {
  cpuPercentPerCall: number;
  kbPerCall: number;
  delayP50: number;
  delayP95: number;
  arrived: number;
};

export async function run(): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  for (const mode of ['transcoded', 'passthrough'] as const) {
    for (const count of COUNTS[mode]) {
      tell(`${mode}, ${count} at a time: our media worker`);
      const ours = await measured(await openOurs(), mode, count);
      tell(`${mode}, ${count} at a time: rtpengine`);
      const engine = await openEngine();
      const reference = engine === null ? null : await measured(engine, mode, count);
      results.push(...resultsOf(mode, count, ours, reference));
    }
  }
  return results;
}

function resultsOf(
  mode: LoadMode,
  count: number,
  ours: Figures,
  reference: Figures | null,
): BenchResult[] {
  const of = `${mode}, ${count} call${count === 1 ? '' : 's'}`;
  const beside = (figure: keyof Figures) =>
    reference === null ? {} : { reference: { name: 'rtpengine', value: reference[figure] } };
  const cpuGoal =
    mode === 'transcoded'
      ? count >= 50
        ? { goal: { ratioAtMost: 0.5 } }
        : {}
      : count >= 100
        ? { goal: { atMost: 0.5 } }
        : {};
  return [
    compare({
      name: `processor per call, ${of}`,
      value: ours.cpuPercentPerCall,
      unit: '% of a core',
      ...beside('cpuPercentPerCall'),
      ...cpuGoal,
    }),
    compare({
      name: `customer to endpoint, p95, ${of}`,
      value: ours.delayP95,
      unit: 'ms',
      ...beside('delayP95'),
      goal: { atMost: 40 },
    }),
    compare({
      name: `memory per call, ${of}`,
      value: ours.kbPerCall,
      unit: 'kB',
      ...beside('kbPerCall'),
      ...(count >= 20 ? { goal: { atMost: 600 } } : {}),
    }),
    compare({
      name: `packets that came out per packet in, ${of}`,
      value: ours.arrived,
      unit: '',
      ...beside('arrived'),
    }),
  ];
}

async function measured(gateway: Gateway, mode: LoadMode, count: number): Promise<Figures> {
  const load = await openLoad();
  const open: OpenCall[] = [];
  try {
    const before = residentKb(gateway.pid);
    for (let first = 0; first < count; first += SET_UP_TOGETHER) {
      const together = Math.min(SET_UP_TOGETHER, count - first);
      const calls = Array.from({ length: together }, (_, at) => first + at);
      open.push(...(await Promise.all(calls.map((at) => openCall(gateway, load, at, mode)))));
    }
    await delay(systemClock, WARM_UP_MS);
    const startedAt = systemClock.monotonic();
    const ticks = processorTicks(gateway.pid);
    const { delayP50, delayP95, arrived } = await load.measure(SECONDS * 1_000);
    const seconds = (systemClock.monotonic() - startedAt) / 1_000;
    const busy = (processorTicks(gateway.pid) - ticks) / TICKS_PER_SECOND;
    return {
      cpuPercentPerCall: (busy / seconds / count) * 100,
      kbPerCall: (residentKb(gateway.pid) - before) / count,
      delayP50,
      delayP95,
      arrived,
    };
  } finally {
    for (const call of open) await call.close().catch(() => undefined);
    load.close();
    await gateway.close();
  }
}

/** Each try is a call of its own number, so that nothing of the one before is in its way. */
async function openCall(
  gateway: Gateway,
  load: Load,
  at: number,
  mode: LoadMode,
): Promise<OpenCall> {
  for (let attempt = 1; ; attempt += 1) {
    const call = at * SET_UP_TRIES + attempt - 1;
    const opened = await openOne(gateway, load, call, mode).catch((error: unknown) => {
      // On a busy machine the worker takes no call for the moment; so do those who operate it.
      if (attempt === SET_UP_TRIES) throw error;
      tell(`refused: ${errorText(error)}`);
    });
    if (opened === undefined) {
      await delay(systemClock, CONNECT_MS);
      continue;
    }
    const isUp = await within(CONNECT_MS, 'a connection', load.connected(call)).then(
      () => true,
      () => false,
    );
    if (isUp) return opened;
    load.tell({ kind: 'forget', call });
    await opened.close();
    if (attempt === SET_UP_TRIES) throw new Error(`a call did not connect in ${attempt} tries`);
  }
}

async function openOne(
  gateway: Gateway,
  load: Load,
  call: number,
  mode: LoadMode,
): Promise<OpenCall> {
  const port = await load.reserve(call, mode);
  const sdp = endpointSdp(mode, port);
  const opened = await gateway.open(call, mode, sdp);
  const answer = await load.answer(call, opened.offer, opened.opus, mode);
  const target = await opened.join(answer, endpointSdp(mode, load.portOf(call)));
  load.tell({ kind: 'target', call, port: target });
  return opened;
}

function endpointSdp(mode: LoadMode, port: number): string {
  const codec = mode === 'transcoded' ? ['0', 'a=rtpmap:0 PCMU/8000'] : ['111', OPUS_LINE];
  return [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    `m=audio ${port} RTP/AVP ${codec[0]}`,
    codec[1],
    'a=ptime:20',
    '',
  ].join('\r\n');
}
const OPUS_LINE = 'a=rtpmap:111 opus/48000/2';

async function openOurs(): Promise<Gateway> {
  const plane = await openMediaPlane({
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    bindAddress: '127.0.0.1',
    portRange: OUR_PORTS,
    workers: 1,
    callsPerWorker: 200,
  });
  return {
    pid: plane.workerPids()[0] ?? 0,
    async open(call, mode) {
      const media = await plane.openCall({ callId: `bench-${call}`, onEvent: () => undefined });
      return {
        offer: media.offer,
        opus: 111,
        async join(answer, sdp) {
          await media.applyAnswer(answer);
          const codec = mode === 'transcoded' ? 'PCMU' : 'opus';
          const own = { codecs: [codec], advertisedAddress: '127.0.0.1', srtp: false } as const;
          const port = audioPort(await media.openEndpoint(own));
          await media.applyEndpointAnswer(sdp);
          media.bridge();
          return port;
        },
        close: async () => void (await media.close()),
      };
    },
    close: () => plane.close(),
  };
}

async function openEngine(): Promise<Gateway | null> {
  const engine = await openRtpEngine(ENGINE_PORTS);
  if (engine === null) {
    console.error('rtpengine is not installed: apt-get install rtpengine-daemon');
    return null;
  }
  return {
    pid: engine.pid,
    open: (call, mode, sdp) => engineCall(engine, call, mode, sdp),
    close: () => engine.close(),
  };
}

async function engineCall(
  engine: RtpEngine,
  call: number,
  mode: LoadMode,
  sdp: string,
): Promise<OpenCall> {
  const id: Ng = { 'call-id': `bench-${call}`, 'from-tag': 'endpoint' };
  const offered = await engine.ask({
    ...id,
    command: 'offer',
    sdp,
    'transport-protocol': 'UDP/TLS/RTP/SAVPF',
    ICE: 'force',
    DTLS: 'passive',
    SDES: ['off'],
    'rtcp-mux': ['offer', 'require'],
    replace: ['origin', 'session-connection'],
    flags: ['generate-mid'],
    ...(mode === 'transcoded' ? { codec: { transcode: ['opus'], mask: ['PCMU'] } } : {}),
  });
  // The generator's parser wants an address there, which RFC 3605 leaves out.
  const offer = sdpIn(offered).replace(/^a=rtcp:\d+\r\n/gm, '');
  const opus = Number(/^a=rtpmap:(\d+) opus/m.exec(offer)?.[1] ?? Number.NaN);
  if (Number.isNaN(opus)) throw new Error(`rtpengine offers no Opus: ${JSON.stringify(offered)}`);
  return {
    offer,
    opus,
    async join(answer) {
      const answered = await engine.ask({
        ...id,
        command: 'answer',
        'to-tag': 'customer',
        sdp: answer,
        'transport-protocol': 'RTP/AVP',
        ICE: 'remove',
        'rtcp-mux': ['demux'],
        replace: ['origin', 'session-connection'],
      });
      return audioPort(sdpIn(answered));
    },
    close: async () => void (await engine.ask({ ...id, command: 'delete' })),
  };
}

/** What rtpengine answered; empty where it refused. */
function sdpIn(answer: Record<string, unknown>): string {
  return typeof answer['sdp'] === 'string' ? answer['sdp'] : '';
}

type Load = Awaited<ReturnType<typeof openLoad>>;

async function openLoad() {
  const child: ChildProcess = fork(join(import.meta.dirname, 'media-load.ts'), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const listeners = new Set<(report: LoadReport) => void>();
  child.on('message', (report: LoadReport) => {
    for (const listener of listeners) listener(report);
  });
  const next = <K extends LoadReport['kind']>(kind: K, call?: number) => {
    const report = new Promise<Extract<LoadReport, { kind: K }>>((resolve) => {
      const listener = (report: LoadReport): void => {
        if (report.kind !== kind) return;
        if (call !== undefined && 'call' in report && report.call !== call) return;
        listeners.delete(listener);
        resolve(report as Extract<LoadReport, { kind: K }>);
      };
      listeners.add(listener);
    });
    return within(LOAD_ANSWER_MS + SECONDS * 1_000, `"${kind}" of the load`, report);
  };
  const give = (order: LoadOrder): void => void child.send(order);
  const connections = new Map<number, Promise<unknown>>();
  const ports = new Map<number, number>();
  await next('ready');
  return {
    tell: give,
    async reserve(call: number, mode: LoadMode): Promise<number> {
      const reserved = next('reserved', call);
      give({ kind: 'reserve', call, mode });
      const { port } = await reserved;
      ports.set(call, port);
      return port;
    },
    portOf: (call: number): number => ports.get(call) ?? 0,
    async answer(call: number, offer: string, opus: number, mode: LoadMode): Promise<string> {
      const opened = next('opened', call);
      const up = next('connected', call);
      up.catch(() => undefined);
      connections.set(call, up);
      give({ kind: 'open', call, offer, opus, mode });
      return (await opened).answer;
    },
    connected: (call: number): Promise<unknown> => connections.get(call) ?? Promise.resolve(),
    measure(ms: number) {
      const figures = next('figures');
      give({ kind: 'measure', ms });
      return figures;
    },
    close: (): void => child.disconnect(),
  };
}

/** User and system time of a process, from the 14th and 15th field of proc(5) stat. */
function processorTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

function residentKb(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE_KB;
}
