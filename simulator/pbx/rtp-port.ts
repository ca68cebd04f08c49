import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** One UDP socket with RTP on it (RFC 3550 section 5.1): writes its own headers, reads others'. */
export type RtpPacket = {
  payloadType: number;
  timestamp: number;
  payload: Uint8Array;
};

export type RtpPort = {
  readonly port: number;
  /** Where packets go; none leave before this is called. */
  aim(address: string, port: number): void;
  send(payloadType: number, timestamp: number, payload: Uint8Array, marker: boolean): boolean;
  close(): Promise<void>;
};

export async function openRtpPort(
  options: { host: string; ssrc: number; firstSequence: number },
  onPacket: (packet: RtpPacket) => void,
): Promise<RtpPort> {
  const socket = createSocket('udp4');
  let target: { address: string; port: number } | undefined;
  let sequence = options.firstSequence;
  socket.on('message', (bytes, from) => {
    // Sound from a stranger is not the caller's (RTP injection).
    const packet = from.address === target?.address ? readRtp(bytes) : undefined;
    if (packet !== undefined) onPacket(packet);
  });
  socket.on('error', () => undefined);
  socket.bind(0, options.host);
  await once(socket, 'listening');
  let closed: Promise<void> | undefined;
  return {
    port: socket.address().port,
    aim(address, port) {
      target = { address, port };
    },
    send(payloadType, timestamp, payload, marker) {
      if (target === undefined || target.port === 0 || closed !== undefined) return false;
      const head = Buffer.alloc(12);
      head[0] = 0x80;
      head[1] = (marker ? 0x80 : 0) | payloadType;
      head.writeUInt16BE(sequence, 2);
      head.writeUInt32BE(timestamp >>> 0, 4);
      head.writeUInt32BE(options.ssrc, 8);
      sequence = (sequence + 1) & 0xffff;
      socket.send([head, payload], target.port, target.address, () => undefined);
      return true;
    },
    close: () => (closed ??= closeSocket(socket)),
  };
}

function closeSocket(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.close(() => resolve());
  });
}

/** Undefined for what is not RTP version 2, or is cut short. RTCP falls out by its type. */
function readRtp(bytes: Buffer): RtpPacket | undefined {
  if (bytes.length < 12 || (bytes[0] ?? 0) >> 6 !== 2) return undefined;
  const first = bytes[0] ?? 0;
  const payloadType = (bytes[1] ?? 0) & 0x7f;
  if (payloadType >= 72 && payloadType <= 76) return undefined;
  let start = 12 + (first & 0x0f) * 4;
  if (first & 0x10) {
    if (bytes.length < start + 4) return undefined;
    start += 4 + bytes.readUInt16BE(start + 2) * 4;
  }
  const padding = first & 0x20 ? (bytes.at(-1) ?? 0) : 0;
  const end = bytes.length - padding;
  if (start > end) return undefined;
  const timestamp = bytes.readUInt32BE(4);
  return { payloadType, timestamp, payload: bytes.subarray(start, end) };
}
