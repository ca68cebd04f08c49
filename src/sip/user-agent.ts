import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import type { Clock } from '../platform/clock.ts';
import { delay } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Random } from '../platform/random.ts';
import { AgentCore } from './agent-core.ts';
import type { SipUserAgent } from './sip.ts';
import { openTcpWire, type TcpWire } from './tcp-wire.ts';
import { openUdpWire, type UdpWire } from './udp-wire.ts';
import type { OnBytes, Wire } from './wire.ts';

export type SipUserAgentOptions = {
  clock: Clock;
  random: Random;
  log: Log;
  /** Local IPv4 address of the sockets, or `0.0.0.0`. */
  bindAddress: string;
  /** 0 or absent: any free port. */
  udpPort?: number;
  /** Whether TCP targets can be called; also opens a listener, on the UDP port where it is free. */
  tcp: boolean;
  /** The address written into Via, Contact and From, where it is not the socket's own. */
  advertisedAddress?: string;
};

/** How long `close` waits for the answers to its BYEs. */
const CLOSE_MS = 2000;
const CLOSE_STEP_MS = 50;

/** Opens the sockets and the user agent over them. Rejects when a port is taken. */
export async function openSipUserAgent(options: SipUserAgentOptions): Promise<SipUserAgent> {
  const { clock, random, log, advertisedAddress } = options;
  let receive: OnBytes = () => undefined;
  const wire = await openWire(options, (bytes, from) => receive(bytes, from));
  const core = new AgentCore({
    clock,
    random,
    log,
    wire,
    lookUp: async (host) => (await lookup(host, { family: 4 })).address,
    ...(advertisedAddress === undefined ? {} : { advertisedAddress }),
  });
  receive = core.receive;
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    core.hangUpAll();
    // A call that is being set up needs a moment before it can be cancelled.
    for (let waited = 0; core.unanswered > 0 && waited < CLOSE_MS; waited += CLOSE_STEP_MS) {
      await delay(clock, CLOSE_STEP_MS);
    }
    core.close();
    await wire.close();
  };
  return {
    invite: (request, onEvent) => core.invite(request, onEvent),
    endLost: (saved, target, reason) => core.endLost(saved, target, reason),
    liveCount: () => core.liveCount,
    close: () => (closing ??= close()),
  };
}

async function openWire(options: SipUserAgentOptions, onBytes: OnBytes): Promise<Wire> {
  const { bindAddress, clock, log } = options;
  const udp = await openUdpWire({ bindAddress, port: options.udpPort ?? 0, log }, onBytes);
  const tcp = options.tcp ? await openTcpBeside(udp) : undefined;

  /** A peer expects both on one port, but a free port that chance gave us may be taken in TCP. */
  async function openTcpBeside(beside: UdpWire): Promise<TcpWire> {
    const parts = { bindAddress, clock, log };
    try {
      return await openTcpWire({ ...parts, port: beside.port }, onBytes);
    } catch (error) {
      if ((options.udpPort ?? 0) !== 0) {
        await beside.close();
        throw error;
      }
      return openTcpWire({ ...parts, port: 0 }, onBytes);
    }
  }

  return {
    send(bytes, to, onFail) {
      if (to.transport === 'udp') udp.send(bytes, to, onFail);
      else if (tcp !== undefined) tcp.send(bytes, to, onFail);
      else queueMicrotask(() => onFail(new Error('TCP is switched off')));
    },
    localAddress: (transport, towards) => ({
      address: bindAddress === '0.0.0.0' ? ownAddress(towards) : bindAddress,
      port: transport === 'tcp' ? (tcp?.port ?? udp.port) : udp.port,
    }),
    async close() {
      await Promise.all([udp.close(), tcp?.close()]);
    },
  };
}

/** Our address as a peer there would see it, as far as that can be told without asking it. */
function ownAddress(towards: string): string {
  if (towards.startsWith('127.')) return '127.0.0.1';
  const own = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find((address) => address.family === 'IPv4' && !address.internal);
  return own?.address ?? '127.0.0.1';
}
