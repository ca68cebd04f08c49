import { RTCPeerConnection, RTCRtpCodecParameters, RtpHeader, type RtpPacket } from 'werift';
import type { Random } from '../src/platform/random.ts';

/**
 * One werift peer that answers an offer. Packets go straight over its DTLS transport: payload
 * type, sequence and time stamp are ours, so Opus and RFC 4733 events can share one stream.
 */
export type WebRtcPeer = {
  /** werift's own SDP answer. */
  readonly answer: string;
  /** Host candidate ports on 127.0.0.1. */
  readonly localPorts: number[];
  readonly ssrc: number;
  send(packet: OutgoingRtp): void;
  close(): Promise<void>;
};

export type OutgoingRtp = {
  payloadType: number;
  timestamp: number;
  marker: boolean;
  payload: Uint8Array;
};

export type PeerOptions = {
  offer: string;
  opusPayloadType: number;
  dtmfPayloadType: number;
  /** True for Meta's side, false toward a browser. */
  iceLite: boolean;
  random: Random;
  onConnected: () => void;
  onRtp: (packet: RtpPacket) => void;
  onRtcp: () => void;
  onLost: () => void;
};

export async function openPeer(options: PeerOptions): Promise<WebRtcPeer> {
  const peer = new RTCPeerConnection({
    iceLite: options.iceLite,
    iceUseIpv6: false,
    iceUseTcp: false,
    iceServers: [],
    iceInterfaceAddresses: { udp4: '127.0.0.1' },
    iceAdditionalHostAddresses: ['127.0.0.1'],
    bundlePolicy: 'max-bundle',
    codecs: { audio: codecs(options) },
  });
  watch(peer, options);
  try {
    await peer.setRemoteDescription({ type: 'offer', sdp: options.offer });
    const [transceiver] = peer.getTransceivers();
    if (transceiver === undefined) throw new Error('the offer has no audio line');
    transceiver.setDirection('sendrecv');
    await peer.setLocalDescription(await peer.createAnswer());
    const answer = peer.localDescription?.sdp ?? '';
    const [transport] = peer.dtlsTransports;
    if (transport === undefined) throw new Error('the offer has no transport');
    transport.onRtp.subscribe(options.onRtp);
    transport.onRtcp.subscribe(options.onRtcp);
    let sequence = options.random.below(65_536);
    return {
      answer,
      localPorts: portsOf(answer),
      ssrc: transceiver.sender.ssrc,
      send(packet) {
        if (transport.state !== 'connected') return;
        sequence = (sequence + 1) & 0xffff;
        const header = new RtpHeader({
          version: 2,
          payloadType: packet.payloadType,
          sequenceNumber: sequence,
          timestamp: packet.timestamp >>> 0,
          marker: packet.marker,
          ssrc: transceiver.sender.ssrc,
        });
        // A transport that closes meanwhile rejects; the loss is reported by its state.
        transport.sendRtp(Buffer.from(packet.payload), header).catch(() => undefined);
      },
      close: () => peer.close(),
    };
  } catch (error) {
    await peer.close();
    throw error;
  }
}

function watch(peer: RTCPeerConnection, options: PeerOptions): void {
  let up = false;
  peer.connectionStateChange.subscribe((state) => {
    if (state === 'connected' && !up) {
      up = true;
      options.onConnected();
    }
    if (state === 'closed' || state === 'failed' || state === 'disconnected') options.onLost();
  });
}

function codecs(options: PeerOptions): RTCRtpCodecParameters[] {
  return [
    new RTCRtpCodecParameters({
      mimeType: 'audio/opus',
      clockRate: 48_000,
      channels: 2,
      payloadType: options.opusPayloadType,
    }),
    new RTCRtpCodecParameters({
      mimeType: 'audio/telephone-event',
      clockRate: 8000,
      channels: 1,
      payloadType: options.dtmfPayloadType,
    }),
  ];
}

function portsOf(sdp: string): number[] {
  return [...sdp.matchAll(/a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 (\d+) typ host/g)].map((match) =>
    Number(match[1]),
  );
}
