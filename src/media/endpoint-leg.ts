import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { errorText, Failure } from '../platform/failure.ts';
import { addressOf } from '../platform/udp-address.ts';

export type RemoteAddress = { address: string; port: number };

type Hear = {
  onDatagram: (bytes: Uint8Array) => void;
  /** Something came from elsewhere; it was dropped unread. */
  onStray: () => void;
};

/**
 * The RTP socket toward the endpoint. It sends only to the address the endpoint's SDP names, and
 * takes packets only from exactly that address and port: no learning of sources, so nobody who
 * guesses the port can listen in or speak (the "RTP bleed" faults). The price: an endpoint that
 * sends from another port than it listens on is not heard; symmetric RTP (RFC 4961) is required.
 */
export class EndpointLeg {
  readonly port: number;
  readonly #socket: Socket;
  readonly #onDatagram: (bytes: Uint8Array) => void;
  readonly #onStray: () => void;
  #remote: RemoteAddress | undefined;
  #closed = false;

  private constructor(socket: Socket, port: number, hear: Hear) {
    this.port = port;
    this.#socket = socket;
    this.#onDatagram = hear.onDatagram;
    this.#onStray = hear.onStray;
    socket.on('message', (bytes, from) => this.#receive(bytes, from));
    // ICMP "port unreachable" and the like: the silence watchdog tells what it means.
    socket.on('error', () => {});
  }

  /** Binds the port. Throws `Failure` `media_no_capacity` when it is taken after all. */
  static async open(options: { bindAddress: string; port: number } & Hear): Promise<EndpointLeg> {
    const type = isIPv6(options.bindAddress) ? 'udp6' : 'udp4';
    const socket = createSocket({ type, lookup: addressOf });
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.bind({ address: options.bindAddress, port: options.port, exclusive: true }, () => {
          socket.removeListener('error', reject);
          resolve();
        });
      });
    } catch (error) {
      socket.close();
      throw new Failure({
        code: 'media_no_capacity',
        message: `UDP port ${options.port} could not be opened: ${errorText(error)}.`,
        fix: 'Give the media plane a port range that no other program uses.',
        verdict: 'retryable',
        side: 'server',
        cause: error,
      });
    }
    return new EndpointLeg(socket, options.port, options);
  }

  setRemote(remote: RemoteAddress | undefined): void {
    this.#remote = remote;
  }

  send(packet: Buffer): boolean {
    const remote = this.#remote;
    if (this.#closed || remote === undefined) return false;
    // Without a callback, which would be a turn of its own for each packet.
    this.#socket.send(packet, remote.port, remote.address);
    return true;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
  }

  #receive(bytes: Uint8Array, from: RemoteAddress): void {
    const remote = this.#remote;
    if (remote === undefined) return;
    const isRemote =
      from.port === remote.port && from.address.toLowerCase() === remote.address.toLowerCase();
    if (isRemote) this.#onDatagram(bytes);
    else this.#onStray();
  }
}
