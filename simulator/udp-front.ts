import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';

/**
 * One UDP port for the media of all calls, as Meta's relay has: a caller cannot tell its calls
 * apart by port, and a caller whose own sockets are shared finds out here. STUN requests are
 * routed by the ufrag they name (RFC 8445 section 7.2.2); everything else by where it came from.
 */
export type UdpFront = {
  readonly port: number;
  /** `peerPort` on 127.0.0.1 gets what is meant for `ufrag`. Returns the way out. */
  route(ufrag: string, peerPort: number): () => void;
  close(): Promise<void>;
};

type Route = { ufrag: string; peerPort: number; caller: { address: string; port: number } | null };

const PEER_HOST = '127.0.0.1';
/**
 * All calls come through this one socket: the usual 208 kB are full after 30 ms of 40 calls, and
 * handshakes are lost with the sound. Much more would be worse where the process cannot keep up:
 * all that comes is old then. Linux gives no more than `net.core.rmem_max`.
 */
const RECEIVE_BYTES = 2 ** 20;

export async function openUdpFront(host: string): Promise<UdpFront> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: RECEIVE_BYTES });
  const byUfrag = new Map<string, Route>();
  const byPeer = new Map<number, Route>();
  const byCaller = new Map<string, Route>();

  socket.on('message', (packet, from) => {
    const outgoing = from.address === PEER_HOST ? byPeer.get(from.port) : undefined;
    if (outgoing !== undefined) {
      if (outgoing.caller !== null) send(socket, packet, outgoing.caller);
      return;
    }
    const route = routeOf(packet, from);
    if (route !== undefined) send(socket, packet, { address: PEER_HOST, port: route.peerPort });
  });
  // A port that is gone answers with ICMP; one dead call must not end the others.
  socket.on('error', () => undefined);

  const routeOf = (packet: Buffer, from: RemoteInfo): Route | undefined => {
    const source = `${from.address}:${from.port}`;
    const ufrag = stunUfrag(packet);
    if (ufrag === undefined) return byCaller.get(source);
    const route = byUfrag.get(ufrag);
    if (route === undefined) return undefined;
    if (route.caller !== null) byCaller.delete(`${route.caller.address}:${route.caller.port}`);
    route.caller = { address: from.address, port: from.port };
    byCaller.set(source, route);
    return route;
  };

  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(0, host, resolve);
  });
  const { port } = socket.address();
  return {
    port,
    route(ufrag, peerPort) {
      const route: Route = { ufrag, peerPort, caller: null };
      byUfrag.set(ufrag, route);
      byPeer.set(peerPort, route);
      return () => {
        byUfrag.delete(ufrag);
        byPeer.delete(peerPort);
        if (route.caller === null) return;
        const source = `${route.caller.address}:${route.caller.port}`;
        if (byCaller.get(source) === route) byCaller.delete(source);
      };
    },
    close: () =>
      new Promise((resolve) => {
        socket.close(resolve);
      }),
  };
}

function send(socket: Socket, packet: Buffer, to: { address: string; port: number }): void {
  // The callback swallows what a vanished receiver causes; the call notices by silence.
  socket.send(packet, to.port, to.address, () => undefined);
}

const STUN_MAGIC = 0x2112_a442;
const USERNAME = 0x0006;

/** The receiver's ufrag in a STUN binding request: the part of USERNAME before the colon. */
export function stunUfrag(packet: Buffer): string | undefined {
  if (packet.length < 20 || (packet[0] ?? 255) > 3) return undefined;
  if (packet.readUInt32BE(4) !== STUN_MAGIC) return undefined;
  for (let at = 20; at + 4 <= packet.length;) {
    const type = packet.readUInt16BE(at);
    const length = packet.readUInt16BE(at + 2);
    if (type === USERNAME) {
      return packet.toString('utf8', at + 4, at + 4 + length).split(':')[0];
    }
    // Attributes are padded to four bytes (RFC 8489 section 14).
    at += 4 + Math.ceil(length / 4) * 4;
  }
  return undefined;
}
