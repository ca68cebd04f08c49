import type { Clock } from '../platform/clock.ts';
import type { Random } from '../platform/random.ts';
import type { PathInput } from './audio-path.ts';
import { BridgeLeg, type LegPlan } from './bridge-leg.ts';
import { DeadAirWatch } from './dead-air.ts';
import type { DigitHeard } from './dtmf.ts';
import type { MediaDirection } from './endpoint-sdp.ts';
import type { FrameCodec } from './frame-codec.ts';
import { LegTraffic } from './leg-traffic.ts';
import { MAIN_LEG } from './media.ts';
import type { FrameTap, LegStats, ListenerMode, MediaEvent, SilenceCause, Sound } from './media.ts';
import type { RtpPacket } from './rtp.ts';
import type { SoundLibrary } from './sound-library.ts';
import type { Voice } from './voice.ts';
import { hears } from './who-hears-whom.ts';
import type { LegName } from './worker-protocol.ts';

export type BridgeOptions = {
  clock: Clock;
  random: Random;
  sounds: SoundLibrary;
  silentAfterMs: number;
  sendToWhatsApp: (packet: Buffer) => boolean;
  openOpus: () => Promise<FrameCodec>;
  /** Is given what comes in from the customer and from the endpoint in use, as it came. */
  onFrame?: FrameTap;
  onEvent: (event: MediaEvent) => void;
};

const RINGING: Sound = { kind: 'builtin', name: 'ringing' };
const HOLD_MUSIC: Sound = { kind: 'builtin', name: 'hold_music' };

/**
 * Joins the legs of a call, packet in, packet out; sockets and engines are elsewhere. Every leg
 * always gets a stream: silence or a waiting sound until `bridge()`, afterwards whoever it hears
 * by `who-hears-whom.ts`. A single source in the same codec passes untouched; only another codec,
 * or two at once, are decoded, mixed and encoded. Digits are heard on every leg, reported, and
 * played again between the customer and the endpoint in use.
 */
export class Bridge {
  readonly whatsapp: BridgeLeg;
  readonly #options: BridgeOptions;
  readonly #endpoints = new Map<string, BridgeLeg>();
  #legs: readonly BridgeLeg[];
  #inUse = MAIN_LEG;
  /** The endpoint leg in use, or the one that was used last: figures outlive their leg. */
  #lastUsed: BridgeLeg | undefined;
  #bridged = false;
  #ringing = false;
  #held: Sound | null = null;
  readonly #deadAir = new DeadAirWatch();
  #closed = false;

  constructor(options: BridgeOptions) {
    this.#options = options;
    const send = options.sendToWhatsApp;
    this.whatsapp = new BridgeLeg({ ...options, leg: 'whatsapp', send });
    this.#legs = [this.whatsapp];
  }

  get endpointInUse(): string {
    return this.#inUse;
  }

