import type {
  EndpointMedia,
  MediaCall,
  MediaEvent,
  MediaPlane,
  SilenceCause,
} from '../media/media.ts';
import type { Clock, TimerHandle } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import { isRefused } from '../platform/refusal.ts';
import type { SipCall, SipCallEvent, SipUserAgent } from '../sip/sip.ts';
import { sipTarget, type Endpoint, type EndpointTarget } from './endpoint.ts';
import { guardNamedByPeer, guardTarget, type GuardSettings } from './target-guard.ts';
import { findingOf, type TestAudio, type TestFinding, type TestOutcome } from './test-call.ts';

/**
 * Places a real call to each target of an endpoint, with our SDP and a tone, listens for audio,
 * hangs up, and says what is wrong. No customer and no permission is in it, and nothing is kept.
 */
export type TestCallPorts = {
  sip: SipUserAgent;
  media: MediaPlane;
  clock: Clock;
  advertisedAddress: string;
  /**
   * Asks again by a socket of its own why an address cannot be reached: our user agent only knows
   * that it cannot. The error's text, or null where it can be reached after all.
   */
  whyUnreachable: (uri: string) => Promise<string | null>;
};

export type TargetTest = TestFinding & { uri: string; sipStatus: number | null };

export type TestReport = { ok: boolean; targets: TargetTest[] };

const RING_MS = 10_000;
/** For the first audio; the media plane's own watch tells the cause of silence before that. */
const LISTEN_MS = 8_000;
/** Heard for so long without its hanging up, a leg is taken for steady. */
const STEADY_MS = 2_000;

/** Never rejects; takes no longer than some twenty seconds. All targets are tested side by side. */
export async function testEndpoint(
  ports: TestCallPorts,
  endpoint: Endpoint,
  guard: GuardSettings,
  testId: string,
): Promise<TestReport> {
  const targets = await Promise.all(
    endpoint.targets.map(async (target, at): Promise<TargetTest> => {
      const outcome = await testTarget(ports, endpoint, target, guard, `${testId}-${at}`);
      const sipStatus =
        outcome.kind === 'failed' ? outcome.status : 'heard' in outcome ? 200 : null;
      return { uri: target.uri, sipStatus, ...findingOf(outcome) };
    }),
  );
  return { ok: targets.every(({ ok }) => ok), targets };
}

async function testTarget(
  ports: TestCallPorts,
  endpoint: Endpoint,
  target: EndpointTarget,
  guard: GuardSettings,
  callId: string,
): Promise<TestOutcome> {
  const guarded = guardTarget(target.uri, guard);
  if (isRefused(guarded)) return { kind: 'guarded', ...guarded.refused };
  const own = endpoint.targets.map(({ uri }) => uri);
  const mayFollow = (uri: string): boolean => !isRefused(guardNamedByPeer(uri, guard, own));
  const attempt = async (srtp: boolean): Promise<TestOutcome> => {
    const one = new TestCall(ports, endpoint, target, { callId, mayFollow, srtp });
    return one.run();
  };
  const first = await attempt(target.srtp !== 'off');
  if (first.kind === 'failed' && first.status === 503) {
    const reason = await ports.whyUnreachable(target.uri);
    return reason === null ? first : { ...first, reason };
  }
  const isRefusal = first.kind === 'failed' && [415, 488, 606].includes(first.status);
  return isRefusal && target.srtp === 'preferred' ? attempt(false) : first;
}

type How = { callId: string; mayFollow: (uri: string) => boolean; srtp: boolean };

/** One INVITE and what comes of it. */
class TestCall {
  readonly #ports: TestCallPorts;
  readonly #endpoint: Endpoint;
  readonly #target: EndpointTarget;
  readonly #how: How;
  readonly #done = Promise.withResolvers<TestOutcome>();
  readonly #startedAt: number;
  #media: MediaCall | null = null;
  #call: SipCall | null = null;
  #audio: TestAudio | null = null;
  #answeredAt = 0;
  #firstAudioAt: number | null = null;
  #timer: TimerHandle | null = null;

