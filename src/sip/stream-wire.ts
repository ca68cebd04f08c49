import { once } from 'node:events';
import { connect, createServer, isIP, type AddressInfo, type Server, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer, rootCertificates } from 'node:tls';
import { repeat, type Clock } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import type { Log } from '../platform/log.ts';
import type { SipTls } from './sip.ts';
import { plainAddress } from './addresses.ts';
import { PING, PONG, StreamFramer } from './stream-framer.ts';
import type { Hop, OnBytes } from './wire.ts';

/**
 * SIP over TCP and TLS: one connection per peer address and port, used for requests and responses
 * both ways (RFC 3261 section 18), opened when first needed, and a listener for peers that open a
 * connection of their own toward our Contact. Over TLS the peer's certificate must be valid for
 * the name that was asked for (RFC 5922); without a certificate of our own there is no listener.
 */
export type StreamWire = {
  /** Where we listen; 0 when we do not. */
  readonly port: number;
  send(bytes: Buffer, to: Hop, onFail: (error: Error) => void): void;
  close(): Promise<void>;
};

const CONNECT_MS = 5000;
/** Shorter than the patience of the usual NAT with an idle connection, which is two minutes. */
const KEEP_ALIVE_MS = 90_000;
/** Connections beyond this are refused: a flood must not eat the descriptors. */
const CONNECTIONS_MAX = 1024;
/** Bytes a slow reader may leave waiting before its connection is given up. */
const BACKLOG_MAX = 1_048_576;

type Options = {
  bindAddress: string;
  port: number;
  clock: Clock;
  log: Log;
  /** Present: the wire speaks TLS. */
  tls?: SipTls;
};

export async function openStreamWire(options: Options, onBytes: OnBytes): Promise<StreamWire> {
  const connections = new Connections(options, onBytes);
  const server = makeServer(options, connections);
  if (server !== undefined) {
    server.maxConnections = CONNECTIONS_MAX;
    server.listen(options.port, options.bindAddress);
    await once(server, 'listening');
    server.on('error', (error) => options.log.warn({ err: error }, 'SIP listener error'));
  }
  return {
    port: server === undefined ? 0 : (server.address() as AddressInfo).port,
    send: (bytes, to, onFail) => connections.send(bytes, to, onFail),
    close: async () => {
      connections.close();
      if (server !== undefined) await closeServer(server);
    },
  };
}

function makeServer({ tls, log }: Options, connections: Connections): Server | undefined {
  if (tls === undefined) return createServer((socket) => connections.adopt(socket));
  const { certificate: cert, key } = tls;
  if (cert === undefined || key === undefined) return undefined;
  const server = createTlsServer({ cert, key }, (socket) => connections.adopt(socket));
  server.on('tlsClientError', (error) => {
    log.debug({ reason: errorText(error) }, 'SIP TLS handshake of a stranger failed');
  });
  return server;
}

class Connections {
  readonly #options: Options;
  readonly #onBytes: OnBytes;
  readonly #sockets = new Map<string, Socket>();
  readonly #transport: 'tcp' | 'tls';
  #closed = false;

  constructor(options: Options, onBytes: OnBytes) {
    this.#options = options;
    this.#onBytes = onBytes;
    this.#transport = options.tls === undefined ? 'tcp' : 'tls';
  }

  send(bytes: Buffer, to: Hop, onFail: (error: Error) => void): void {
    const kept = this.#sockets.get(keyOf(to));
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
    // What is sent in one turn, an ACK and a BYE for one, leaves in one system call.
    if (socket.writableCorked === 0) {
      socket.cork();
      queueMicrotask(() => socket.uncork());
    }
    socket.write(bytes, (error) => {
      if (error !== undefined && error !== null) onFail(error);
    });
  }

  adopt(socket: Socket): void {
    const { remoteAddress: address = '', remotePort: port = 0 } = socket;
    this.#keep(socket, { transport: this.#transport, address: plainAddress(address), port });
  }

  close(): void {
    this.#closed = true;
    for (const socket of this.#sockets.values()) socket.destroy();
    this.#sockets.clear();
  }

  #dial(to: Hop): Socket {
    const socket = this.#open(to);
    const timer = this.#options.clock.after(CONNECT_MS, () =>
      socket.destroy(new Error('SIP connection timed out')),
    );
    socket.once(this.#transport === 'tls' ? 'secureConnect' : 'connect', () => timer.cancel());
    socket.once('close', () => timer.cancel());
    this.#keep(socket, to);
    this.#keepAlive(socket);
    return socket;
  }

  /**
   * Keeps what we dialled open through NATs and firewalls (RFC 5626 section 4.4.1): the peer's
   * requests inside a call come back on it, and may come after an hour of silence.
   */
  #keepAlive(socket: Socket): void {
    const stop = repeat(this.#options.clock, KEEP_ALIVE_MS, () => {
      if (socket.writable && socket.writableLength === 0) socket.write(PING);
      return Promise.resolve();
    });
    socket.once('close', () => void stop());
  }

  #open({ address: host, port, serverName }: Hop): Socket {
    const { tls } = this.#options;
    if (tls === undefined) return connect({ host, port });
    const { certificate: cert, key, authorities: ca } = tls;
    // An address cannot be asked for by name (RFC 6066 section 3); it is checked as an address.
    const named =
      serverName === undefined || isIP(serverName) !== 0 ? {} : { servername: serverName };
    return connectTls({
      host,
      port,
      ...named,
      ...(cert === undefined || key === undefined ? {} : { cert, key }),
      ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }),
    });
  }

  #keep(socket: Socket, peer: Hop): void {
    const key = keyOf(peer);
    const framer = new StreamFramer();
    this.#sockets.set(key, socket);
    // Without this, small messages wait for each other's acknowledgement (tens of milliseconds).
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      const { messages, pings, broken } = framer.push(chunk);
      for (const message of messages) this.#onBytes(message, peer);
      // One answer for a whole chunk of them: a flood of line breaks is not worth more.
      if (pings > 0 && socket.writable && socket.writableLength < BACKLOG_MAX) socket.write(PONG);
      if (broken !== undefined) socket.destroy(new Error(broken));
    });
    socket.on('end', () => socket.end());
    socket.on('error', (error) => {
      this.#options.log.debug({ reason: errorText(error) }, 'SIP connection error');
    });
    socket.on('close', () => {
      if (this.#sockets.get(key) === socket) this.#sockets.delete(key);
    });
  }
}

/** A TLS connection serves only the name that its certificate was checked for. */
function keyOf({ address, port, serverName = '' }: Hop): string {
  return `${address}:${port} ${serverName}`;
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
