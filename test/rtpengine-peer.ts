import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { programPath } from './peers.ts';
import { delay, systemClock } from '../src/platform/clock.ts';

/**
 * rtpengine as an ordinary process, told by its ng protocol: bencoded dictionaries over UDP, each
 * behind a cookie that the answer repeats. Without its kernel module, as in most containers.
 */
export type RtpEngine = {
  pid: number;
  ask(command: Ng): Promise<Record<string, unknown>>;
  close(): Promise<void>;
};
export type Ng = { [key: string]: string | readonly string[] | Ng };

const ANSWER_MS = 15_000;
const PING_MS = 1_000;
const START_TRIES = 50;

/** Null where it is not installed. */
export async function openRtpEngine(ports: {
  first: number;
  last: number;
}): Promise<RtpEngine | null> {
  const program = programPath('rtpengine');
  if (program === undefined) return null;
  const control = ports.first - 1;
  const child = spawn(
    program,
    [
      // Else it reads the machine's own settings, and opens an HTTP port.
      '--config-file=none',
      '--table=-1',
      '--interface=127.0.0.1',
      `--listen-ng=127.0.0.1:${control}`,
      `--port-min=${ports.first}`,
      `--port-max=${ports.last}`,
      '--foreground',
      '--log-stderr',
      '--log-level=2',
    ],
    { stdio: 'ignore' },
  );
  const gone = new Promise((resolve) => child.once('exit', resolve));
  const socket = createSocket('udp4');
  const waiting = new Map<string, (answer: Record<string, unknown>) => void>();
  socket.on('message', (bytes) => {
    const text = bytes.toString('latin1');
    const space = text.indexOf(' ');
    waiting.get(text.slice(0, space))?.(readBencoded(text.slice(space + 1)));
  });
  let cookies = 0;
  const ask = (command: Ng, waitMs = ANSWER_MS): Promise<Record<string, unknown>> => {
    cookies += 1;
    const cookie = `ask${cookies}`;
    const { promise, resolve, reject } = Promise.withResolvers<Record<string, unknown>>();
    const timer = systemClock.after(waitMs, () => reject(new Error('rtpengine says nothing')));
    waiting.set(cookie, resolve);
    socket.send(Buffer.from(`${cookie} ${bencoded(command)}`, 'latin1'), control, '127.0.0.1');
    return promise.finally(() => {
      timer.cancel();
      waiting.delete(cookie);
    });
  };
  for (let tries = 0; ; tries += 1) {
    await delay(systemClock, 100);
    const isUp = await ask({ command: 'ping' }, PING_MS).then(
      () => true,
      () => false,
    );
    if (isUp) break;
    if (tries > START_TRIES) throw new Error('rtpengine does not start');
  }
  return {
    pid: child.pid ?? 0,
    ask,
    async close() {
      child.kill('SIGKILL');
      await gone;
      socket.close();
    },
  };
}

function bencoded(value: string | readonly string[] | Ng): string {
  if (typeof value === 'string') return `${Buffer.byteLength(value, 'latin1')}:${value}`;
  if (isList(value)) return `l${value.map(bencoded).join('')}e`;
  const keys = Object.keys(value).toSorted();
  return `d${keys.map((key) => `${bencoded(key)}${bencoded(value[key] ?? '')}`).join('')}e`;
}

function isList(value: readonly string[] | Ng): value is readonly string[] {
  return Array.isArray(value);
}

/** The top dictionary; what is nested in it is read and kept as it comes. */
function readBencoded(text: string): Record<string, unknown> {
  let at = 0;
  const read = (): unknown => {
    const first = text[at];
    if (first === 'd') {
      const found: Record<string, unknown> = {};
      for (at += 1; text[at] !== 'e';) found[String(read())] = read();
      at += 1;
      return found;
    }
    if (first === 'l') {
      const found: unknown[] = [];
      for (at += 1; text[at] !== 'e';) found.push(read());
      at += 1;
      return found;
    }
    if (first === 'i') {
      const end = text.indexOf('e', at);
      const number = Number(text.slice(at + 1, end));
      at = end + 1;
      return number;
    }
    const colon = text.indexOf(':', at);
    const start = colon + 1;
    at = start + Number(text.slice(at, colon));
    return text.slice(start, at);
  };
  return read() as Record<string, unknown>;
}