  constructor(ports: TestCallPorts, endpoint: Endpoint, target: EndpointTarget, how: How) {
    this.#ports = ports;
    this.#endpoint = endpoint;
    this.#target = target;
    this.#how = how;
    this.#startedAt = ports.clock.monotonic();
  }

  async run(): Promise<TestOutcome> {
    const { codecs } = this.#endpoint;
    const { callId, srtp } = this.#how;
    const { advertisedAddress, media } = this.#ports;
    try {
      const onEvent = (event: MediaEvent): void => this.#onMedia(event);
      this.#media = await media.openCall({ callId, onEvent });
      const offer = await this.#media.openEndpoint({ codecs, advertisedAddress, srtp });
      this.#call = this.#invite(offer);
    } catch (error) {
      this.#done.resolve({ kind: 'no_media', detail: errorText(error) });
    }
    const outcome = await this.#done.promise;
    this.#timer?.cancel();
    this.#call?.hangUp('Q.850;cause=16;text="test call"');
    await this.#media?.close().catch(() => null);
    return outcome;
  }

  #invite(offer: string): SipCall {
    return this.#ports.sip.invite(
      {
        target: sipTarget(this.#target),
        from: { user: 'askfirst-test', displayName: 'Askfirst test call' },
        headers: { 'X-WA-Call-Id': this.#how.callId, 'X-WA-Purpose': 'test%20call' },
        offer,
        ringTimeoutMs: Math.min(RING_MS, this.#endpoint.ringTimeoutMs),
        mayFollow: this.#how.mayFollow,
      },
      (event) => void this.#onSip(event),
    );
  }

  async #onSip(event: SipCallEvent): Promise<void> {
    if (event.kind === 'failed') {
      const { status, reason } = event;
      this.#done.resolve({ kind: 'failed', status, reason });
    } else if (event.kind === 'answered') {
      await this.#onAnswer(event.sdp);
    } else if (event.kind === 'offered') {
      await this.#media?.answerEndpointOffer(event.sdp).then(
        (sdp) => event.reply({ sdp }),
        () => event.reply({ status: 488 }),
      );
    } else if (event.kind === 'ended' && this.#audio !== null) {
      const afterMs = this.#ports.clock.monotonic() - this.#answeredAt;
      this.#done.resolve({ kind: 'hung_up', afterMs, heard: this.#audio });
    } else if (event.kind === 'referred') {
      event.reject(405, 'Method Not Allowed');
    }
  }

  async #onAnswer(sdp: string): Promise<void> {
    const media = this.#media;
    if (media === null) return;
    this.#answeredAt = this.#ports.clock.monotonic();
    let agreed: EndpointMedia;
    try {
      agreed = await media.applyEndpointAnswer(sdp);
    } catch (error) {
      this.#done.resolve({ kind: 'unusable', detail: errorText(error) });
      return;
    }
    const { codec, srtp } = agreed;
    const answeredMs = this.#answeredAt - this.#startedAt;
    this.#audio = { codec, srtp, answeredMs, firstAudioMs: null };
    // Only a bridged leg is watched for silence.
    media.bridge();
    media.play('endpoint', { kind: 'builtin', name: 'ringing' }, { loop: true, interrupt: true });
    this.#timer = this.#ports.clock.after(LISTEN_MS, () => this.#settle('never_sent'));
    this.#noteHeard();
  }

  #onMedia(event: MediaEvent): void {
    if (event.kind === 'firstAudio' && event.leg === 'endpoint') {
      this.#firstAudioAt = this.#ports.clock.monotonic();
      this.#noteHeard();
    } else if (event.kind === 'silent' && event.leg === 'endpoint') {
      this.#settle(event.cause);
    }
  }

  /** The first packet may come before our own word that the answer has been applied. */
  #noteHeard(): void {
    if (this.#audio === null || this.#firstAudioAt === null) return;
    this.#audio = { ...this.#audio, firstAudioMs: this.#firstAudioAt - this.#answeredAt };
    this.#timer?.cancel();
    this.#timer = this.#ports.clock.after(STEADY_MS, () => this.#settle(null));
  }

  #settle(silence: SilenceCause | null): void {
    if (this.#audio === null) return;
    this.#done.resolve({ kind: 'answered', heard: this.#audio, silence });
  }
}
