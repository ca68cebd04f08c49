import { createSocket, type Socket } from 'node:dgram';
import { Application, createEncoder } from 'libopus-wasm';
import { decodeG711, encodeG711 } from '../src/media/g711.ts';
import { buildRtp, isRtcp, parseRtp } from '../src/media/rtp.ts';
import { delay, systemClock as clock } from '../src/platform/clock.ts';
import { openMetaPeer, type MetaPeer } from '../test/meta-peer.ts';
import { percentile } from './harness.ts';

/**
 * Both ends of many calls, in a process of its own: a customer on WebRTC and an endpoint on RTP.
 * Each sends 20 ms frames that sound like quiet speech, with one loud frame a second, from which
 * the way through the gateway is timed: from `send` to the datagram that carries the loudness.
 */
export type LoadOrder =
  | { kind: 'reserve'; call: number; mode: LoadMode }
  | { kind: 'open'; call: number; offer: string; opus: number; mode: LoadMode }
  | { kind: 'target'; call: number; port: number }
  | { kind: 'forget'; call: number }
  | { kind: 'measure'; ms: number };
export type LoadMode = 'transcoded' | 'passthrough';
export type LoadReport =
  | { kind: 'ready' }
  | { kind: 'reserved'; call: number; port: number }
  | { kind: 'opened'; call: number; answer: string }
  | { kind: 'connected'; call: number }
  | { kind: 'figures'; delayP50: number; delayP95: number; arrived: number };

const FRAMES = 50;
const LOUD = 12_000;
const QUIET = 400;
const LOUD_MEAN = 2_500;
/** Opus at 20 kbit/s: a loud frame behind quiet ones is far longer than its neighbours. */
const GIVE_UP_MS = 500;

type Call = {
  customer: MetaPeer | null;
  socket: Socket;
  mode: LoadMode;
  target: number;
  phase: number;
  sequence: number;
  sentLoudAt: number | null;
};

const calls = new Map<number, Call>();
const opusFrames = await makeOpus();
const lawFrames = Array.from({ length: FRAMES }, (_, frame) =>
  encodeG711('PCMU', speech(frame, 8000)),
);
const delays: number[] = [];
let [sent, arrived, tick] = [0, 0, 0];

function speech(frame: number, rate: number): Int16Array {
  const amplitude = frame === 0 ? LOUD : QUIET;
  return Int16Array.from({ length: rate / 50 }, (_, at) => {
    const time = (frame * (rate / 50) + at) / rate;
    const voice = Math.sin(2 * Math.PI * 180 * time) + 0.5 * Math.sin(2 * Math.PI * 740 * time);
    return Math.round(amplitude * voice * (0.6 + 0.4 * Math.sin(2 * Math.PI * 4 * time)));
  });
}

async function makeOpus(): Promise<Uint8Array[]> {
  const encoder = await createEncoder({
    sampleRate: 48_000,
    channels: 1,
    application: Application.Voip,
    bitrate: 20_000,
    frameSize: 960,
  });
  const frames = Array.from({ length: FRAMES * 2 }, (_, frame) =>
    Uint8Array.from(encoder.encode(speech(frame % FRAMES, 48_000))),
  );
  encoder.free();
  // The second round: by then the encoder has forgotten its start.
  return frames.slice(FRAMES);
}

function report(message: LoadReport): void {
  process.send?.(message);
}

async function reserve(order: Extract<LoadOrder, { kind: 'reserve' }>): Promise<void> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => {
    socket.bind(0, '127.0.0.1', resolve);
  });
  const { mode } = order;
  const phase = order.call % FRAMES;
  const call: Call = {
    customer: null,
    socket,
    mode,
    target: 0,
    phase,
    sequence: 0,
    sentLoudAt: null,
  };
  calls.set(order.call, call);
  socket.on('message', (bytes) => heard(call, bytes));
  report({ kind: 'reserved', call: order.call, port: socket.address().port });
}

async function open(order: Extract<LoadOrder, { kind: 'open' }>): Promise<void> {
  const customer = await openMetaPeer(order.offer, 'active', order.opus);
  const call = calls.get(order.call);
  if (call !== undefined) call.customer = customer;
  void customer.connected.then(() => report({ kind: 'connected', call: order.call }));
  report({ kind: 'opened', call: order.call, answer: customer.answer });
}

function forget(id: number): void {
  const call = calls.get(id);
  calls.delete(id);
  call?.socket.close();
  void call?.customer?.close();
}

function heard(call: Call, bytes: Buffer): void {
  if (isRtcp(bytes)) return;
  const packet = parseRtp(bytes);
  if (packet === null) return;
  arrived += 1;
  const { sentLoudAt, mode } = call;
  if (sentLoudAt === null || !isLoud(mode, packet.payload)) return;
  call.sentLoudAt = null;
  const late = clock.monotonic() - sentLoudAt;
  if (late < GIVE_UP_MS) delays.push(late);
}

function isLoud(mode: LoadMode, payload: Uint8Array): boolean {
  if (mode === 'passthrough') return Buffer.from(payload).equals(opusFrames[0] ?? payload);
  const samples = decodeG711('PCMU', payload);
  return samples.reduce((sum, at) => sum + Math.abs(at), 0) / samples.length > LOUD_MEAN;
}

function sendFrame(call: Call): void {
  const frame = (tick + call.phase) % FRAMES;
  if (call.customer === null) return;
  if (frame === 0) call.sentLoudAt = clock.monotonic();
  call.customer.sendAudio(opusFrames[frame] ?? new Uint8Array(3));
  call.customer.received.length = 0;
  sent += 1;
  if (call.target === 0) return;
  const isLaw = call.mode === 'transcoded';
  const payload = (isLaw ? lawFrames : opusFrames)[frame] ?? new Uint8Array(3);
  const packet = buildRtp({
    payloadType: isLaw ? 0 : 111,
    marker: false,
    sequence: call.sequence & 0xffff,
    timestamp: (call.sequence * (isLaw ? 160 : 960)) >>> 0,
    ssrc: 77,
    payload,
  });
  call.sequence += 1;
  call.socket.send(packet, call.target, '127.0.0.1');
}

async function run(): Promise<void> {
  const startedAt = clock.monotonic();
  for (;;) {
    for (const call of calls.values()) sendFrame(call);
    tick += 1;
    await delay(clock, Math.max(0, startedAt + tick * 20 - clock.monotonic()));
  }
}

async function measure(ms: number): Promise<void> {
  delays.length = 0;
  [sent, arrived] = [0, 0];
  await delay(clock, ms);
  report({
    kind: 'figures',
    delayP50: percentile(delays, 0.5),
    delayP95: percentile(delays, 0.95),
    arrived: arrived / sent,
  });
}

process.on('message', (order: LoadOrder) => {
  if (order.kind === 'reserve') void reserve(order);
  else if (order.kind === 'open') void open(order);
  else if (order.kind === 'measure') void measure(order.ms);
  else if (order.kind === 'forget') forget(order.call);
  else {
    const call = calls.get(order.call);
    if (call !== undefined) call.target = order.port;
  }
});
process.on('disconnect', () => process.exit(0));
report({ kind: 'ready' });
await run();
