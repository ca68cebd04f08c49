import { RTCPeerConnection, RTCRtpCodecParameters, RtpHeader } from 'werift';
import { invariant } from '../src/platform/invariant.ts';
import { parseRtp, type RtpPacket } from '../src/media/rtp.ts';

/**
 * Meta's side of a call for the media tests: a real ICE-lite, DTLS-client, SRTP answerer behind
 * an answer of Meta's shape. werift, because node-datachannel against itself hides real faults.
 */
export type MetaPeer = {
  readonly answer: string;
  readonly connected: Promise<void>;
  /** RTP that came in, newest last. */
  readonly received: RtpPacket[];
  sendAudio(opus: Uint8Array): void;
  /** As `sendAudio`, with its own keys, as a source that the SDP does not name. */
  sendAsStranger(opus: Uint8Array): void;
  /** Leaves out so many sequence numbers. */
  leaveOut(packets: number): void;
  sendEvent(payload: Uint8Array, starts: boolean, last: boolean): void;
  /** A datagram as it is, from the address that our side is connected to. */
  sendRaw(datagram: Buffer): Promise<void>;
  close(): Promise<void>;
};

const OPUS = 111;
const EVENTS = 126;

export async function openMetaPeer(
  offer: string,
  setup: 'active' | 'actpass' = 'active',
  opus = OPUS,
): Promise<MetaPeer> {
  const connection = new RTCPeerConnection({
    iceLite: true,
    iceUseIpv6: false,
    iceUseTcp: false,
    iceServers: [],
    iceAdditionalHostAddresses: ['127.0.0.1'],
    bundlePolicy: 'max-bundle',
    codecs: {
      audio: [
        new RTCRtpCodecParameters({ mimeType: 'audio/opus', clockRate: 48_000, channels: 2 }),
        new RTCRtpCodecParameters({ mimeType: 'audio/telephone-event', clockRate: 8000 }),
      ],
    },
  });
  const received: RtpPacket[] = [];
  connection.onTrack.subscribe((track) => {
    track.onReceiveRtp.subscribe((packet) => {
      const parsed = parseRtp(packet.serialize());
      if (parsed !== null) received.push(parsed);
    });
  });
  const connected = new Promise<void>((resolve) => {
    connection.connectionStateChange.subscribe((state) => {
      if (state === 'connected') resolve();
    });
  });
  await connection.setRemoteDescription({ type: 'offer', sdp: offer });
  const [transceiver] = connection.getTransceivers();
  invariant(transceiver !== undefined, 'the offer has no audio');
  transceiver.setDirection('sendrecv');
  await connection.setLocalDescription(await connection.createAnswer());
  const local = connection.localDescription?.sdp ?? '';
  const { sender } = transceiver;
  let sequence = 1000;
  let timestamp = 960_000;
  const send = (
    payloadType: number,
    payload: Uint8Array,
    marker: boolean,
    ssrc: number = sender.ssrc,
  ): void => {
    const header = new RtpHeader({
      version: 2,
      payloadType,
      sequenceNumber: sequence & 0xffff,
      timestamp: timestamp >>> 0,
      ssrc,
      marker,
    });
    sequence += 1;
    sender.dtlsTransport.sendRtp(Buffer.from(payload), header).catch(() => {});
  };
  return {
    answer: metaShaped(local, sender.ssrc, setup, opus),
    connected,
    received,
    sendAudio(payload) {
      send(opus, payload, false);
      timestamp += 960;
    },
    sendAsStranger(payload) {
      send(opus, payload, false, (sender.ssrc ^ 0xffff) >>> 0);
    },
    leaveOut(packets) {
      sequence += packets;
    },
    sendEvent(payload, starts, last) {
      send(EVENTS, payload, starts);
      // All packets of an event carry the time of its start.
      if (last) timestamp += 4800;
    },
    sendRaw: async (datagram) => {
      await connection.iceTransports[0]?.connection.send(datagram);
    },
    close() {
      // werift goes on resending a handshake for half a minute; this tells it that it is over.
      for (const { dtls } of connection.dtlsTransports) if (dtls) dtls.dtls.flight = 99;
      return connection.close();
    },
  };
}

/** One IPv4 and one unreachable IPv6 candidate of higher priority, in the order Meta writes. */
function metaShaped(sdp: string, ssrc: number, setup: string, opus: number): string {
  const value = (name: string): string =>
    new RegExp(`^a=${name}:(.+?)\\r?$`, 'm').exec(sdp)?.[1] ?? '';
  const trailer = 'generation 0 network-cost 50';
  const port = / 127\.0\.0\.1 (\d+) typ host/.exec(sdp)?.[1] ?? '9';
  return [
    'v=0',
    'o=- 1764000000000 2 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0',
    'a=msid-semantic: WMS 6c7d8a52',
    'a=ice-lite',
    `m=audio ${port} UDP/TLS/RTP/SAVPF ${opus} ${EVENTS}`,
    'c=IN IP4 127.0.0.1',
    'a=rtcp:9 IN IP4 0.0.0.0',
    `a=candidate:1775604301 1 udp 2122260223 127.0.0.1 ${port} typ host ${trailer}`,
    `a=candidate:2005610531 1 udp 2122262783 2001:db8::1 ${port} typ host ${trailer}`,
    `a=ice-ufrag:${value('ice-ufrag')}`,
    `a=ice-pwd:${value('ice-pwd')}`,
    `a=fingerprint:${value('fingerprint')}`,
    `a=setup:${setup}`,
    'a=mid:0',
    'a=sendrecv',
    'a=msid:6c7d8a52 WhatsAppTrack1',
    'a=rtcp-mux',
    `a=rtpmap:${opus} opus/48000/2`,
    `a=rtcp-fb:${opus} transport-cc`,
    `a=fmtp:${opus} maxaveragebitrate=20000;maxplaybackrate=16000;minptime=20;useinbandfec=1`,
    `a=rtpmap:${EVENTS} telephone-event/8000`,
    'a=maxptime:20',
    'a=ptime:20',
    `a=ssrc:${ssrc} cname:WhatsAppAudioStream1`,
    '',
  ].join('\r\n');
}
