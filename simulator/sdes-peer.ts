import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import {
  ProtectionProfileAes128CmHmacSha1_80,
  RtpHeader,
  RtpPacket,
  SrtcpSession,
  SrtpSession,
} from 'werift';
import type { Random } from '../src/platform/random.ts';
import { SDES_KEY_BYTES } from './sdp-offer.ts';
import type { OutgoingRtp } from './webrtc-peer.ts';

const KEY_BYTES = 16;

/** Meta's relay of a call on a number with SDES: SRTP on a port of its own, without ICE or DTLS. */
export type SdesPeer = {
  readonly port: number;
  /** What the relay sends with, for the answer. */
  readonly key: Uint8Array;
  readonly ssrc: number;
  send(packet: OutgoingRtp): void;
  close(): Promise<void>;
};

export type SdesPeerOptions = {
  host: string;
  random: Random;
  /** What the business sends with, from its offer. */
  businessKey: Uint8Array;
  /** A firewall in between: nothing of the business arrives. */
  deaf: boolean;
  onConnected: () => void;
  onRtp: (packet: RtpPacket) => void;
  onRtcp: () => void;
};

/**
 * Waits for the business's first SRTP packet (SIP page) and answers to wherever the first authentic
 * one came from; packets from elsewhere are nothing to it. Before, it sends nothing.
 */
export async function openSdesPeer(options: SdesPeerOptions): Promise<SdesPeer> {
  const { random } = options;
  const key = random.bytes(SDES_KEY_BYTES);
  const ssrc = 1 + random.below(0xffff_fffe);
  const crypto = sessions(key, options.businessKey);
  const socket = createSocket('udp4');
  let business: RemoteInfo | null = null;
  let sequence = random.below(65_536);
  let closed: Promise<void> | undefined;

  socket.on('message', (bytes, from) => {
    const isStranger =
      business !== null && (from.port !== business.port || from.address !== business.address);
    if (options.deaf || closed !== undefined || isStranger) return;
    const isReport = isRtcp(bytes);
    const plain = opened(isReport ? crypto.srtcp : crypto.srtp, bytes);
    if (plain === null) return;
    if (business === null) {
      business = from;
      options.onConnected();
    }
    if (isReport) options.onRtcp();
    else options.onRtp(RtpPacket.deSerialize(plain));
  });
  socket.on('error', () => undefined);
  socket.bind(0, options.host);
  await once(socket, 'listening');

  return {
    port: socket.address().port,
    key,
    ssrc,
    send(packet) {
      if (business === null || closed !== undefined) return;
      sequence = (sequence + 1) & 0xffff;
      const header = new RtpHeader({
        version: 2,
        payloadType: packet.payloadType,
        sequenceNumber: sequence,
        timestamp: packet.timestamp >>> 0,
        marker: packet.marker,
        ssrc,
      });
      const sealed = crypto.srtp.encrypt(Buffer.from(packet.payload), header);
      socket.send(sealed, business.port, business.address, () => undefined);
    },
    close: () => (closed ??= closeSocket(socket)),
  };
}

/** werift's own SRTP: the same mistake on both sides would hide itself. */
function sessions(own: Uint8Array, theirs: Uint8Array) {
  const keys = {
    localMasterKey: Buffer.from(own.subarray(0, KEY_BYTES)),
    localMasterSalt: Buffer.from(own.subarray(KEY_BYTES)),
    remoteMasterKey: Buffer.from(theirs.subarray(0, KEY_BYTES)),
    remoteMasterSalt: Buffer.from(theirs.subarray(KEY_BYTES)),
  };
  const config = { keys, profile: ProtectionProfileAes128CmHmacSha1_80 };
  return { srtp: new SrtpSession(config), srtcp: new SrtcpSession(config) };
}

function opened(session: SrtpSession | SrtcpSession, bytes: Buffer): Buffer | null {
  try {
    return session.decrypt(bytes);
  } catch {
    // Cut short, or not authentic: a packet that never was.
    return null;
  }
}

/** RFC 5761 section 4. */
function isRtcp(bytes: Buffer): boolean {
  const type = (bytes[1] ?? 0) & 0x7f;
  return type >= 64 && type <= 95;
}

function closeSocket(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.close(() => resolve());
  });
}
