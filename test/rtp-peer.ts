import { createSocket } from 'node:dgram';
import { parseEndpointSdp } from '../src/media/endpoint-sdp.ts';
import { formatCrypto } from '../src/media/endpoint-security.ts';
import { buildRtp, isRtcp, parseRtp, type RtpPacket } from '../src/media/rtp.ts';
import { SrtpContext, type SrtpKey } from '../src/media/srtp.ts';
import { isRefused } from '../src/platform/refusal.ts';

/** A SIP endpoint's media side for tests: one UDP socket that speaks RTP, or SRTP with a key. */
export type RtpPeer = {
  readonly port: number;
  readonly received: RtpPacket[];
  rtcpReceived: number;
  /** An SDP that offers or answers with these lines after `m=`. */
  sdp(formats: string, lines: readonly string[]): string;
  /** An answer to this offer, with the key that this peer sends by where it has one. */
  secured(answer: string, offer: string): string;
  sendTo(port: number): void;
  sendAudio(payloadType: number, payload: Uint8Array, ticks: number): void;
  sendEvent(payloadType: number, payload: Uint8Array, starts: boolean, lastTicks: number): void;
  close(): void;
};

export async function openRtpPeer(key?: SrtpKey): Promise<RtpPeer> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => {
    socket.bind(0, '127.0.0.1', resolve);
  });
  const { port } = socket.address();
  let target = 0;
  let sequence = 65_500;
  let timestamp = 0xffff_ff00;
  const sending = key === undefined ? null : new SrtpContext(key);
  let receiving: SrtpContext | null = null;
  const send = (payloadType: number, payload: Uint8Array, marker: boolean): void => {
    const packet = { payloadType, marker, sequence, timestamp, ssrc: 77, payload };
    sequence = (sequence + 1) & 0xffff;
    const bytes = buildRtp(packet);
    socket.send(sending?.protect(bytes) ?? bytes, target, '127.0.0.1');
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
    secured(answer, offer) {
      if (key === undefined) return answer;
      const offered = parseEndpointSdp(offer);
      const keys = isRefused(offered) ? [] : offered.keys;
      const theirs = keys.find(({ suite }) => suite === key.suite);
      if (theirs === undefined) return answer;
      receiving = new SrtpContext(theirs);
      const secure = answer.replace('RTP/AVP', 'RTP/SAVP');
      return `${secure}${formatCrypto({ ...key, tag: theirs.tag })}\r\n`;
    },
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
    const plain = receiving?.unprotect(bytes) ?? (receiving === null ? bytes : null);
    const packet = isRtcp(bytes) || plain === null ? null : parseRtp(plain);
    if (packet !== null) peer.received.push(packet);
  });
  return peer;
}

/** The port of the first m= line. */
export function audioPort(sdp: string): number {
  return Number(/^m=audio (\d+) /m.exec(sdp)?.[1]);
}
