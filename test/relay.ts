import { createSocket } from 'node:dgram';

/**
 * Somebody on the way between us and one peer: passes datagrams on in both directions, and may
 * turn each one from the peer into others. Its address stands in the SDP instead of the peer's.
 */
export type Relay = {
  readonly port: number;
  /** What becomes of a datagram from the peer; as it came until told otherwise. */
  alter: (datagram: Buffer) => readonly Buffer[];
  /** Sends something of its own to us, from the peer's address as we know it. */
  inject(datagram: Buffer): void;
  /** The port that we send from, once we did. */
  caller(): number | undefined;
  close(): void;
};

export async function openRelay(peerPort: number): Promise<Relay> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => {
    socket.bind(0, '127.0.0.1', resolve);
  });
  let caller: number | undefined;
  const toCaller = (datagram: Buffer): void => {
    if (caller !== undefined) socket.send(datagram, caller, '127.0.0.1', () => {});
  };
  const relay: Relay = {
    port: socket.address().port,
    alter: (datagram) => [datagram],
    inject: toCaller,
    caller: () => caller,
    close: () => socket.close(),
  };
  socket.on('message', (datagram, from) => {
    if (from.port === peerPort) for (const one of relay.alter(datagram)) toCaller(one);
    else {
      caller = from.port;
      socket.send(datagram, peerPort, '127.0.0.1', () => {});
    }
  });
  return relay;
}

/** The port of the IPv4 host candidate in an answer of Meta's shape. */
export function relayPortOf(answer: string): number {
  return Number(/ 127\.0\.0\.1 (\d+) typ host/.exec(answer)?.[1]);
}

/** The same answer, as if the peer were at another port. */
export function atPort(answer: string, port: number): string {
  return answer.replaceAll(String(relayPortOf(answer)), String(port));
}
