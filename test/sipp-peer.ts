import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { delay, systemClock } from '../src/platform/clock.ts';

/** SIPp as the endpoint: it plays a scenario of `test/sipp` once, and says whether it went so. */
type Transport = 'udp' | 'tcp';

export type SippOptions = {
  /** What stands for `[name]` in the scenario. */
  words?: Readonly<Record<string, string>>;
  /** The length of its `<pause/>`. */
  pauseMs?: number;
  /** Sends back each packet that comes to this port, `[media_port]` in its SDP. */
  echoPort?: number;
};

export function startSipp(
  scenario: string,
  transport: Transport,
  port: number,
  { words = {}, pauseMs = 100, echoPort }: SippOptions = {},
) {
  const file = join(import.meta.dirname, 'sipp', `${scenario}.xml`);
  const wanted = ['-sf', file, '-i', '127.0.0.1', '-p', `${port}`, '-m', '1', '-d', `${pauseMs}`];
  for (const [name, text] of Object.entries(words)) wanted.push('-key', name, text);
  if (echoPort !== undefined) wanted.push('-rtp_echo', '-mi', '127.0.0.1', '-mp', `${echoPort}`);
  const mode = ['-t', transport === 'udp' ? 'u1' : 't1', '-nostdin', '-timeout', '120s'];
  const child = spawn('sipp', [...wanted, ...mode], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const done = once(child, 'exit').then(([code]) => ({ code: code as number | null, output }));
  return { done, stop: () => child.kill('SIGKILL') };
}

/** A port that is free in UDP and in TCP. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const socket = createSocket('udp4');
  const isFree = await new Promise<boolean>((resolve) => {
    socket.once('error', () => resolve(false));
    socket.bind(port, '127.0.0.1', () => resolve(true));
  });
  socket.close();
  server.close();
  await once(server, 'close');
  return isFree ? port : freePort();
}

/** A refused TCP connection would fail the call, so the peer must be there first. */
export async function untilListening(transport: Transport, port: number): Promise<void> {
  const place = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000`;
  // State 0A is a TCP listener, 07 a bound UDP socket.
  const wanted = `${place} ${transport === 'tcp' ? '0A' : '07'}`;
  for (let tries = 0; tries < 3_000; tries += 1) {
    const table = await readFile(`/proc/net/${transport}`, 'utf8').catch(() => wanted);
    if (table.includes(wanted)) return;
    await delay(systemClock, 20);
  }
  throw new Error(`SIPp does not listen on ${transport} port ${port}`);
}
