import { CallRecording } from '../src/media/call-recording.ts';
import type {
  LegStats,
  MediaCall,
  MediaCallOptions,
  MediaEvent,
  MediaLeg,
  MediaPlane,
  MediaStats,
  PlayOptions,
} from '../src/media/media.ts';
import { recordingDisk } from '../src/recording/recording-disk.ts';
import { Failure } from '../src/platform/failure.ts';
import { delay, type Clock } from '../src/platform/clock.ts';
import type {
  InviteRequest,
  OptionsOutcome,
  SavedDialog,
  SipCall,
  SipCallEvent,
  SipRegistration,
  SipTarget,
  SipUserAgent,
} from '../src/sip/sip.ts';
import { FAKE_OFFER, FAKE_SDES_OFFER, FAKE_WITHOUT_EVENTS, refuseUnusable } from './fake-sdp.ts';

/**
 * Stand-ins for media and SIP in signalling stories. The real ones have tests of their own and
 * are used by the demo; here only their events matter.
 */
export class FakeMedia implements MediaPlane {
  readonly #clock: Clock;
  readonly #calls = new Map<string, MediaCallOptions>();
  readonly #recordings = new Map<string, CallRecording>();
  readonly #told = new Map<string, string[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How the next calls' media behaves; `ok` until told otherwise. */
  opening: 'ok' | 'fails' | 'hangs' | 'slow' = 'ok';
  closing: 'ok' | 'hangs' = 'ok';

  async openCall(options: MediaCallOptions): Promise<MediaCall> {
    if (this.opening === 'fails') throw noRoom();
    if (this.opening === 'hangs') return new Promise(() => {});
    if (this.opening === 'slow') await delay(this.#clock, 3_000);
    this.#calls.set(options.callId, options);
    const startedAt = this.#clock.now();
    const isSdes = options.sdes !== undefined;
    const recording = new CallRecording({
      clock: this.#clock,
      disk: recordingDisk,
      onEvent: options.onEvent,
    });
    this.#recordings.set(options.callId, recording);
    const close = async (): Promise<MediaStats> => {
      this.#calls.delete(options.callId);
      this.#recordings.delete(options.callId);
      recording.close();
      if (this.closing === 'hangs') return new Promise(() => {});
      return fakeStats(startedAt);
    };
    return {
      offer: isSdes ? FAKE_SDES_OFFER : FAKE_OFFER,
      applyAnswer: async (sdp) => {
        refuseUnusable(sdp, isSdes);
        this.#clock.after(100, () => {
          if (!this.#calls.has(options.callId)) return;
          options.onEvent({ kind: 'connected', ...(isSdes ? { keyExchange: 'sdes' } : {}) });
        });
      },
      openEndpoint: async () => 'v=0',
      applyEndpointAnswer: async (sdp) => ({
        codec: 'PCMU',
        dtmf: sdp !== FAKE_WITHOUT_EVENTS,
        srtp: false,
        remoteAddress: '127.0.0.1',
        remotePort: 4000,
      }),
      answerEndpointOffer: async () => 'v=0',
      ...this.#orders(options),
      record: (order) => recording.obey(order),
      stats: async () => fakeStats(startedAt),
      close,
    };
  }

  /** What a call's media was told, in order, as `hold`, `mute endpoint` or `play whatsapp beep`. */
  ordersOf(callId: string): readonly string[] {
    return this.#told.get(callId) ?? [];
  }

