import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { TestContext } from 'node:test';

/** Somebody with an address of its own whom no SDP names, and what those on the way do. */
export type Stranger = {
  socket: Socket;
  /** Packets that somebody sent to it: there should be none. */
  heard: () => number;
};

export async function openStranger(t: TestContext): Promise<Stranger> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  let heard = 0;
  socket.on('message', () => {
    heard += 1;
  });
  t.after(() => socket.close());
  return { socket, heard: () => heard };
}

/** The packet with some bits of one byte turned round. */
export function flipped(packet: Buffer, at: number, bits = 1): Buffer {
  const copy = Buffer.from(packet);
  copy[at] = (copy[at] ?? 0) ^ bits;
  return copy;
}
