import { Audio, PeerConnection, type Track } from 'node-datachannel';
import type { Clock, TimerHandle } from '../platform/clock.ts';
import { errorText, type Failure } from '../platform/failure.ts';
import { invariant } from '../platform/invariant.ts';
import { isRefused, type Refused } from '../platform/refusal.ts';
import type { WebRtcAnswer } from './webrtc-answer.ts';
import { EVENT_PAYLOAD_TYPE, OPUS_PAYLOAD_TYPE } from './whatsapp-offer.ts';
import type { MediaLostCause } from './media.ts';
import { NegotiatedSource } from './negotiated-source.ts';
import { isRtcp, parseRtp, type RtpPacket } from './rtp.ts';

/**
 * The leg's life:
 *
 *   offered ──answerApplied──▶ connecting ──opened──▶ connected
 *      └───────── ended ──────────┴───────── ended ──────┴──▶ ended
 *
 * `ended` is final: whatever the engine still reports afterwards is ignored.
 */
const LEG_MOVES = {
  offered: { answerApplied: 'connecting', ended: 'ended' },
  connecting: { opened: 'connected', ended: 'ended' },
  connected: { ended: 'ended' },
  ended: {},
} as const satisfies Record<string, Partial<Record<LegMove, string>>>;

type LegMove = 'answerApplied' | 'opened' | 'ended';
type LegState = keyof typeof LEG_MOVES;

/** What differs between Meta and a browser on the other side. */
export type WebRtcPeer = {
  name: string;
  offer: (engineOffer: string, own: { ssrc: number; cname: string; port: number }) => string;
  /** Guard G4: reads the answer before the engine sees it. */
  check: (answer: string) => WebRtcAnswer | Refused;
  /** `rule` is the code of the rule that the answer broke, where one did. */
  refused: (message: string, rule?: string, cause?: unknown) => Failure;
};

export type WebRtcLegOptions = {
  peer: WebRtcPeer;
  clock: Clock;
  bindAddress: string;
  /** Free, and kept free for us by the allocator: the engine aborts the process otherwise. */
  port: number;
  ssrc: number;
  cname: string;
  connectTimeoutMs: number;
  onConnected: () => void;
  onLost: (cause: MediaLostCause) => void;
  /** An RTP packet that passed guard G8. */
  onPacket: (packet: RtpPacket) => void;
  onRtcp: (bytes: Uint8Array) => void;
};

/**
 * A WebRTC leg, toward Meta or a browser: we offer, are ICE-controlling and DTLS server. Every
 * native call is made in a state known to be good (guard G3), and what throws is closed at once
 * (guard G6).
 */
export class WebRtcLeg {
  readonly offer: string;
  readonly security = 'DTLS_SRTP';
  readonly #options: WebRtcLegOptions;
  // Strong references to both for as long as the leg lives: their destructors close (guard G6).
  readonly #connection: PeerConnection;
  readonly #track: Track;
  readonly #source = new NegotiatedSource();
  #state: LegState = 'offered';
  #answer: WebRtcAnswer | undefined;
  #answerText: string | undefined;
  #connectTimer: TimerHandle | undefined;
  #iceConnectedAt: number | null = null;

