import { delay, type TimerHandle } from '../platform/clock.ts';
import { errorText } from '../platform/failure.ts';
import type { InfoDtmfOutcome, ReofferOutcome, SipCall, SipCallEvent } from '../sip/sip.ts';
import {
  AGENT_LEFT,
  NO_MEDIA,
  type AgentId,
  type RingId,
  type RingOrder,
  type RingState,
} from './agent.ts';
import type { AgentLinePorts } from './agent-lines.ts';
import { clearRing, isGroupBusy, takeAgent, type OwnRing } from './agent-store.ts';
import { awaitAgent, takeAgentBack } from './agent-return-store.ts';

/** What became of one agent's ring. */
type RingEnd = 'answered' | 'declined' | 'no_answer' | 'gone';

/**
 * In a call, beside the lease: a browser that is closed says nothing on its media, which tells
 * only after half a minute; a stream that broke is back before this.
 */
const GONE_IN_CALL_MS = 8_000;
/** A row that is just being written is passed over when an agent is looked for. */
const TAKE_TRIES = 4;
const TAKE_RETRY_MS = 150;

/** One call to a group: rings the longest idle agent, then the next, until one answers. */
export class AgentCall implements SipCall {
  readonly sipCallId: string;
  readonly #ports: AgentLinePorts;
  readonly #order: RingOrder;
  readonly #onEvent: (event: SipCallEvent) => void;
  readonly #onDone: () => void;
  readonly #tried: AgentId[] = [];
  readonly #until: number;
  #ringId: RingId;
  /** Set while a browser rings. */
  #settle: ((end: RingEnd) => void) | null = null;
  #answer = '';
  #talking = false;
  #goneSince: number | null = null;
  #over = false;

  constructor(
    ports: AgentLinePorts,
    order: RingOrder,
    on: { onEvent: (event: SipCallEvent) => void; onDone: () => void },
  ) {
    this.#ports = ports;
    this.#order = order;
    this.#onEvent = on.onEvent;
    this.#onDone = on.onDone;
    this.#ringId = ports.ids.next('agentRing');
    this.#until = ports.clock.now() + order.ringTimeoutMs;
    this.sipCallId = this.#ringId;
    void this.#run();
  }

