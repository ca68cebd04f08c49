import type { Endpoint } from '../endpoints/endpoint.ts';
import type { Line } from '../lines/line.ts';
import type { MediaCall, MediaEvent, MediaLeg, MediaPlane, MediaStats } from '../media/media.ts';
import { delay, type Clock, type TimerHandle } from '../platform/clock.ts';
import { Failure, errorText } from '../platform/failure.ts';
import type { Log } from '../platform/log.ts';
import type { SipCall, SipUserAgent } from '../sip/sip.ts';
import { WhatsAppFailure, type Recipient, type WhatsAppClient } from '../whatsapp/whatsapp.ts';
import type { CallState } from './call.ts';
import type { CallDesk } from './call-desk.ts';
import { wakesAt, type CallFact } from './call-rules.ts';
import { inviteEndpoint, type EndpointLegPorts } from './endpoint-leg.ts';

/**
 * The hands of one live call in this gateway: its media, its SIP leg and its requests to Meta.
 * The row is the truth. A session reads it whenever anything may have changed, compares what
 * should be with what it has done, does the next step, and records what came of it. So it makes
 * no difference whether a fact came from a webhook, a leg, the API or a timer.
 */
export type SessionPorts = {
  desk: CallDesk;
  media: MediaPlane;
  sip: SipUserAgent;
  whatsapp: WhatsAppClient;
  clock: Clock;
  log: Log;
  /** Our address in SDP toward endpoints. */
  advertisedAddress: string;
  /** The customer pressed the key that means "stop": takes effect, and ends the call, at once. */
  stopByKey: (callId: CallState['plan']['id'], waitedMs: number) => Promise<void>;
};

export type SessionTarget = {
  line: Line;
  endpoint: Endpoint;
  to: Recipient;
  customerLabel: string;
};

const TERMINATE_TRIES = 5;
const TERMINATE_RETRY_MS = 1_000;
/** A media plane that has not closed a call by then is given up; the call must end all the same. */
const MEDIA_CLOSE_MS = 8_000;
const RETRY_MS = 500;

export class CallSession {
  readonly #ports: SessionPorts;
  readonly #target: SessionTarget;
  readonly #onDone: () => void;
  readonly #facts: CallFact[] = [];
  #state: CallState;
  #media: MediaCall | null = null;
  #opening = false;
  #stats: MediaStats | null = null;
  #leg: SipCall | null = null;
  #inviting = false;
  #posted: boolean;
  #answerApplied = false;
  #terminating = false;
  #running = false;
  #dirty = false;
  #done = false;
  #timer: TimerHandle | null = null;

  /** `recovered`: the gateway that had this call died; it is never dialled, only brought down. */
  constructor(
    ports: SessionPorts,
    target: SessionTarget,
    state: CallState,
    options: { recovered: boolean; onDone: () => void },
  ) {
    this.#ports = ports;
    this.#target = target;
    this.#state = state;
    this.#posted = options.recovered;
    this.#onDone = options.onDone;
  }

  get callId(): CallState['plan']['id'] {
    return this.#state.plan.id;
  }

