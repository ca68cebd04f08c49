import { delay, type Clock } from '../platform/clock.ts';
import { browserFailure, browserPeer } from './browser-peer.ts';
import type { Bridge } from './bridge.ts';
import type { BridgeLeg } from './bridge-leg.ts';
import type { EndpointVoice } from './endpoint-voice.ts';
import type { EndpointMedia, EndpointMediaOptions, MediaSecurity } from './media.ts';
import { canBind } from './port-allocator.ts';
import type { WebRtcAnswer } from './webrtc-answer.ts';
import { WebRtcLeg } from './webrtc-leg.ts';

export type BrowserAudioOptions = {
  clock: Clock;
  bindAddress: string;
  bridge: Bridge;
  legId: string;
  cname: string;
  /** It was connected, and is gone without our doing: a closed tab, a lost network. */
  onGone: () => void;
};

/** Below the time in which the worker must answer; a browser nearby needs a tenth of it. */
const CONNECT_MS = 4_000;
/** The engine's socket of an offer before is free some 30 ms after its close. */
const PORT_TRIES = 40;
const PORT_RETRY_MS = 25;

/**
 * The audio of one agent's browser: WebRTC as toward WhatsApp, with the same guards, and Opus from
 * one to the other as it came. It is agreed when it is connected, not before: an agent who said
 * yes and cannot be heard is nobody for the customer.
 */
export class BrowserAudio implements EndpointVoice {
  readonly leg: BridgeLeg;
  readonly #options: BrowserAudioOptions;
  #webrtc: WebRtcLeg | null = null;
  #connected: PromiseWithResolvers<void> | null = null;
  #media: EndpointMedia | undefined;
  #closed = false;

  constructor(options: BrowserAudioOptions) {
    this.#options = options;
    this.leg = options.bridge.openLeg(options.legId, (packet) => this.#send(packet));
    this.leg.prepareOpusStream();
  }

  get media(): EndpointMedia | undefined {
    return this.#media;
  }

  get security(): MediaSecurity | null {
    return this.#media === undefined ? null : 'DTLS_SRTP';
  }

  async open(port: number, options: EndpointMediaOptions): Promise<string> {
    if (this.#media !== undefined) throw browserFailure('Its audio is agreed already.');
    const { clock, bindAddress, bridge, cname } = this.#options;
    this.leg.holdSound = options.holdSound ?? null;
    this.#webrtc?.close();
    this.#webrtc = null;
    // Guard G1: the engine ends the process where the port is not free.
    for (let tries = 1; !(await canBind(bindAddress, port)); tries += 1) {
      if (tries === PORT_TRIES) throw browserFailure(`UDP port ${port} is not free.`);
      await delay(clock, PORT_RETRY_MS);
    }
    if (this.#closed) throw browserFailure('The leg was closed meanwhile.');
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    // Somebody waits for it only once there is an answer.
    promise.catch(() => {});
    this.#connected = { promise, resolve, reject };
    const webrtc = new WebRtcLeg({
      clock,
      bindAddress,
      port,
      cname,
      ssrc: this.leg.stream?.ssrc ?? 0,
      peer: browserPeer(options.advertisedAddress),
      connectTimeoutMs: CONNECT_MS,
      onConnected: resolve,
      onLost: (cause) => {
        if (this.#webrtc !== webrtc) return;
        reject(browserFailure(`No packets came through (${cause}).`));
        if (this.#media !== undefined && !this.#closed) this.#options.onGone();
      },
      onPacket: (packet) => bridge.hear(this.leg, packet),
      onRtcp: (bytes) => bridge.heardRtcp(this.leg, bytes),
    });
    this.#webrtc = webrtc;
    return webrtc.offer;
  }

  async applyAnswer(sdp: string): Promise<EndpointMedia> {
    const webrtc = this.#webrtc;
    if (webrtc === null || this.#connected === null) {
      throw browserFailure('Its port is not open yet.');
    }
    webrtc.applyAnswer(sdp);
    await this.#connected.promise;
    const { answer } = webrtc;
    if (answer === undefined) throw browserFailure('The leg was closed meanwhile.');
    this.#connect(answer);
    const { address, port } = webrtc.remote() ?? { address: '', port: 0 };
    this.#media = {
      codec: 'opus',
      dtmf: answer.eventPayloadType !== null,
      srtp: true,
      remoteAddress: address,
      remotePort: port,
    };
    return this.#media;
  }

  /** A browser asks for nothing inside a call: hold and mute are orders to us. */
  answerOffer(): Promise<string> {
    return Promise.reject(browserFailure('A browser makes no offers.'));
  }

  report(cname: string): void {
    const report = this.leg.report(cname);
    if (report !== null) this.#send(report);
  }

  close(): void {
    this.#closed = true;
    this.#connected?.reject(browserFailure('The leg was closed.'));
    this.#webrtc?.close();
  }

  #connect({ opusPayloadType: payloadType, eventPayloadType }: WebRtcAnswer): void {
    const events = eventPayloadType === null ? null : { payloadType: eventPayloadType };
    this.#options.bridge.connect(this.leg, {
      codec: 'opus',
      sendPayloadType: payloadType,
      receivePayloadTypes: [{ codec: 'opus', payloadType }],
      sendEvents: events === null ? null : { ...events, clockRate: 8_000 },
      receiveEvents: events === null ? [] : [{ ...events, clockRate: 8_000 }],
    });
  }

  #send(packet: Buffer): boolean {
    return this.#webrtc?.send(packet) ?? false;
  }
}