  /** What the rows say now. */
  onRings(rings: ReadonlyMap<RingId, OwnRing>): void {
    if (this.#settle === null && !this.#talking) return;
    const ring = rings.get(this.#ringId);
    // A row without us: the agent was removed, or we were away too long and another call rings.
    const state: RingState = ring?.state ?? 'ended';
    if (this.#talking) return this.#watchTalk(state, ring);
    this.#answer = ring?.answer ?? '';
    if (state === 'answered') this.#settle?.('answered');
    else if (state !== 'ringing') this.#settle?.('declined');
    else if (ring?.isThere === false) this.#settle?.('gone');
  }

  hangUp(reason?: string): void {
    if (this.#over) return;
    this.#end({ kind: 'ended', by: 'us' });
    this.#settle?.('declined');
    if (reason === AGENT_LEFT) void this.#await();
    else void this.#clear(reason === NO_MEDIA, null);
  }

  reoffer(): Promise<ReofferOutcome> {
    return Promise.resolve({ status: 488, reason: 'A browser is not offered anew' });
  }

  refer(): void {}

  /** Every browser takes RFC 4733 (RFC 7874 section 3), and nobody else has our word for it. */
  sendInfoDtmf(): Promise<InfoDtmfOutcome> {
    return Promise.resolve({ taken: 0, trouble: 'refused' });
  }

  replaceable(): undefined {
    return undefined;
  }

  async #run(): Promise<void> {
    try {
      for (;;) {
        const end = await this.#ringNext();
        if (this.#over) return;
        if (end === null) return await this.#failed();
        if (end === 'answered') return this.#talk();
      }
    } catch (error) {
      const { log } = this.#ports;
      log.error({ callId: this.#order.callId, error: errorText(error) }, 'agents not rung');
      this.#end({ kind: 'failed', status: 503, reason: 'Agents not reached' });
    }
  }

  /** Null where nobody is left, or no time. */
  async #ringNext(): Promise<RingEnd | null> {
    const { clock, ids, hints } = this.#ports;
    if (this.#tried.length > 0) this.#ringId = ids.next('agentRing');
    const { only } = this.#order;
    const agentId = await (only === undefined ? this.#take() : this.#takeBack(only));
    if (agentId === null) return null;
    // Hung up meanwhile: the agent's browser need not even begin to ring.
    if (this.#over) {
      await this.#clear(false, null);
      return 'declined';
    }
    this.#tried.push(agentId);
    const { promise, resolve } = Promise.withResolvers<RingEnd>();
    this.#settle = resolve;
    const leftMs = Math.max(0, this.#until - clock.now());
    const ringMs = only !== undefined ? leftMs : Math.min(this.#order.options.ringMs, leftMs);
    const timer: TimerHandle = clock.after(ringMs, () => resolve('no_answer'));
    if (this.#tried.length === 1) this.#onEvent({ kind: 'ringing', status: 180 });
    hints.tell(agentId);
    let end = await promise;
    timer.cancel();
    this.#settle = null;
    if (this.#over || end === 'answered') return end;
    // Who does not react at all would let every call wait: they are away until they say otherwise.
    const isCleared = await this.#clear(end === 'no_answer', ['ringing', 'declined', 'ended']);
    // The answer came in the very moment of the giving up, and was taken: then it counts.
    if (!isCleared && !this.#over) end = await this.#answeredAfterAll();
    return end;
  }

  async #take(): Promise<AgentId | null> {
    const { database, clock, owner } = this.#ports;
    const { accountId, callId, options, offer } = this.#order;
    if (clock.now() >= this.#until) return null;
    const wish = { accountId, group: options.group, tried: this.#tried, callId, owner, offer };
    for (let tries = 1; ; tries += 1) {
      const now = clock.now();
      const agentId = await takeAgent(database, { ...wish, ringId: this.#ringId, now });
      if (agentId !== null || tries === TAKE_TRIES || this.#over) return agentId;
      await delay(clock, TAKE_RETRY_MS);
    }
  }

  /** Again and again: the page is being loaded, and the row of the talk may not be over yet. */
  async #takeBack(agentId: AgentId): Promise<AgentId | null> {
    const { database, clock, owner } = this.#ports;
    const { callId, offer } = this.#order;
    while (!this.#over && clock.now() < this.#until) {
      const wish = { ringId: this.#ringId, callId, owner, offer };
      if (await takeAgentBack(database, agentId, wish)) return agentId;
      await delay(clock, TAKE_RETRY_MS);
    }
    return null;
  }

  async #answeredAfterAll(): Promise<RingEnd> {
    const { promise, resolve } = Promise.withResolvers<RingEnd>();
    this.#settle = resolve;
    const agentId = this.#tried.at(-1);
    if (agentId !== undefined) this.#ports.hints.tell(agentId);
    const end = await promise;
    this.#settle = null;
    return end;
  }

  #talk(): void {
    this.#talking = true;
    const dialog = { agentRing: this.#ringId, agentId: this.#tried.at(-1) ?? null };
    this.#onEvent({ kind: 'answered', sdp: this.#answer, dialog });
  }

  #watchTalk(state: RingState, ring: OwnRing | undefined): void {
    const now = this.#ports.clock.now();
    this.#goneSince = ring?.isThere === true ? null : (this.#goneSince ?? now);
    const isGone = this.#goneSince !== null && now - this.#goneSince >= GONE_IN_CALL_MS;
    const isLeft = state === 'answered' && (isGone || ring?.answer === null);
    if (state === 'answered' && !isLeft) return;
    const reason = isLeft ? { reason: AGENT_LEFT } : {};
    this.#end({ kind: 'ended', by: 'endpoint', ...reason });
    if (isLeft) void this.#await();
    else void this.#clear(false, null);
  }

  async #failed(): Promise<void> {
    const { database, clock } = this.#ports;
    const { accountId, options } = this.#order;
    const isLate = clock.now() >= this.#until;
    const isBusy = !isLate && (await isGroupBusy(database, accountId, options.group, this.#tried));
    const said = this.#tried.length > 0 ? [480, 'No agent answered'] : [480, 'No agent is there'];
    const [status, reason] = isBusy ? [486, 'Every agent is in a call'] : said;
    this.#end({ kind: 'failed', status: Number(status), reason: String(reason) });
  }

  /** False where the ring is not as `only` says, or is nobody's any more. */
  async #clear(toAway: boolean, only: readonly RingState[] | null): Promise<boolean> {
    const { database, clock, hints, log } = this.#ports;
    const { wrapUpMs } = this.#order.options;
    try {
      const how = { wrapUpMs, toAway, only, now: clock.now() };
      const agentId = await clearRing(database, this.#ringId, how);
      if (agentId !== null) hints.tell(agentId);
      return agentId !== null;
    } catch (error) {
      // Its lease ends by itself.
      log.error({ error: errorText(error) }, 'ring of an agent not cleared');
      return true;
    }
  }

  /** The page went: the agent is kept for this call as long as the customer waits for them. */
  async #await(): Promise<void> {
    const { database, clock, hints, log } = this.#ports;
    const { returnMs } = this.#order.options;
    if (returnMs === 0) return void this.#clear(false, null);
    try {
      const agentId = await awaitAgent(database, this.#ringId, returnMs, clock.now());
      if (agentId !== null) hints.tell(agentId);
    } catch (error) {
      log.error({ error: errorText(error) }, 'agent not kept for their call');
    }
  }

  #end(event: SipCallEvent): void {
    if (this.#over) return;
    this.#over = true;
    this.#talking = false;
    this.#onDone();
    this.#onEvent(event);
  }
}
