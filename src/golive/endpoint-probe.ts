import { createSocket } from 'node:dgram';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls, rootCertificates } from 'node:tls';
import type { Clock, TimerHandle } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import type { Random } from '../platform/random.ts';

/**
 * Asks a SIP endpoint whether it is there: one OPTIONS request (RFC 3261 section 11) from a socket
 * of its own, so that no call can be touched. Any answer at all proves the way there and back;
 * silence proves nothing, for some PBXs ignore strangers.
 */
export type ProbeResult =
  | { kind: 'answered'; status: number }
  | { kind: 'refused'; reason: string }
  | { kind: 'silent'; waitedMs: number };

export type ProbePorts = {
  clock: Clock;
  random: Random;
  bindAddress: string;
  /** The operator's own certificate authority for TLS, as PEM. */
  authorities?: string | undefined;
};

const WAIT_MS = 3_000;
/** As timer A would: a UDP request may be lost once or twice. */
const RESEND_MS = [500, 1_500];
const DEFAULT_PORT = 5060;
const DEFAULT_TLS_PORT = 5061;

type Target = { uri: string; host: string; port: number };

/** One way to send the request and hear the answer. */
type Wire = { send(): void; close(): void };

/** Never throws; takes no longer than three seconds. */
export function probeEndpoint(ports: ProbePorts, uri: string): Promise<ProbeResult> {
  const parsed = /^sips?:(?:[^@]*@)?([^:;?]+)(?::(\d+))?/i.exec(uri);
  if (parsed?.[1] === undefined) {
    return Promise.resolve({ kind: 'refused', reason: 'this is no SIP URI' });
  }
  const isTls = /^sips:|;transport=tls\b/i.test(uri);
  const port = Number(parsed[2] ?? (isTls ? DEFAULT_TLS_PORT : DEFAULT_PORT));
  const target = { uri, host: parsed[1], port };
  return new Promise((resolve) => {
    const timers: TimerHandle[] = [];
    const finish = (result: ProbeResult): void => {
      for (const timer of timers) timer.cancel();
      wire.close();
      resolve(result);
    };
    const hear = (bytes: Buffer): void => {
      const status = /^SIP\/2\.0 (\d{3})/.exec(bytes.toString('latin1', 0, 64))?.[1];
      if (status !== undefined) finish({ kind: 'answered', status: Number(status) });
    };
    const fail = (error: Error): void => finish({ kind: 'refused', reason: errorText(error) });
    const isUdp = !isTls && !/;transport=tcp\b/i.test(uri);
    const open = isTls ? overTls : isUdp ? overUdp : overTcp;
    const wire = open(ports, target, hear, fail);
    if (isUdp) timers.push(...RESEND_MS.map((ms) => ports.clock.after(ms, () => wire.send())));
    const onSilence = (): void => finish({ kind: 'silent', waitedMs: WAIT_MS });
    timers.push(ports.clock.after(WAIT_MS, onSilence));
  });
}

type OpenWire = (
  ports: ProbePorts,
  target: Target,
  hear: (bytes: Buffer) => void,
  fail: (error: Error) => void,
) => Wire;

const overUdp: OpenWire = (ports, target, hear, fail) => {
  const socket = createSocket('udp4');
  let bytes: Buffer | null = null;
  let open = true;
  const send = (): void => {
    if (open && bytes !== null) socket.send(bytes, () => {});
  };
  socket.on('message', hear);
  // Connected, so that "port unreachable" comes back as an error.
  socket.on('error', fail);
  socket.bind(0, ports.bindAddress, () => {
    if (open) socket.connect(target.port, target.host);
  });
  socket.on('connect', () => {
    const { address, port } = socket.address();
    bytes = optionsRequest(ports.random, target, `UDP ${address}:${port}`);
    send();
  });
  return {
    send,
    close() {
      if (open) socket.close();
      open = false;
    },
  };
};

const overTcp: OpenWire = (ports, target, hear, fail) => {
  const { host, port } = target;
  const socket = connect({ host, port, localAddress: ports.bindAddress });
  return overStream('TCP', socket, 'connect', ports, target, hear, fail);
};

/** The certificate is checked as the call itself would check it (RFC 5922). */
const overTls: OpenWire = (ports, target, hear, fail) => {
  const { host, port } = target;
  const { bindAddress: localAddress, authorities } = ports;
  const plain = connect({ host, port, localAddress });
  plain.on('error', fail);
  const named = isIP(host) === 0 ? { servername: host } : {};
  const trusted = authorities === undefined ? {} : { ca: [...rootCertificates, authorities] };
  const socket = connectTls({ socket: plain, host, ...named, ...trusted });
  return overStream('TLS', socket, 'secureConnect', ports, target, hear, fail);
};

function overStream(
  transport: 'TCP' | 'TLS',
  socket: Socket,
  up: 'connect' | 'secureConnect',
  ports: ProbePorts,
  target: Target,
  hear: (bytes: Buffer) => void,
  fail: (error: Error) => void,
): Wire {
  socket.on('error', fail);
  socket.on('data', hear);
  socket.on(up, () => {
    const from = `${transport} ${socket.localAddress ?? ''}:${socket.localPort ?? 0}`;
    socket.write(optionsRequest(ports.random, target, from));
  });
  return { send: () => {}, close: () => void socket.destroy() };
}

/** `sentBy`: transport and address for the Via header, such as `UDP 192.0.2.1:40000`. */
function optionsRequest(random: Random, { uri, host }: Target, sentBy: string): Buffer {
  const token = (): string => Buffer.from(random.bytes(8)).toString('hex');
  const [transport = 'UDP', address = ''] = sentBy.split(' ');
  return Buffer.from(
    [
      `OPTIONS ${uri} SIP/2.0`,
      `Via: SIP/2.0/${transport} ${address};rport;branch=z9hG4bK${token()}`,
      'Max-Forwards: 70',
      `From: <sip:askfirst@${host}>;tag=${token()}`,
      `To: <${uri}>`,
      `Call-ID: ${token()}@askfirst`,
      'CSeq: 1 OPTIONS',
      'Accept: application/sdp',
      'User-Agent: Askfirst',
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n'),
  );
}
