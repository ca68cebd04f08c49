import { networkInterfaces } from 'node:os';
import type { Clock } from '../platform/clock.ts';
import { delay } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Random } from '../platform/random.ts';
import { familiesFrom, isSix } from './addresses.ts';
import { AgentCore } from './agent-core.ts';
import type { SipTls, SipUserAgent } from './sip.ts';
import { openStreamWire, type StreamWire } from './stream-wire.ts';
import { systemNames } from './system-names.ts';
import { openUdpWire, type UdpWire } from './udp-wire.ts';
import type { OnBytes, Wire } from './wire.ts';

export type SipUserAgentOptions = {
  clock: Clock;
  random: Random;
  log: Log;
  /** Local address of the sockets, `0.0.0.0` for IPv4, or `::` for both families. */
  bindAddress: string;
  /** 0 or absent: any free port. */
  udpPort?: number;
  /** Whether TCP targets can be called; also opens a listener, on the UDP port where it is free. */
  tcp: boolean;
  /** Authorities and a certificate of our own; TLS targets can be called without it too. */
  tls?: SipTls;
  /** TLS listens here when there is a certificate; 0 or absent: any free port. */
  tlsPort?: number;
  /** The address written into Via, Contact and From, where it is not the socket's own. */
  advertisedAddress?: string;
};

/** Where we listen; 0 where we do not. */
type Ports = { udp: number; tcp: number; tls: number };

/** How long `close` waits for the answers to its BYEs. */
const CLOSE_MS = 2000;
const CLOSE_STEP_MS = 50;
/** How long our own address is taken to stay the same. */
const OWN_ADDRESS_MS = 1000;

/** Opens the sockets and the user agent over them. Rejects when a port is taken. */
export async function openSipUserAgent(
  options: SipUserAgentOptions,
): Promise<SipUserAgent & { ports: Ports }> {
  const { clock, random, log, advertisedAddress } = options;
  let receive: OnBytes = () => undefined;
  const wire = await openWire(options, (bytes, from) => receive(bytes, from));
  const core = new AgentCore({
    clock,
    random,
    log,
    wire,
    names: systemNames(familiesFrom(options.bindAddress)),
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
    options: (target, timeoutMs) => core.options(target, timeoutMs),
    registration: (target) => core.registration(target),
    liveCount: () => core.liveCount,
    ports: wire.ports,
    close: () => (closing ??= close()),
  };
}

async function openWire(
  options: SipUserAgentOptions,
  onBytes: OnBytes,
): Promise<Wire & { ports: Ports }> {
  const { bindAddress, clock, log } = options;
  const udp = await openUdpWire({ bindAddress, port: options.udpPort ?? 0, log }, onBytes);
  const parts = { bindAddress, clock, log };
  const ownAddress = ownAddressFinder(clock);
  const opened: Array<UdpWire | StreamWire> = [udp];
  const closeAll = async (): Promise<void> => {
    await Promise.all(opened.map((wire) => wire.close()));
  };
  const keep = <T extends StreamWire>(wire: T): T => {
    opened.push(wire);
    return wire;
  };
  try {
    const tcp = options.tcp ? keep(await openTcpBeside(udp)) : undefined;
    const { tls: own = {}, tlsPort = 0 } = options;
    const tls = keep(await openStreamWire({ ...parts, port: tlsPort, tls: own }, onBytes));
    const wires = { udp, tcp, tls };
    return {
      ports: { udp: udp.port, tcp: tcp?.port ?? 0, tls: tls.port },
      send(bytes, to, onFail) {
        const wire = wires[to.transport];
        if (wire !== undefined) wire.send(bytes, to, onFail);
        else queueMicrotask(() => onFail(new Error('TCP is switched off')));
      },
      speaks: (transport) => wires[transport] !== undefined,
      localAddress: (transport, towards) => ({
        address: isWildcard(bindAddress) ? ownAddress(towards) : bindAddress,
        // Without a listener the peer speaks to us on the connection that we opened.
        port: wires[transport]?.port || udp.port,
      }),
      close: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }

  /** A peer expects both on one port, but a free port that chance gave us may be taken in TCP. */
  async function openTcpBeside(beside: UdpWire): Promise<StreamWire> {
    try {
      return await openStreamWire({ ...parts, port: beside.port }, onBytes);
    } catch (error) {
      if ((options.udpPort ?? 0) !== 0) throw error;
      return openStreamWire({ ...parts, port: 0 }, onBytes);
    }
  }
}

function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

/**
 * Our address as a peer there would see it, as far as that can be told without asking it. Going
 * through the interfaces costs as much as parsing a message, so the answer is kept for a moment.
 */
function ownAddressFinder(clock: Clock): (towards: string) => string {
  const kept = new Map<boolean, { address: string; until: number }>();
  return (towards) => {
    const six = isSix(towards);
    if (towards === '::1' || towards.startsWith('127.')) return six ? '::1' : '127.0.0.1';
    const now = clock.monotonic();
    const known = kept.get(six);
    if (known !== undefined && now < known.until) return known.address;
    const address = interfaceAddress(six);
    kept.set(six, { address, until: now + OWN_ADDRESS_MS });
    return address;
  };
}

function interfaceAddress(six: boolean): string {
  const own = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal }) => !internal && family === (six ? 'IPv6' : 'IPv4'))
    // A link-local address means nothing to a peer beyond the next router.
    .find(({ address }) => !address.toLowerCase().startsWith('fe80:'));
  return own?.address ?? (six ? '::1' : '127.0.0.1');
}
