import type { Clock } from '../platform/clock.ts';
import type { Random } from '../platform/random.ts';
import { Bridge } from './bridge.ts';
import { BrowserAudio } from './browser-audio.ts';
import { EndpointAudio, endpointFailure } from './endpoint-audio.ts';
import type { EndpointVoice } from './endpoint-voice.ts';
import type {
  EndpointMedia,
  EndpointMediaOptions,
  FrameTap,
  MediaEvent,
  MediaLostCause,
  MediaSecurity,
  MediaStats,
  SdesOptions,
} from './media.ts';
import { META_PEER } from './meta-answer.ts';
import { openOpusCodec } from './opus-codec.ts';
import type { RtpPacket } from './rtp.ts';
import { SdesLeg } from './sdes-leg.ts';
import type { SoundLibrary } from './sound-library.ts';
import { WebRtcLeg } from './webrtc-leg.ts';
import type { CallOrder } from './worker-protocol.ts';

export type LiveCallOptions = {
  clock: Clock;
  random: Random;
  bindAddress: string;
  connectTimeoutMs: number;
  silentAfterMs: number;
  sounds: SoundLibrary;
  port: number;
  /** Absent or null where the leg toward WhatsApp is WebRTC. */
  sdes?: SdesOptions | null;
  /** What a recording is made of. */
  onFrame?: FrameTap;
  onEvent: (event: MediaEvent) => void;
};

type PlayOrder = Extract<CallOrder, { do: 'play' }>;

/** RFC 3550 section 6.2: every 5 s, which also keeps a silent leg alive for Meta. */
const FRAMES_PER_REPORT = 250;

/** One call inside a worker: the WhatsApp leg, its endpoint legs, and the bridge between them. */
export class LiveCall {
  readonly #options: LiveCallOptions;
  readonly #bridge: Bridge;
  readonly #whatsapp: WebRtcLeg | SdesLeg;
  readonly #endpoints = new Map<string, EndpointVoice>();
  readonly #cname: string;
  /** What the endpoint in use settled; kept when its leg is closed. */
  #settled: { media: EndpointMedia; suite: MediaSecurity | null } | undefined;
  #connectedAt: number | null = null;
  #frames = 0;
  #closed = false;

