import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';

/** The PBX's one SIP port, in UDP and in TCP. */
export type PbxPeer = {
  transport: 'udp' | 'tcp';
  address: string;
  port: number;
  /** Sends back to this peer; what cannot be sent is lost, as on any network. */
  send(bytes: Buffer): void;
};

export type PbxSipPort = {
  readonly port: number;
  /** A UDP peer at another address, such as the one named in a Contact. */
  udpPeer(address: string, port: number): PbxPeer;
  close(): Promise<void>;
};

/** A connection that has sent this much without a whole message is closed. */
const PENDING_MAX = 65_536;
const TRIES_MAX = 20;

export async function openSipPort(
  host: string,
  port: number,
  onText: (text: string, peer: PbxPeer) => void,
): Promise<PbxSipPort> {
  // With port 0 the number that UDP gets may be taken in TCP: then another one is drawn.
  for (let tries = 1; ; tries += 1) {
    const udp = await openUdp(host, port, onText);
    try {
      const tcp = await openTcp(host, udp.port, onText);
      return { ...udp, close: async () => void (await Promise.all([udp.close(), tcp.close()])) };
    } catch (error) {
      await udp.close();
      if (port !== 0 || tries >= TRIES_MAX) throw error;
    }
  }
}

async function openUdp(
  host: string,
  port: number,
  onText: (text: string, peer: PbxPeer) => void,
): Promise<PbxSipPort> {
  const socket = createSocket('udp4');
  const udpPeer = (address: string, peerPort: number): PbxPeer => ({
    transport: 'udp',
    address,
    port: peerPort,
    send: (bytes) => socket.send(bytes, peerPort, address, () => undefined),
  });
  socket.on('message', (bytes, from) =>
    onText(bytes.toString('utf8'), udpPeer(from.address, from.port)),
  );
  socket.bind(port, host);
  await once(socket, 'listening');
  socket.on('error', () => undefined);
  return {
    port: socket.address().port,
    udpPeer,
    close: () =>
      new Promise((resolve) => {
        socket.close(() => resolve());
      }),
  };
}

async function openTcp(
  host: string,
  port: number,
  onText: (text: string, peer: PbxPeer) => void,
): Promise<{ close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    const peer: PbxPeer = {
      transport: 'tcp',
      address: socket.remoteAddress ?? '',
      port: socket.remotePort ?? 0,
      send: (bytes) => void (socket.writable && socket.write(bytes)),
    };
    let pending = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      pending = cutMessages(pending, (text) => onText(text, peer));
      if (pending.length > PENDING_MAX) socket.destroy();
    });
  });
  server.listen(port, host);
  await once(server, 'listening');
  return {
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

/** Hands out each whole message and returns the bytes that are left over. */
function cutMessages(pending: Buffer, onText: (text: string) => void): Buffer<ArrayBuffer> {
  let rest = Buffer.from(pending);
  for (;;) {
    let start = 0;
    while (rest[start] === 0x0d || rest[start] === 0x0a) start += 1;
    const end = rest.indexOf('\r\n\r\n', start);
    if (end < 0) return rest;
    const head = rest.toString('latin1', start, end);
    const length = Number(/^(?:content-length|l)\s*:\s*(\d{1,5})/im.exec(head)?.[1] ?? 0);
    const total = end + 4 + length;
    if (rest.length < total) return rest;
    onText(rest.toString('utf8', start, total));
    rest = rest.subarray(total);
  }
}

/** `0.0.0.0` means nothing to a peer: it gets loopback, or our first address on a network. */
export function addressToward(host: string, peer: string): string {
  if (host !== '0.0.0.0') return host;
  const own = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal);
  return peer.startsWith('127.') ? '127.0.0.1' : (own?.address ?? '127.0.0.1');
}