  /** Something may have changed. Steps never overlap; a poke during a step causes another one. */
  poke(): void {
    this.#dirty = true;
    if (!this.#running && !this.#done) void this.#run();
  }

  /**
   * Lets everything in this process go without another word to the rows: for a gateway that stops
   * and can wait no longer. The next one finds the call by its lease and ends it.
   */
  async letGo(): Promise<void> {
    if (this.#done) return;
    this.#timer?.cancel();
    this.#done = true;
    this.#leg?.hangUp();
    await this.#closeMedia();
    this.#onDone();
  }

  /** Records a fact of one of our legs and acts on it. */
  report(fact: CallFact): void {
    this.#facts.push(fact);
    this.poke();
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#dirty && !this.#done) {
      this.#dirty = false;
      try {
        await this.#step();
      } catch (error) {
        // The database is away or a bug was hit: the call is looked at again, never dropped.
        this.#ports.log.error({ callId: this.callId, error: errorText(error) }, 'call step failed');
        await delay(this.#ports.clock, RETRY_MS);
        this.#dirty = true;
      }
    }
    this.#running = false;
  }

  async #step(): Promise<void> {
    const { desk } = this.#ports;
    for (let fact = this.#facts[0]; fact !== undefined; fact = this.#facts[0]) {
      await desk.observe(this.callId, fact, actorOf(fact));
      this.#facts.shift();
    }
    this.#state = await desk.read(this.callId);
    // Before anything that may fail again and again: a deadline must pass whatever is broken.
    if (!isGoingDown(this.#state)) await this.#wakeIfDue();
    if (isGoingDown(this.#state)) await this.#bringDown();
    else await this.#bringUp();
    await this.#wakeIfDue();
    if (this.#state.status === 'ended') await this.#finish();
    else this.#arm();
  }

  async #wakeIfDue(): Promise<void> {
    const due = wakesAt(this.#state);
    if (due === null || due > this.#ports.clock.now()) return;
    this.#state = await this.#ports.desk.wake(this.callId, this.#stats);
    this.#dirty = true;
  }

  #arm(): void {
    this.#timer?.cancel();
    const due = wakesAt(this.#state);
    if (due === null) return;
    const { clock } = this.#ports;
    this.#timer = clock.after(Math.max(0, due - clock.now()), () => this.poke());
  }

  /**
   * Waits for nothing but the rows: media and SIP answer in their own time and poke, so that a
   * slow one never stands between a hang-up and Meta. What a step decides rests on the row that
   * this very step has read; above all the dial.
   */
  async #bringUp(): Promise<void> {
    if (this.#media === null) {
      this.#openMedia();
      return;
    }
    const { facts, status, plan } = this.#state;
    const mustInvite =
      plan.strategy === 'agent_first' ||
      status === 'answered' ||
      (plan.strategy === 'on_ringing' && status === 'ringing');
    if (mustInvite) this.#invite(this.#media);
    const mayDial = plan.strategy !== 'agent_first' || isEndpointUp(this.#state);
    if (!this.#posted && mayDial) this.#dial();
    if (facts.mediaAnswer !== null) this.#applyAnswer(this.#media, facts.mediaAnswer);
    const isWhole =
      status === 'answered' && facts.mediaConnectedAt !== null && isEndpointUp(this.#state);
    if (!isWhole) {
      const { meanwhile } = this.#target.endpoint;
      if (status === 'answered' && meanwhile === 'ringing') this.#media.ringMeanwhile();
      return;
    }
    this.#media.bridge();
    this.report({ type: 'CallBridged', at: this.#ports.clock.now() });
  }

  #openMedia(): void {
    if (this.#opening) return;
    this.#opening = true;
    const onEvent = (event: MediaEvent): void => this.#onMedia(event);
    this.#ports.media.openCall({ callId: this.callId, onEvent }).then(
      (media) => {
        this.#media = media;
        // The call may have gone down meanwhile; then nobody else would close it.
        if (this.#done) void this.#closeMedia();
        else this.poke();
      },
      (error: unknown) => this.#hangUp('platform', this.#mediaTrouble(error)),
    );
  }

  #invite(media: MediaCall): void {
    if (this.#inviting) return;
    this.#inviting = true;
    const legPorts: EndpointLegPorts = {
      ...this.#ports,
      report: (fact) => this.report(fact),
      hangUp: (by, reason) => this.#hangUp(by, reason),
      isWanted: () => !this.#done && !isGoingDown(this.#state),
    };
    void inviteEndpoint(legPorts, media, this.#target, this.#state.plan).then((leg) => {
      this.#leg = leg;
      if (this.#done) leg?.hangUp();
      this.poke();
    });
  }

  /** One POST, once. Not awaited: Meta's webhooks may overtake its answer. */
  #dial(): void {
    this.#posted = true;
    const { whatsapp } = this.#ports;
    const { line, to } = this.#target;
    const offer = this.#media?.offer ?? '';
    whatsapp.connectCall(line.access, to, offer, this.callId).then(
      ({ wacid }) => this.#onDialed(wacid),
      (error: unknown) => void this.#onDialError(error),
    );
  }

  #onDialed(wacid: string): void {
    // An answer that comes after the end: the phone rings for a call that is over.
    if (this.#done || this.#state.status === 'ended') this.#terminate(wacid);
    this.report({ type: 'CallInitiated', at: this.#ports.clock.now(), wacid });
  }

  async #onDialError(error: unknown): Promise<void> {
    const { clock, desk, log } = this.#ports;
    const reason = error instanceof WhatsAppFailure ? error.code : 'dial_failed';
    const isUnknown = !(error instanceof WhatsAppFailure) || leavesDialOpen(error);
    log.warn({ callId: this.callId, reason, isUnknown }, 'dial did not succeed');
    if (isUnknown) {
      // Nobody knows whether the phone rings. Webhooks that carry our call id will tell.
      this.report({ type: 'CallDialUnknown', at: clock.now(), reason });
      return;
    }
    try {
      await desk.endUnrung(this.callId, reason, this.#stats);
      this.poke();
    } catch (cause) {
      log.error({ callId: this.callId, error: errorText(cause) }, 'refused dial not recorded');
      this.report({ type: 'CallDialUnknown', at: clock.now(), reason });
    }
  }

  #applyAnswer(media: MediaCall, sdp: string): void {
    if (this.#answerApplied) return;
    this.#answerApplied = true;
    media
      .applyAnswer(sdp)
      .catch((error: unknown) => this.#hangUp('platform', this.#mediaTrouble(error)));
  }

  #mediaTrouble(error: unknown): string {
    const reason = error instanceof Failure ? error.code : 'media_failed';
    this.#ports.log.warn({ callId: this.callId, reason }, 'the media of this call failed');
    return reason;
  }

  #onMedia(event: MediaEvent): void {
    const { clock, log } = this.#ports;
    if (event.kind === 'connected') this.report({ type: 'CallMediaConnected', at: clock.now() });
    else if (event.kind === 'lost') this.#hangUp('platform', event.cause);
    else if (event.kind === 'dtmf') this.#onKey(event.leg, event.digit, clock.monotonic());
    else if (event.kind === 'silent') {
      const { leg, cause, silentMs } = event;
      log.warn({ callId: this.callId, leg, cause, silentMs }, 'nothing heard');
      this.report({ type: 'CallAudioLost', at: clock.now(), leg, cause });
    } else if (event.kind === 'heard') {
      this.report({ type: 'CallAudioFound', at: clock.now(), leg: event.leg });
    }
  }

  /** A stop is tried until it is recorded, also when the call has ended meanwhile. */
  #onKey(leg: MediaLeg, digit: string, pressedAt: number): void {
    if (leg !== 'whatsapp' || digit !== this.#target.line.optOutKey) return;
    const { stopByKey, clock, log } = this.#ports;
    stopByKey(this.callId, clock.monotonic() - pressedAt).then(
      () => this.poke(),
      (error: unknown) => {
        log.error({ callId: this.callId, error: errorText(error) }, 'key press was not recorded');
        clock.after(RETRY_MS, () => this.#onKey(leg, digit, pressedAt));
      },
    );
  }

  #hangUp(by: 'platform' | 'endpoint', reason: string): void {
    const { desk, log } = this.#ports;
    desk.hangUp(this.callId, by, reason, by).then(
      () => this.poke(),
      (error: unknown) => {
        log.error({ callId: this.callId, error: errorText(error) }, 'hang-up was not recorded');
        if (!this.#done) this.#ports.clock.after(RETRY_MS, () => this.#hangUp(by, reason));
      },
    );
  }

  async #bringDown(): Promise<void> {
    const { facts, status } = this.#state;
    const reason = facts.hangUp?.reason ?? 'customer_hung_up';
    this.#leg?.hangUp(`Q.850;cause=16;text="${reason}"`);
    // Meta first: a phone that rings must not wait until our media has been taken down.
    const isOver = status === 'ended' || facts.terminated !== null;
    if (!isOver && facts.wacid !== null) this.#terminate(facts.wacid);
    await this.#closeMedia();
    if (isOver || this.#posted) return;
    this.#state = await this.#ports.desk.endUnrung(this.callId, reason, this.#stats);
  }

  async #closeMedia(): Promise<void> {
    const media = this.#media;
    if (media === null) return;
    this.#media = null;
    const late = Promise.withResolvers<null>();
    const timer = this.#ports.clock.after(MEDIA_CLOSE_MS, () => late.resolve(null));
    const closed = media.close().catch((error: unknown) => {
      this.#mediaTrouble(error);
      return null;
    });
    this.#stats = await Promise.race([closed, late.promise]);
    timer.cancel();
  }

  /** Tells Meta that our side is over, again and again while that may help. */
  #terminate(wacid: string): void {
    if (this.#terminating) return;
    this.#terminating = true;
    const { whatsapp, clock, log } = this.#ports;
    const attempt = async (tries: number): Promise<void> => {
      try {
        await whatsapp.terminateCall(this.#target.line.access, wacid);
      } catch (error) {
        log.warn({ callId: this.callId, error: errorText(error), tries }, 'terminate failed');
        const isFinal = error instanceof WhatsAppFailure && error.verdict === 'terminal';
        if (isFinal || tries >= TERMINATE_TRIES) return;
        await delay(clock, TERMINATE_RETRY_MS * 2 ** (tries - 1));
        await attempt(tries + 1);
      }
    };
    void attempt(1);
  }

  async #finish(): Promise<void> {
    await this.#bringDown();
    this.#timer?.cancel();
    this.#done = true;
    this.#onDone();
  }
}

function isGoingDown(state: CallState): boolean {
  const { facts, status } = state;
  return status === 'ended' || facts.hangUp !== null || facts.terminated !== null;
}

/**
 * True when an error leaves open whether the phone rings. A 5xx does so even with a code of
 * Meta's: it says that something broke, not that nothing happened.
 */
function leavesDialOpen(error: WhatsAppFailure): boolean {
  return error.side === 'indeterminate' || (error.httpStatus ?? 0) >= 500;
}

function isEndpointUp({ facts }: CallState): boolean {
  return facts.endpoint !== null && facts.endpoint.answeredAt !== null;
}

function actorOf(fact: CallFact): string {
  return fact.type.startsWith('Endpoint') ? 'endpoint' : 'platform';
}
