import { createSocket } from 'node:dgram';
import { ProtectionProfileAes128CmHmacSha1_80, RtpHeader, SrtcpSession, SrtpSession } from 'werift';
import { isRtcp, parseRtp, type RtpPacket } from '../src/media/rtp.ts';
import { systemRandom } from '../src/platform/random.ts';

/**
 * Meta's side of a call on a number with SDES, for the media tests: an answer of its shape, and
 * SRTP by werift, so that our SRTP never meets itself.
 */
export type SdesMeta = {
  readonly answer: string;
  /** RTP of the business that was authentic, newest last. */
  readonly received: RtpPacket[];
  reports(): number;
  sendAudio(opus: Uint8Array): void;
  sendEvent(payload: Uint8Array, starts: boolean, last: boolean): void;
  /** Authentic packets that were never sent. */
  sealed(opus: Uint8Array, count: number): Buffer[];
  /** A datagram as it is, from the address of the answer. */
  sendRaw(datagram: Buffer): Promise<void>;
  /** Is given each datagram that leaves. */
  onSent: ((datagram: Buffer) => void) | null;
  close(): void;
};

const KEY_BYTES = 16;
const SSRC = 4711;

/** Without an offer nothing of ours can be read. */
export async function openSdesMeta(offer: string | null): Promise<SdesMeta> {
  const own = Buffer.from(systemRandom.bytes(30));
  const [, inline = ''] =
    /^a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:(\S+)/m.exec(offer ?? '') ?? [];
  const business = offer === null ? Buffer.alloc(30) : Buffer.from(inline, 'base64');
  const target = Number(/^m=audio (\d+) /m.exec(offer ?? '')?.[1]);
  const { srtp, srtcp } = sessions(own, business);
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => {
    socket.bind(0, '127.0.0.1', resolve);
  });
  let reports = 0;
  let sequence = 65_530;
  let timestamp = 0xffff_f000;
  const received: RtpPacket[] = [];
  socket.on('message', (bytes) => {
    const isReport = isRtcp(bytes);
    const plain = (isReport ? srtcp : srtp).decrypt(bytes);
    if (isReport) reports += 1;
    const packet = isReport ? null : parseRtp(plain);
    if (packet !== null) received.push(packet);
  });
  const seal = (payloadType: number, payload: Uint8Array, marker: boolean): Buffer => {
    const header = new RtpHeader({
      version: 2,
      payloadType,
      sequenceNumber: sequence & 0xffff,
      timestamp: timestamp >>> 0,
      ssrc: SSRC,
      marker,
    });
    sequence += 1;
    return srtp.encrypt(Buffer.from(payload), header);
  };
  const send = (datagram: Buffer): void => {
    meta.onSent?.(datagram);
    socket.send(datagram, target, '127.0.0.1');
  };
  const meta: SdesMeta = {
    answer: answerOf(socket.address().port, own),
    received,
    reports: () => reports,
    onSent: null,
    sendAudio(opus) {
      send(seal(111, opus, false));
      timestamp += 960;
    },
    sendEvent(payload, starts, last) {
      send(seal(126, payload, starts));
      if (last) timestamp += 4800;
    },
    sealed: (opus, count) => Array.from({ length: count }, () => seal(111, opus, false)),
    sendRaw: (datagram) =>
      new Promise((resolve) => {
        socket.send(datagram, target, '127.0.0.1', () => resolve());
      }),
    close: () => socket.close(),
  };
  return meta;
}

function sessions(own: Buffer, business: Buffer): { srtp: SrtpSession; srtcp: SrtcpSession } {
  const keys = {
    localMasterKey: own.subarray(0, KEY_BYTES),
    localMasterSalt: own.subarray(KEY_BYTES),
    remoteMasterKey: business.subarray(0, KEY_BYTES),
    remoteMasterSalt: business.subarray(KEY_BYTES),
  };
  const config = { keys, profile: ProtectionProfileAes128CmHmacSha1_80 };
  return { srtp: new SrtpSession(config), srtcp: new SrtcpSession(config) };
}

function answerOf(port: number, key: Buffer): string {
  return [
    'v=0',
    'o=- 1764000000000 2 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    `m=audio ${port} RTP/SAVP 111 126`,
    'c=IN IP4 127.0.0.1',
    `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${key.toString('base64')}`,
    'a=sendrecv',
    'a=rtcp-mux',
    'a=rtpmap:111 opus/48000/2',
    'a=rtpmap:126 telephone-event/8000',
    'a=ptime:20',
    `a=ssrc:${SSRC} cname:WhatsAppAudioStream1`,
    '',
  ].join('\r\n');
}