  constructor(options: WebRtcLegOptions) {
    this.#options = options;
    this.#connection = new PeerConnection(options.peer.name, {
      iceServers: [],
      disableAutoNegotiation: true,
      forceMediaTransport: true,
      bindAddress: options.bindAddress,
      portRangeBegin: options.port,
      portRangeEnd: options.port,
    });
    this.#track = this.#connection.addTrack(audioDescription(options));
    this.#listen();
    // Guard G3: the only place that makes an offer, exactly once, right after addTrack.
    this.#connection.setLocalDescription('offer');
    const local = this.#connection.localDescription();
    invariant(local !== null, 'the engine made no offer');
    this.offer = options.peer.offer(local.sdp, options);
  }

  /** When ICE found a way to the other side, by the wall clock. */
  get iceConnectedAt(): number | null {
    return this.#iceConnectedAt;
  }

  get answer(): WebRtcAnswer | undefined {
    return this.#answer;
  }

  /**
   * Applies the answer. The same text again does nothing; another one is refused and leaves the
   * leg as it is. Throws the `Failure` that its peer has for it.
   */
  applyAnswer(text: string): void {
    if (this.#answerText === text) return;
    if (this.#state !== 'offered')
      throw this.#options.peer.refused('An answer was applied before.');
    const answer = this.#options.peer.check(text);
    if (isRefused(answer)) {
      this.close();
      throw this.#options.peer.refused(answer.refused.message, answer.refused.code);
    }
    try {
      this.#connection.setRemoteDescription(answer.sdp, 'answer');
    } catch (error) {
      // The engine would stay in `connecting` with its socket open (guard G6).
      this.close();
      const message = `The media engine refused it: ${errorText(error)}.`;
      throw this.#options.peer.refused(message, undefined, error);
    }
    this.#answerText = text;
    this.#answer = answer;
    this.#move('answerApplied');
    this.#connectTimer = this.#options.clock.after(this.#options.connectTimeoutMs, () =>
      this.#lose(this.#iceConnectedAt === null ? 'media_connect_timeout' : 'media_dtls_failed'),
    );
  }

  /** Where ICE found the other side; null while it has not. */
  remote(): { address: string; port: number } | null {
    if (this.#state !== 'connected') return null;
    const pair = this.#connection.getSelectedCandidatePair();
    return pair === null ? null : { address: pair.remote.address, port: pair.remote.port };
  }

  /** Sends RTP or RTCP; false when the leg is not up or SRTP refused the packet. */
  send(packet: Buffer): boolean {
    if (this.#state !== 'connected') return false;
    try {
      return this.#track.sendMessageBinary(packet);
    } catch {
      return false;
    }
  }

  /** May be called twice. The port is free about 30 ms later. */
  close(): void {
    if (!this.#move('ended')) return;
    this.#connectTimer?.cancel();
    // In this order: native callbacks are strong references until the track is closed (guard G6).
    for (const part of [this.#track, this.#connection]) {
      try {
        part.close();
      } catch {
        // Already closed by the engine itself.
      }
    }
  }

  #listen(): void {
    // Guard G7: without a handler the wrapper keeps a freed track and crashes at exit.
    this.#track.onClosed(() => {});
    this.#track.onError(() => {});
    this.#track.onOpen(() => {
      if (!this.#move('opened')) return;
      this.#connectTimer?.cancel();
      this.#options.onConnected();
    });
    this.#track.onMessage((bytes) => this.#receive(bytes));
    this.#connection.onIceStateChange((state) => {
      const found = state === 'connected' || state === 'completed';
      if (found && this.#state !== 'ended') this.#iceConnectedAt ??= this.#options.clock.now();
    });
    this.#connection.onStateChange((state) => {
      if (state !== 'failed' && state !== 'closed' && state !== 'disconnected') return;
      // Guard G10: the peer's close, a forged alert or ICE giving up, none of them our doing.
      const early = this.#iceConnectedAt === null ? 'media_ice_failed' : 'media_dtls_failed';
      this.#lose(this.#state === 'connected' ? 'media_transport_lost' : early);
    });
  }

  #lose(cause: MediaLostCause): void {
    if (this.#state === 'ended') return;
    this.close();
    this.#options.onLost(cause);
  }

  #receive(bytes: Uint8Array): void {
    if (this.#state !== 'connected') return;
    if (isRtcp(bytes)) {
      this.#options.onRtcp(bytes);
      return;
    }
    const packet = parseRtp(bytes);
    if (packet === null || !this.#source.accepts(packet, this.#answer)) return;
    this.#options.onPacket(packet);
  }

  /** Moves along the table; false where it has no such move. */
  #move(move: LegMove): boolean {
    const moves: Partial<Record<LegMove, LegState>> = LEG_MOVES[this.#state];
    const next = moves[move];
    if (next === undefined) return false;
    this.#state = next;
    return true;
  }
}

function audioDescription(options: WebRtcLegOptions): Audio {
  const audio = new Audio('0', 'SendRecv');
  audio.addOpusCodec(OPUS_PAYLOAD_TYPE, 'minptime=10;useinbandfec=1');
  // `addAudioCodec` would write /48000/2, which is wrong for events.
  audio.parseSdpLine(`a=rtpmap:${EVENT_PAYLOAD_TYPE} telephone-event/8000`);
  audio.parseSdpLine(`a=fmtp:${EVENT_PAYLOAD_TYPE} 0-15`);
  audio.parseSdpLine('a=ptime:20');
  audio.addSSRC(options.ssrc, options.cname);
  return audio;
}
