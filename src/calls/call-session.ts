import type { AgentLines } from '../agents/agent.ts';
import type { Endpoint } from '../endpoints/endpoint.ts';
import type { GuardSettings } from '../endpoints/target-guard.ts';
import type { Line } from '../lines/line.ts';
import type { MediaPlane, Sound } from '../media/media.ts';
import { delay, type Clock, type TimerHandle } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import type { EndpointId } from '../platform/ids.ts';
import type { Log } from '../platform/log.ts';
import type { SipUserAgent } from '../sip/sip.ts';
import type { Recipient, WhatsAppClient } from '../whatsapp/whatsapp.ts';
import type { CallEvent, CallState } from './call.ts';
import type { ControlEvent } from './call-control.ts';
import type { CallGuide, CallHands, OpenGuide } from './call-hands.ts';
import type { CallDesk } from './call-desk.ts';
import { observe, wakesAt, type CallFact } from './call-rules.ts';
import { EndpointHands } from './endpoint-hands.ts';
import { MediaHands } from './media-hands.ts';
import { openLiveHands, type LiveHands } from './live-hands.ts';
import type { RecordingHands, RecordingPorts } from './recording-hands.ts';
import type { OrderHands } from './order-hands.ts';
import { NobodyHands } from './nobody-hands.ts';
import { mayDial, WhatsAppHands } from './whatsapp-hands.ts';

/**
 * One live call in this gateway. The row is the truth. A session reads it whenever anything may
 * have changed, compares what should be with what it has done, does the next step, and records
 * what came of it. So it makes no difference whether a fact came from a webhook, a leg, the API or
 * a timer. Its hands are apart: media, SIP legs, and what is asked of Meta.
 */
export type SessionPorts = RecordingPorts & {
  desk: CallDesk;
  media: MediaPlane;
  sip: SipUserAgent;
  /** People who answer in their browsers. */
  agents?: AgentLines;
  whatsapp: WhatsAppClient;
  clock: Clock;
  log: Log;
  /** Our address in SDP toward endpoints. */
  advertisedAddress: string;
  /** The customer pressed the key that means "stop": takes effect, and ends the call, at once. */
  stopByKey: (callId: CallState['plan']['id'], waitedMs: number) => Promise<void>;
  /** Another endpoint of the account, to connect or transfer to, with its secrets opened. */
  endpointOf: (plan: CallState['plan'], endpointId: EndpointId) => Promise<Endpoint | null>;
  /** Every address of every endpoint of the account: where the PBX may transfer to by itself. */
  addressesOf: (plan: CallState['plan']) => Promise<readonly EndpointAddress[]>;
  /** A prompt of the account; null where there is none of that name. */
  promptOf?: (plan: CallState['plan'], name: string) => Promise<Sound | null>;
  /** A text as sound; null where this server cannot speak. */
  spokenOf?: (text: string, language: string) => Promise<Sound | null>;
  /** The account's own announcement of a recording; null where it has none. */
  announcementOf?: (plan: CallState['plan']) => Promise<Sound | null>;
  /** Who leads the call by its hands, such as a script. */
  openGuide?: OpenGuide;
  /** Plays a script in a call that was planned without one. */
  openScript?: (hands: CallHands, state: CallState, scriptId: string) => CallGuide;
};

export type EndpointAddress = { endpointId: EndpointId; uri: string };

export type SessionTarget = {
  line: Line;
  endpoint: Endpoint;
  to: Recipient;
  customerLabel: string;
  /** What decides in which words the person is told that the call is recorded. */
  person: { country: string | null; language: string | null };
  /** Where calls of this account may go. */
  guard: GuardSettings;
};

/** What the hands of a session are given: its ports, and the few words they may say to it. */
export type HandPorts = SessionPorts & {
  callId: CallState['plan']['id'];
  /** Records a fact of one of our legs and acts on it. */
  report: (fact: CallFact) => void;
  /** The row as it was last read. */
  state: () => CallState;
  /** Has something decided on the row as it stands then, in the order of the asking. */
  decide: (decide: Decide) => void;
  /** Records what was done with the live call. */
  note: (...events: ControlEvent[]) => void;
  /** Ends the call; tried until it is recorded. */
  hangUp: (by: 'platform' | 'endpoint', reason: string) => void;
  /** Ends a call whose phone certainly never rang. */
  endUnrung: (reason: string) => Promise<void>;
  poke: () => void;
  /** False once the call goes down: whoever was not invited yet stays undisturbed. */
  isWanted: () => boolean;
  /** The row says that the call has ended, or nobody here holds it any more. */
  isOver: () => boolean;
  /** Nobody here holds the call any more. */
  isDone: () => boolean;
};

/** State and instant in, events out. */
export type Decide = (state: CallState, now: number) => CallEvent[];

const RETRY_MS = 500;

export class CallSession {
  readonly #ports: SessionPorts;
  readonly #target: SessionTarget;
  readonly #onDone: () => void;
  readonly #undecided: Array<{ actor: string; decide: Decide }> = [];
  readonly #media: MediaHands;
  readonly #endpoint: EndpointHands;
  readonly #whatsapp: WhatsAppHands;
  readonly #orders: OrderHands;
  readonly #hands: LiveHands;
  readonly #recording: RecordingHands;
  #guide: CallGuide | null | undefined;
  #state: CallState;
  #version: string | null = null;
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
    this.#onDone = options.onDone;
    const handPorts = this.#handPorts();
    this.#media = new MediaHands(handPorts, target);
    this.#endpoint = new EndpointHands(handPorts, target);
    this.#whatsapp = new WhatsAppHands(handPorts, target, options.recovered);
    const opened = openLiveHands(handPorts, target, this.#media, this.#endpoint);
    this.#orders = opened.orders;
    this.#hands = opened.live;
    this.#recording = opened.recording;
    this.#endpoint.onNobody = (reason) => this.#onNobody(reason);
  }

