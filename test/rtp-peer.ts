import { createSocket } from 'node:dgram';
import { buildRtp, isRtcp, parseRtp, type RtpPacket } from '../src/media/rtp.ts';

/** A SIP endpoint's media side for tests: one UDP socket that speaks plain RTP. */
export type RtpPeer = {
  readonly port: number;
  readonly received: RtpPacket[];
  rtcpReceived: number;
  /** An SDP that offers or answers with these lines after `m=`. */
  sdp(formats: string, lines: readonly string[]): string;
  sendTo(port: number): void;
  sendAudio(payloadType: number, payload: Uint8Array, ticks: number): void;
  sendEvent(payloadType: number, payload: Uint8Array, starts: boolean, lastTicks: number): void;
  close(): void;
};

export async function openRtpPeer(): Promise<RtpPeer> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => {
    socket.bind(0, '127.0.0.1', resolve);
  });
  const { port } = socket.address();
  let target = 0;
  let sequence = 65_500;
  let timestamp = 0xffff_ff00;
  const send = (payloadType: number, payload: Uint8Array, marker: boolean): void => {
    const packet = { payloadType, marker, sequence, timestamp, ssrc: 77, payload };
    sequence = (sequence + 1) & 0xffff;
    socket.send(buildRtp(packet), target, '127.0.0.1');
  };
  const peer: RtpPeer = {
    port,
    received: [],
    rtcpReceived: 0,
    sdp: (formats, lines) =>
      [
        'v=0',
        'o=- 1 1 IN IP4 127.0.0.1',
        's=-',
        'c=IN IP4 127.0.0.1',
        't=0 0',
        `m=audio ${port} RTP/AVP ${formats}`,
        ...lines,
        '',
      ].join('\r\n'),
    sendTo(port) {
      target = port;
    },
    sendAudio(payloadType, payload, ticks) {
      send(payloadType, payload, false);
      timestamp = (timestamp + ticks) >>> 0;
    },
    sendEvent(payloadType, payload, starts, lastTicks) {
      send(payloadType, payload, starts);
      timestamp = (timestamp + lastTicks) >>> 0;
    },
    close: () => socket.close(),
  };
  socket.on('message', (bytes) => {
    if (isRtcp(bytes)) peer.rtcpReceived += 1;
    const packet = isRtcp(bytes) ? null : parseRtp(bytes);
    if (packet !== null) peer.received.push(packet);
  });
  return peer;
}

/** The port of the first m= line. */
export function audioPort(sdp: string): number {
  return Number(/^m=audio (\d+) /m.exec(sdp)?.[1]);
}
