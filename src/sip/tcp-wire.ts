import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Clock } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import type { Log } from '../platform/log.ts';
import { StreamFramer } from './stream-framer.ts';
import type { Hop, OnBytes } from './wire.ts';

/**
 * SIP over TCP: one connection per peer address and port, used for requests and responses both
 * ways (RFC 3261 section 18), opened when first needed, and a listener for peers that open a
 * connection of their own toward our Contact.
 */
export type TcpWire = {
  readonly port: number;
  send(bytes: Buffer, to: Hop, onFail: (error: Error) => void): void;
  close(): Promise<void>;
};

const CONNECT_MS = 5000;
/** Connections beyond this are refused: a flood must not eat the descriptors. */
const CONNECTIONS_MAX = 1024;
/** Bytes a slow reader may leave waiting before its connection is given up. */
const BACKLOG_MAX = 1_048_576;

type Options = { bindAddress: string; port: number; clock: Clock; log: Log };

export async function openTcpWire(options: Options, onBytes: OnBytes): Promise<TcpWire> {
  const connections = new Connections(options, onBytes);
  const server = createServer((socket) => connections.adopt(socket));
  server.maxConnections = CONNECTIONS_MAX;
  server.listen(options.port, options.bindAddress);
  await once(server, 'listening');
  server.on('error', (error) => options.log.warn({ err: error }, 'SIP TCP listener error'));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    send: (bytes, to, onFail) => connections.send(bytes, to, onFail),
    close: async () => {
      connections.close();
      await closeServer(server);
    },
  };
}

class Connections {
  readonly #options: Options;
  readonly #onBytes: OnBytes;
  readonly #sockets = new Map<string, Socket>();
  #closed = false;

  constructor(options: Options, onBytes: OnBytes) {
    this.#options = options;
    this.#onBytes = onBytes;
  }

  send(bytes: Buffer, to: Hop, onFail: (error: Error) => void): void {
    const kept = this.#sockets.get(`${to.address}:${to.port}`);
    // A connection that the peer has ended takes nothing more: open another one.
    const known = kept?.writable === true ? kept : undefined;
    if (this.#closed || (known === undefined && this.#sockets.size >= CONNECTIONS_MAX)) {
      // Never in the same turn: the caller may still be setting its transaction up.
      queueMicrotask(() => onFail(new Error('no SIP connection to be had')));
      return;
    }
    const socket = known ?? this.#dial(to);
    if (socket.writableLength > BACKLOG_MAX) {
      socket.destroy(new Error('the peer does not read'));
    }
    socket.write(bytes, (error) => {
      if (error !== undefined && error !== null) onFail(error);
    });
  }

  adopt(socket: Socket): void {
    const from = { transport: 'tcp', address: socket.remoteAddress ?? '' } as const;
    this.#keep(socket, { ...from, port: socket.remotePort ?? 0 });
  }

  close(): void {
    this.#closed = true;
    for (const socket of this.#sockets.values()) socket.destroy();
    this.#sockets.clear();
  }

  #dial(to: Hop): Socket {
    const socket = connect({ host: to.address, port: to.port });
    const timer = this.#options.clock.after(CONNECT_MS, () =>
      socket.destroy(new Error('SIP connection timed out')),
    );
    socket.once('connect', () => timer.cancel());
    socket.once('close', () => timer.cancel());
    this.#keep(socket, to);
    return socket;
  }

  #keep(socket: Socket, peer: Hop): void {
    const key = `${peer.address}:${peer.port}`;
    const framer = new StreamFramer();
    this.#sockets.set(key, socket);
    // Without this, small messages wait for each other's acknowledgement (tens of milliseconds).
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      const { messages, broken } = framer.push(chunk);
      for (const message of messages) this.#onBytes(message, peer);
      if (broken !== undefined) socket.destroy(new Error(broken));
    });
    socket.on('end', () => socket.end());
    socket.on('error', (error) => {
      this.#options.log.debug({ reason: errorText(error) }, 'SIP TCP connection error');
    });
    socket.on('close', () => {
      if (this.#sockets.get(key) === socket) this.#sockets.delete(key);
    });
  }
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