  get callId(): CallState['plan']['id'] {
    return this.#state.plan.id;
  }

  /** Of the row that was read last: where another one stands there now, it is to be poked. */
  get version(): string | null {
    return this.#version;
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
    this.#endpoint.hangUp();
    await this.#media.close();
    this.#onDone();
  }

  /** Records a fact of one of our legs and acts on it. */
  report(fact: CallFact): void {
    this.#decide(actorOf(fact), (state, now) => observe(state, fact, now));
  }

  #decide(actor: string, decide: Decide): void {
    this.#undecided.push({ actor, decide });
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
    for (let next = this.#undecided[0]; next !== undefined; next = this.#undecided[0]) {
      await desk.decide(this.callId, next.actor, next.decide);
      this.#undecided.shift();
    }
    const { state, version } = await desk.read(this.callId);
    this.#state = state;
    this.#version = version;
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
    this.#state = await this.#ports.desk.wake(this.callId, this.#media.stats);
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
    const media = this.#media.call;
    if (media === null) {
      this.#media.open();
      return;
    }
    const { facts, status, plan } = this.#state;
    const mustInvite =
      plan.strategy === 'agent_first' ||
      status === 'answered' ||
      (plan.strategy === 'on_ringing' && status === 'ringing');
    this.#guide ??= this.#ports.openGuide?.(this.#hands, this.#state) ?? null;
    this.#guide?.onState(this.#state);
    const isGuided = this.#guide?.connects ?? false;
    if (mustInvite && !isGuided) this.#endpoint.invite(media, this.#state);
    if (mayDial(this.#state)) this.#whatsapp.dial(media.offer);
    if (facts.mediaAnswer !== null) this.#media.applyAnswer(media, facts.mediaAnswer);
    if (status === 'bridged') this.#recording.onBridged(this.#state);
    await this.#orders.work(this.#state);
    const isWhole =
      status === 'answered' && facts.mediaConnectedAt !== null && isEndpointUp(this.#state);
    if (!isWhole) {
      const { meanwhile } = this.#target.endpoint;
      if (status === 'answered' && meanwhile === 'ringing') media.ringMeanwhile();
      return;
    }
    media.bridge();
    this.report({ type: 'CallBridged', at: this.#ports.clock.now() });
  }

  /** Who has picked up is told, or kept with music, where the endpoint has something for it. */
  #onNobody(reason: string): boolean {
    const { endpoint } = this.#target;
    const { action, scriptId } = endpoint.options.whenNobody;
    const { status } = this.#state;
    // Whose agent did not come back has talked with somebody before.
    const isLeft = status === 'bridged' && reason === 'agent_media_lost';
    const isThere = (status === 'answered' || isLeft) && !isGoingDown(this.#state);
    if (action === 'end' || !isThere || this.#done) return false;
    const { openScript } = this.#ports;
    const isScript = action === 'script' && scriptId !== null && openScript !== undefined;
    const ports = this.#handPorts();
    this.#guide = isScript
      ? openScript(this.#hands, this.#state, scriptId)
      : new NobodyHands(ports, this.#hands, this.#state, endpoint, reason);
    this.poke();
    return true;
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
    this.#guide?.close();
    this.#guide = null;
    const { facts, status } = this.#state;
    const reason = facts.hangUp?.reason ?? 'customer_hung_up';
    this.#endpoint.hangUp(`Q.850;cause=16;text="${reason}"`);
    // Meta first: a phone that rings must not wait until our media has been taken down.
    const isOver = status === 'ended' || facts.terminated !== null;
    if (!isOver && facts.wacid !== null) this.#whatsapp.terminate(facts.wacid);
    await this.#recording.close();
    await this.#media.close();
    if (isOver || this.#whatsapp.posted) return;
    this.#state = await this.#ports.desk.endUnrung(this.callId, reason, this.#media.stats);
  }

  async #finish(): Promise<void> {
    await this.#bringDown();
    this.#timer?.cancel();
    this.#done = true;
    this.#onDone();
  }

  #handPorts(): HandPorts {
    return {
      ...this.#ports,
      callId: this.callId,
      report: (fact) => this.report(fact),
      state: () => this.#state,
      decide: (decide) => this.#decide('platform', decide),
      // After the end nothing of it matters any more.
      note: (...events) =>
        this.#decide('platform', ({ status }) => (status === 'ended' ? [] : events)),
      hangUp: (by, reason) => this.#hangUp(by, reason),
      endUnrung: async (reason) => {
        await this.#ports.desk.endUnrung(this.callId, reason, this.#media.stats);
        this.poke();
      },
      poke: () => this.poke(),
      isWanted: () => !this.#done && !isGoingDown(this.#state),
      isOver: () => this.#done || this.#state.status === 'ended',
      isDone: () => this.#done,
    };
  }
}

function isGoingDown(state: CallState): boolean {
  const { facts, status } = state;
  return status === 'ended' || facts.hangUp !== null || facts.terminated !== null;
}

function isEndpointUp({ facts }: CallState): boolean {
  return facts.endpoint !== null && facts.endpoint.answeredAt !== null;
}

function actorOf(fact: CallFact): string {
  return fact.type.startsWith('Endpoint') ? 'endpoint' : 'platform';
}