  /** A new endpoint leg; the one named `main` is in use from the start. */
  openLeg(legId: string, send: (packet: Buffer) => boolean): BridgeLeg {
    const leg = new BridgeLeg({ ...this.#options, leg: 'endpoint', legId, send });
    this.#endpoints.set(legId, leg);
    this.#legs = [this.whatsapp, ...this.#endpoints.values()];
    this.#route();
    return leg;
  }

  closeLeg(legId: string): void {
    const leg = this.#endpoints.get(legId);
    if (leg === undefined) return;
    this.#endpoints.delete(legId);
    this.#legs = [this.whatsapp, ...this.#endpoints.values()];
    // Nobody may still hear it when its codec goes.
    this.#route();
    leg.close();
  }

  /** The SDP of a leg is known, for the first time or after a new offer. */
  connect(leg: BridgeLeg, plan: LegPlan): void {
    leg.connect(plan);
    this.#route();
  }

  /** Direction as the endpoint sees it; anything but `sendrecv` is its own hold. */
  setDirection(leg: BridgeLeg, direction: MediaDirection): void {
    leg.direction = direction;
    this.#route();
  }

  /** The customer hears a ringing tone until `bridge()`. */
  ringMeanwhile(): void {
    this.#ringing = true;
    this.#route();
  }

  /** From now on audio passes. May be called twice. */
  bridge(): void {
    this.#bridged = true;
    this.#route();
  }

  /** `null` ends the hold. */
  setHeld(sound: Sound | null): void {
    this.#held = sound;
    this.#route();
  }

  useEndpoint(legId: string): void {
    this.#inUse = legId;
    this.#route();
  }

  setListener(legId: string, mode: ListenerMode | null): void {
    const leg = this.#endpoints.get(legId);
    if (leg === undefined) return;
    leg.listener = mode;
    this.#route();
  }

  setMuted(name: LegName, muted: boolean): void {
    const leg = this.find(name);
    if (leg === undefined) return;
    leg.muted = muted;
    this.#route();
  }

  sendDigit(name: LegName, digit: string, durationMs?: number): void {
    const leg = this.find(name);
    if (leg !== undefined) this.#press(leg, digit, durationMs);
  }

  /** The leg of that name, the endpoint in use where it has no id. */
  find({ leg, legId }: LegName): BridgeLeg | undefined {
    return leg === 'whatsapp' ? this.whatsapp : this.#endpoints.get(legId ?? this.#inUse);
  }

  /** A packet that came in on a leg. */
  hear(leg: BridgeLeg, packet: RtpPacket): void {
    if (leg.plan === undefined) return;
    const format = leg.formatOf(packet.payloadType);
    const isAudio = format !== undefined && 'codec' in format;
    const turned = isAudio ? leg.turnedTo(format.codec) : null;
    if (turned !== null) this.connect(leg, turned);
    const { plan } = leg;
    if (format === undefined || (isAudio && format.codec !== plan.codec)) {
      return leg.traffic.watch.noteUseless('wrong_codec');
    }
    const now = this.#now();
    leg.tell(leg.traffic.watch.heard(now));
    const isFirst = leg.traffic.noteReceived(packet, isAudio, this.#options.clock);
    if (isFirst) leg.tell({ kind: 'firstAudio', leg: leg.leg });
    if (isAudio) this.#audio(leg, plan, packet);
    else this.#digits(leg, leg.traffic.event(packet, format.clockRate, now));
  }

  /** A datagram came from or for an endpoint that never became a packet. */
  useless(leg: BridgeLeg, cause: SilenceCause): void {
    leg.traffic.watch.noteUseless(cause);
  }

  /** RTCP counts as a sign of life too. */
  heardRtcp(leg: BridgeLeg, bytes: Uint8Array): void {
    leg.heardReports(bytes);
    leg.tell(leg.traffic.watch.heard(this.#now()));
  }

  /** Runs every 20 ms. */
  tick(): void {
    for (const { voice } of this.#legs) voice.advance();
    for (const { path, listens } of this.#legs) {
      // RFC 3264 section 5.1: nothing is sent to one that offered sendonly or inactive.
      if (listens) path.tick();
      else path.rest();
    }
    const now = this.#now();
    for (const leg of this.#legs) {
      this.#digits(leg, leg.traffic.dtmf.tick(now));
      leg.tell(leg.traffic.watch.tick(now));
    }
    this.#watchDeadAir(now);
  }

  /** Of the endpoint in use, or of the one that was used last. */
  endpointStats(): LegStats {
    return this.#lastUsed?.stats() ?? new LegTraffic('endpoint', 'PCMU', 0).stats();
  }

  close(): void {
    this.#closed = true;
    for (const leg of this.#legs) leg.close();
  }

  #watchDeadAir(now: number): void {
    const inUse = this.#endpoints.get(this.#inUse);
    const connected = this.#bridged && this.#held === null && inUse?.talks === true;
    let soundAt = Number.NEGATIVE_INFINITY;
    for (const { traffic } of this.#legs) soundAt = Math.max(soundAt, traffic.soundAt ?? soundAt);
    const event = this.#deadAir.tick(now, connected, soundAt);
    if (event !== null) this.#options.onEvent(event);
  }

  #audio(leg: BridgeLeg, plan: LegPlan, packet: RtpPacket): void {
    if (leg.muted) return;
    for (const path of leg.takers) path.accept(packet);
    leg.voice.push(packet);
    const { onFrame } = this.#options;
    // On hold people speak among themselves: nobody hears it, so it is not recorded either.
    if (onFrame === undefined || this.#held !== null) return;
    const isSide = leg === this.whatsapp || leg.legId === this.#inUse;
    if (isSide) onFrame(leg.leg, plan.codec, packet.payload, packet.timestamp);
  }

  /** Works out anew who hears whom; called whenever that may have changed, never per packet. */
  #route(): void {
    if (this.#closed) return;
    const legs = this.#legs;
    const inUse = this.#endpoints.get(this.#inUse);
    this.#lastUsed = inUse ?? this.#lastUsed;
    const takers = new Map(legs.map((leg) => [leg, [] as BridgeLeg['path'][]]));
    const wanted = new Set<Voice>();
    for (const target of legs) {
      const sources = legs.filter((source) => source !== target && this.#hears(target, source));
      const input = this.#inputOf(target, sources);
      if (input.kind === 'passthrough') {
        for (const source of sources) takers.get(source)?.push(target.path);
      } else if (input.kind === 'voices') for (const voice of input.voices) wanted.add(voice);
      target.path.hear(input);
    }
    const now = this.#now();
    for (const leg of legs) {
      leg.takers = takers.get(leg) ?? [];
      leg.voice.setWanted(wanted.has(leg.voice));
      if (leg !== this.whatsapp) leg.watch(this.#bridged && leg === inUse && leg.talks, now);
    }
    this.whatsapp.watch(this.#bridged, now);
    this.whatsapp.path.setWaiting(this.#waitingSound(inUse));
  }

  #hears(target: BridgeLeg, source: BridgeLeg): boolean {
    if (!this.#bridged) return false;
    const held = this.#held !== null;
    return hears(target.partyAs(this.#roleOf(target)), source.partyAs(this.#roleOf(source)), held);
  }

  #roleOf(leg: BridgeLeg): 'customer' | 'agent' | 'idle' {
    if (leg === this.whatsapp) return 'customer';
    return leg.legId === this.#inUse ? 'agent' : 'idle';
  }

  #inputOf(target: BridgeLeg, sources: readonly BridgeLeg[]): PathInput {
    const [only, ...others] = sources;
    if (only === undefined || target.plan === undefined) return { kind: 'nothing' };
    if (others.length === 0 && only.plan?.codec === target.plan.codec) {
      return { kind: 'passthrough', source: only };
    }
    const missing = [target, ...sources].filter(({ linear }) => linear === null);
    // Heard a moment later, when their codecs are there.
    for (const leg of missing) void leg.prepareOpus().then(() => this.#route(), noOpus);
    const encoder = target.linear;
    if (encoder === null) return { kind: 'nothing' };
    const ready = sources.filter(({ linear }) => linear !== null);
    return { kind: 'voices', voices: ready.map(({ voice }) => voice), encoder };
  }

  /** What the customer hears while nobody is heard; `null` is silence. */
  #waitingSound(inUse: BridgeLeg | undefined): Sound | null {
    if (this.#held !== null) return this.#held;
    if (!this.#bridged) return this.#ringing ? RINGING : null;
    // The agent is gone and the next one is not there yet.
    if (inUse?.plan === undefined) return HOLD_MUSIC;
    return inUse.talks ? null : (inUse.holdSound ?? HOLD_MUSIC);
  }

  #digits(leg: BridgeLeg, digits: readonly DigitHeard[]): void {
    for (const { digit, durationMs } of digits) {
      leg.tell({ kind: 'dtmf', leg: leg.leg, digit, durationMs });
      const inUse = this.#endpoints.get(this.#inUse);
      if (!this.#bridged || this.#held !== null || inUse?.talks !== true) continue;
      if (leg === this.whatsapp) this.#press(inUse, digit, durationMs);
      else if (leg === inUse) this.#press(this.whatsapp, digit, durationMs);
    }
  }

  /** Decided here alone, so that no digit goes both ways, whatever a new offer changes. */
  #press(leg: BridgeLeg, digit: string, durationMs?: number): void {
    const isSent = leg.path.sendDigit(digit, durationMs);
    if (isSent || leg === this.whatsapp || leg.plan === undefined) return;
    const duration = durationMs === undefined ? {} : { durationMs };
    leg.tell({ kind: 'unsentDigit', leg: 'endpoint', digit, ...duration });
  }

  #now(): number {
    return this.#options.clock.monotonic();
  }
}

/** The worker has no memory left for a codec: the leg stays silent, and its watch will tell. */
function noOpus(): void {}