  #orders({ callId, onEvent }: MediaCallOptions): FakeOrders {
    const told: string[] = [];
    this.#told.set(callId, told);
    const tell = (...words: (string | undefined)[]): void =>
      void told.push(words.filter((word) => word !== undefined).join(' '));
    const plays = new FakePlays(this.#clock, (event) => {
      if (this.#calls.has(callId)) onEvent(event);
    });
    return {
      ringMeanwhile: () => tell('ring'),
      bridge: () => tell('bridge'),
      hold: () => tell('hold'),
      resume: () => tell('resume'),
      setMuted: (leg, muted, legId) => tell(muted ? 'mute' : 'unmute', leg, legId),
      sendDtmf: (leg, digits, legId) => tell('dtmf', leg, digits, legId),
      useEndpoint: (legId) => tell('use', legId),
      closeEndpoint: async (legId) => tell('close', legId),
      addListener: (legId, mode) => tell('listen', legId, mode),
      removeListener: (legId) => tell('unlisten', legId),
      play: (leg, sound, options) => {
        tell('play', leg, sound.kind === 'opus' ? sound.path : sound.name, options.legId);
        return plays.play(leg, options);
      },
      stopPlaying: (leg, legId) => {
        tell('stop', leg, legId);
        plays.stop(leg, legId);
      },
    };
  }

  liveCalls(): number {
    return this.#calls.size;
  }

  /** Every call's media worker dies. */
  loseAll(): void {
    for (const { onEvent } of this.#calls.values()) {
      onEvent({ kind: 'lost', cause: 'media_worker_died' });
    }
  }

  /** The customer presses a key, maybe one that the endpoint cannot be told in its audio. */
  press(callId: string, digit: string, unsent = false): void {
    const { onEvent } = this.#calls.get(callId) ?? { onEvent: () => {} };
    onEvent({ kind: 'dtmf', leg: 'whatsapp', digit, durationMs: 100 });
    if (unsent) onEvent({ kind: 'unsentDigit', leg: 'endpoint', digit, durationMs: 100 });
  }

  /** A packet of sound comes in on a leg; only a recording takes notice of it. */
  say(callId: string, leg: MediaLeg, payload: Uint8Array, timestamp: number): void {
    this.#recordings.get(callId)?.onFrame(leg, 'PCMU', payload, timestamp);
  }

  /** Something happens to one call's media. */
  tell(callId: string, event: MediaEvent): void {
    this.#calls.get(callId)?.onEvent(event);
  }

  /** One call's media is lost on the way. */
  lose(callId: string): void {
    this.#calls.get(callId)?.onEvent({ kind: 'lost', cause: 'media_transport_lost' });
  }

  /** The process that held them is gone: no call is left, and nobody is told. */
  forgetAll(): void {
    this.#calls.clear();
  }

  async close(): Promise<void> {
    this.#calls.clear();
  }
}

type FakeOrders = Omit<
  MediaCall,
  | 'offer'
  | 'applyAnswer'
  | 'record'
  | 'stats'
  | 'close'
  | `${'open' | 'apply' | 'answer'}Endpoint${string}`
>;
type FakePlay = { playId: number; leg: MediaLeg; legId?: string };

/** Every sound that is not a loop lasts one second here, one after the other on each leg. */
const FAKE_SOUND_MS = 1_000;

class FakePlays {
  readonly #clock: Clock;
  readonly #onEvent: (event: MediaEvent) => void;
  #lastId = 0;
  #queue: FakePlay[] = [];

  constructor(clock: Clock, onEvent: (event: MediaEvent) => void) {
    this.#clock = clock;
    this.#onEvent = onEvent;
  }

  play(leg: MediaLeg, { loop, interrupt, legId }: PlayOptions): number {
    if (interrupt) this.stop(leg, legId);
    this.#lastId += 1;
    const play = { playId: this.#lastId, leg, ...(legId === undefined ? {} : { legId }) };
    const before = this.#queue.filter((other) => other.leg === leg && other.legId === legId);
    this.#queue.push(play);
    if (!loop) {
      const waitMs = FAKE_SOUND_MS * (before.length + 1);
      this.#clock.after(waitMs, () => this.#end(play, true));
    }
    return play.playId;
  }

  stop(leg: MediaLeg, legId?: string): void {
    const ended = this.#queue.filter((play) => play.leg === leg && play.legId === legId);
    for (const play of ended) this.#end(play, false);
  }

  #end(play: FakePlay, completed: boolean): void {
    if (!this.#queue.includes(play)) return;
    this.#queue = this.#queue.filter((other) => other !== play);
    this.#onEvent({ kind: 'played', ...play, completed });
  }
}

function noRoom(): Failure {
  return new Failure({
    code: 'media_no_capacity',
    message: 'No UDP port is free.',
    fix: 'Widen the port range.',
    verdict: 'retryable',
    side: 'server',
  });
}

function fakeStats(at: number): MediaStats {
  const leg: LegStats = {
    packetsIn: 50,
    packetsOut: 50,
    packetsLost: 0,
    packetsLate: 0,
    jitterMs: 0,
    rttMs: 20,
    mos: 4.38,
    far: null,
    firstPacketInAt: at,
    firstPacketOutAt: at,
    firstSoundInAt: at,
    dtmfIn: 2,
  };
  return {
    codec: 'PCMU',
    transcoded: true,
    srtp: null,
    iceConnectedAt: at,
    connectedAt: at,
    whatsappSrtp: 'DTLS_SRTP',
    whatsappCodec: 'opus',
    whatsapp: leg,
    endpoint: leg,
  };
}

/**
 * Behaves by the user part of the URI: `busy`, `unavailable`, `never`, `hangup-3`; or answers:
 * `info` without telephone events, and `no-info` takes no INFO either.
 */
export class FakeSip implements SipUserAgent {
  readonly #clock: Clock;
  readonly invites: InviteRequest[] = [];
  /** Every REGISTER, as `user seconds`. */
  readonly registered: string[] = [];
  /** Every press by INFO, as `user digits`. */
  readonly informed: string[] = [];
  /** Call-IDs of the dialogs that a later run ended for a dead one. */
  readonly lost: string[] = [];
  /** How long the endpoint `late` takes to answer. */
  lateMs = 4_000;
  readonly ended: Array<{ uri: string; reason: string | undefined }> = [];
  /** Calls that are up or being set up, by their Call-ID: how the endpoint ends each. */
  readonly #calls = new Map<string, (event: SipCallEvent) => void>();