  constructor(options: LiveCallOptions) {
    this.#options = options;
    this.#cname = Buffer.from(options.random.bytes(9)).toString('base64url');
    this.#bridge = new Bridge({
      ...options,
      sendToWhatsApp: (packet) => this.#whatsapp.send(packet),
      openOpus: openOpusCodec,
      onEvent: (event) => this.#emit(event),
    });
    this.#whatsapp = this.#newWhatsAppLeg();
  }

  /** Binds what the engine does not bind by itself. Throws `Failure` `media_no_capacity`. */
  async open(): Promise<void> {
    if (this.#whatsapp instanceof SdesLeg) await this.#whatsapp.open();
  }

  get offer(): string {
    return this.#whatsapp.offer;
  }

  applyAnswer(sdp: string): void {
    this.#whatsapp.applyAnswer(sdp);
  }

  openEndpoint(legId: string, port: number, options: EndpointMediaOptions): Promise<string> {
    const audio = this.#endpoints.get(legId) ?? this.#newVoice(legId, options.browser === true);
    this.#endpoints.set(legId, audio);
    return audio.open(port, options);
  }

  async applyEndpointAnswer(legId: string, sdp: string): Promise<EndpointMedia> {
    return this.#endpoint(legId).applyAnswer(sdp);
  }

  async answerEndpointOffer(legId: string, sdp: string): Promise<string> {
    return this.#endpoint(legId).answerOffer(sdp);
  }

  closeEndpoint(legId: string): void {
    const audio = this.#endpoints.get(legId);
    if (audio === undefined) return;
    this.#settle();
    this.#endpoints.delete(legId);
    this.#bridge.closeLeg(legId);
    audio.close();
  }

  /** Does what it is told; what has no leg to do it on, or is done already, does nothing. */
  obey(order: CallOrder): void {
    const bridge = this.#bridge;
    switch (order.do) {
      case 'bridge':
        return bridge.bridge();
      case 'ringMeanwhile':
        return bridge.ringMeanwhile();
      case 'hold':
        return bridge.setHeld(order.sound);
      case 'resume':
        return bridge.setHeld(null);
      case 'useEndpoint':
        return bridge.useEndpoint(order.legId);
      case 'addListener':
        return bridge.setListener(order.legId, order.mode);
      case 'removeListener':
        return bridge.setListener(order.legId, null);
      case 'setMuted':
        return bridge.setMuted(order, order.muted);
      case 'play':
        return this.#play(order);
      case 'stopPlaying':
        return bridge.find(order)?.path.player.stop();
      case 'sendDtmf':
        for (const digit of order.digits) bridge.sendDigit(order, digit);
        return;
    }
  }

  /** Runs every 20 ms. */
  tick(): void {
    this.#bridge.tick();
    this.#frames += 1;
    if (this.#frames % FRAMES_PER_REPORT === 0) this.#report();
  }

  stats(): MediaStats {
    this.#settle();
    const codec = this.#settled?.media.codec ?? null;
    return {
      codec,
      transcoded: codec !== null && codec !== 'opus',
      srtp: this.#settled?.suite ?? null,
      iceConnectedAt: this.#whatsapp.iceConnectedAt,
      connectedAt: this.#connectedAt,
      whatsappSrtp: this.#connectedAt === null ? null : this.#whatsapp.security,
      whatsappCodec: this.#connectedAt === null ? null : this.#bridge.whatsapp.traffic.codec,
      whatsapp: this.#bridge.whatsapp.stats(),
      endpoint: this.#bridge.endpointStats(),
    };
  }

  close(): void {
    if (this.#closed) return;
    this.#settle();
    this.#closed = true;
    this.#whatsapp.close();
    for (const audio of this.#endpoints.values()) audio.close();
    this.#bridge.close();
  }

  /** From the first moment that packets can leave, silence does. */
  #connected(): void {
    const answer = this.#whatsapp.answer;
    if (answer === undefined) return;
    const { opusPayloadType: payloadType, eventPayloadType } = answer;
    this.#connectedAt = this.#options.clock.now();
    const events = eventPayloadType === null ? null : { payloadType: eventPayloadType };
    this.#bridge.connect(this.#bridge.whatsapp, {
      codec: 'opus',
      sendPayloadType: payloadType,
      receivePayloadTypes: [{ codec: 'opus', payloadType }],
      sendEvents: events === null ? null : { ...events, clockRate: 8000 },
      receiveEvents: events === null ? [] : [{ ...events, clockRate: 8000 }],
    });
    const isSdes = this.#whatsapp instanceof SdesLeg;
    this.#emit({ kind: 'connected', ...(isSdes ? { keyExchange: 'sdes' as const } : {}) });
  }

  #newWhatsAppLeg(): WebRtcLeg | SdesLeg {
    const bridge = this.#bridge;
    const leg = bridge.whatsapp;
    const options = {
      ...this.#options,
      ssrc: leg.stream?.ssrc ?? 0,
      cname: this.#cname,
      onConnected: () => this.#connected(),
      onPacket: (packet: RtpPacket) => bridge.hear(leg, packet),
      onRtcp: (bytes: Uint8Array) => bridge.heardRtcp(leg, bytes),
    };
    const { sdes = null } = options;
    if (sdes !== null) {
      return new SdesLeg({
        ...options,
        ...sdes,
        onUseless: (cause) => bridge.useless(leg, cause),
      });
    }
    const onLost = (cause: MediaLostCause): void => this.#emit({ kind: 'lost', cause });
    return new WebRtcLeg({ ...options, peer: META_PEER, onLost });
  }

  #play(order: PlayOrder): void {
    const { leg, legId, playId, sound, loop, interrupt } = order;
    const target = this.#bridge.find(order);
    if (target === undefined) {
      const name = legId === undefined ? { leg } : { leg, legId };
      this.#emit({ kind: 'played', ...name, playId, completed: false });
      return;
    }
    const { player } = target.path;
    if (interrupt) player.stop();
    player.play({ playId, loop }, this.#options.sounds.load(sound));
  }

  #newVoice(legId: string, isBrowser: boolean): EndpointVoice {
    const { clock, random, bindAddress } = this.#options;
    const bridge = this.#bridge;
    if (!isBrowser) return new EndpointAudio({ random, bindAddress, bridge, legId });
    const onGone = (): void => this.#emit({ kind: 'endpointGone', legId });
    return new BrowserAudio({ clock, bindAddress, bridge, legId, cname: this.#cname, onGone });
  }

  #endpoint(legId: string): EndpointVoice {
    const audio = this.#endpoints.get(legId);
    if (audio === undefined) throw endpointFailure('its port is not open yet');
    return audio;
  }

  #settle(): void {
    const audio = this.#endpoints.get(this.#bridge.endpointInUse);
    if (audio?.media === undefined) return;
    this.#settled = { media: audio.media, suite: audio.security };
  }

  #report(): void {
    const report = this.#bridge.whatsapp.report(this.#cname);
    if (report !== null) this.#whatsapp.send(report);
    for (const audio of this.#endpoints.values()) audio.report(this.#cname);
  }

  #emit(event: MediaEvent): void {
    if (!this.#closed) this.#options.onEvent(event);
  }
}
