import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { Log } from '../platform/log.ts';
import { addressOf } from '../platform/udp-address.ts';
import { plainAddress, socketAddress } from './addresses.ts';
import type { Hop, OnBytes } from './wire.ts';

/**
 * A burst of calls, or a pause of ours, must not cost messages: what is lost comes again only after
 * timer A's 500 ms. Linux gives no more than `net.core.rmem_max`.
 */
const RECEIVE_BYTES = 2 ** 20;

/** One UDP socket for everything that is sent and received (RFC 3581 wants the same port). */
export type UdpWire = {
  readonly port: number;
  send(bytes: Buffer, to: Hop, onFail: (error: Error) => void): void;
  close(): Promise<void>;
};

export async function openUdpWire(
  options: { bindAddress: string; port: number; log: Log },
  onBytes: OnBytes,
): Promise<UdpWire> {
  const six = isIPv6(options.bindAddress);
  const socket = createSocket({
    type: six ? 'udp6' : 'udp4',
    lookup: addressOf,
    recvBufferSize: RECEIVE_BYTES,
  });
  socket.on('message', (bytes, from) => {
    onBytes(bytes, { transport: 'udp', address: plainAddress(from.address), port: from.port });
  });
  // Rejects with the socket's error when the port is taken.
  const listening = once(socket, 'listening');
  socket.bind(options.port, options.bindAddress);
  await listening;
  socket.on('error', (error) => options.log.warn({ err: error }, 'SIP UDP socket error'));
  return {
    port: socket.address().port,
    send(bytes, to, onFail) {
      socket.send(bytes, to.port, socketAddress(to.address, six), (error) => {
        if (error !== null) onFail(error);
      });
    },
    close: () => closeSocket(socket),
  };
}

function closeSocket(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.close(() => resolve());
  });
}