  /** Calls that are up, with the way for their endpoint to say something inside them. */
  readonly peers: Array<{ uri: string; sipCallId: string; tell: (event: SipCallEvent) => void }> =
    [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  invite(request: InviteRequest, onEvent: (event: SipCallEvent) => void): SipCall {
    this.invites.push(request);
    const sipCallId = `sip-${this.invites.length}@story`;
    let state: 'early' | 'up' | 'over' = 'early';
    const user = /^sip:([^@]+)@/.exec(request.target.uri)?.[1] ?? '';
    const end = (event: SipCallEvent): void => {
      if (state === 'over') return;
      state = 'over';
      this.#calls.delete(sipCallId);
      onEvent(event);
    };
    const { uri } = request.target;
    const tell = (event: SipCallEvent): void =>
      event.kind === 'ended' ? end(event) : state === 'up' ? onEvent(event) : undefined;
    this.peers.push({ uri, sipCallId, tell });
    this.#calls.set(sipCallId, end);
    const fail = (status: number, reason: string, afterMs: number): void => {
      this.#clock.after(afterMs, () => end({ kind: 'failed', status, reason }));
    };
    if (user === 'busy') fail(486, 'Busy Here', 20);
    else if (user === 'unavailable') fail(503, 'Service Unavailable', 20);
    else if (user === 'never') fail(408, 'Request Timeout', request.ringTimeoutMs);
    else this.#clock.after(user === 'late' ? this.lateMs : 40, () => answer());
    const answer = (): void => {
      if (state !== 'early') return;
      state = 'up';
      const sdp = user.endsWith('info') ? FAKE_WITHOUT_EVENTS : 'v=0';
      onEvent({ kind: 'answered', sdp, dialog: { sipCallId } });
      if (user === 'hangup-3')
        this.#clock.after(3000, () => end({ kind: 'ended', by: 'endpoint' }));
    };
    return {
      sipCallId,
      hangUp: (reason) => {
        if (state === 'over') return;
        this.ended.push({ uri: request.target.uri, reason });
        if (state === 'up') end({ kind: 'ended', by: 'us' });
        else end({ kind: 'failed', status: 487, reason: 'Request Terminated' });
      },
      reoffer: () => Promise.resolve({ sdp: 'v=0' }),
      refer: () => onEvent({ kind: 'referProgress', status: 200, reason: 'OK', final: true }),
      sendInfoDtmf: async (digits) => {
        this.informed.push(`${user} ${digits}`);
        return user === 'no-info'
          ? { taken: 0, trouble: 'refused' }
          : { taken: digits.length, trouble: null };
      },
      replaceable: () => undefined,
    };
  }

  /** The newest call to that user of the PBX says something. */
  tell(user: string, event: SipCallEvent): void {
    const peer = this.peers.findLast(({ uri }) => uri.startsWith(`sip:${user}@`));
    if (peer === undefined) throw new Error(`nobody called ${user}`);
    peer.tell(event);
  }

  /** The endpoint hangs up everything. */
  endpointHangsUp(): void {
    for (const end of this.#calls.values()) end({ kind: 'ended', by: 'endpoint' });
  }

  /** Our user agent died: an INVITE without ACK comes to nothing, an answered leg stays up. */
  loseAll(): void {
    this.#calls.clear();
  }

  endLost(saved: SavedDialog, target: SipTarget, reason?: string): void {
    this.lost.push(String(saved['sipCallId']));
    this.ended.push({ uri: target.uri, reason });
  }

  /** `unavailable` is the only endpoint that is not there. */
  options(target: SipTarget): Promise<OptionsOutcome> {
    const gone = target.uri.includes('unavailable@');
    const status = gone ? 503 : 200;
    return Promise.resolve({ status, reason: gone ? 'Not reachable' : 'OK', roundTripMs: 1 });
  }

  /** `unavailable` takes nobody in either. */
  registration(target: SipTarget): SipRegistration {
    return {
      send: async (expiresSeconds) => {
        const gone = target.uri.includes('unavailable@');
        this.registered.push(`${target.username ?? ''} ${expiresSeconds}`);
        const [status, reason] = gone ? [503, 'Not reachable'] : [200, 'OK'];
        return { status, reason, expiresSeconds, minExpiresSeconds: null };
      },
    };
  }

  liveCount(): number {
    return this.#calls.size;
  }

  async close(): Promise<void> {}
}
