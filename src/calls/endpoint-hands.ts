import { AGENT_LEFT, type AgentId } from '../agents/agent.ts';
import type { Endpoint } from '../endpoints/endpoint.ts';
import { MAIN_LEG, type MediaCall } from '../media/media.ts';
import { errorText } from '../platform/failure.ts';
import type { EndpointId } from '../platform/ids.ts';
import type { InviteRequest } from '../sip/sip.ts';
import type { CallState } from './call.ts';
import type { LegPurpose } from './call-control.ts';
import type { CallFact } from './call-rules.ts';
import type { HandPorts, SessionTarget } from './call-session.ts';
import {
  inviteEndpoint,
  type EndpointCall,
  type EndpointLegPorts,
  type LegMedia,
  type LegTold,
} from './endpoint-leg.ts';

/** How a further leg turned out; `reason` is an end code. */
export type LegEnd = { up: true; legId: string } | { up: false; legId: string; reason: string };

export type LegWish = {
  endpoint: Endpoint;
  endpointId: EndpointId;
  purpose: LegPurpose;
  /** This agent and nobody else of the group: the call was theirs. */
  only?: AgentId;
  referral?: Pick<InviteRequest, 'replaces' | 'referredBy'>;
};

type OneLeg = {
  legId: string;
  wish: LegWish;
  call: EndpointCall | null;
  isUp: boolean;
  /** Why it ended, or is being ended by us. */
  reason: string | null;
  isOver: boolean;
  settle: (end: LegEnd) => void;
};

/**
 * The SIP side of one session: the leg that the call was planned with, and every further one. One
 * leg at a time is the current one, which speaks with the customer: its facts are the call's, and
 * its end is the end of the call. A further leg fails or goes without harm to anybody.
 */
/** Ends of somebody who had answered. */
const WAS_THERE = new Set(['endpoint_hung_up', 'agent_media_lost']);
/** Within it the word of a hang-up comes, also from another process. */
const HANG_UP_WORD_MS = 1_000;

export class EndpointHands {
  readonly #ports: HandPorts;
  readonly #target: SessionTarget;
  readonly #legs = new Map<string, OneLeg>();
  #media: MediaCall | null = null;
  #current: string = MAIN_LEG;
  #main: EndpointCall | null = null;
  #inviting = false;
  #isMainOver = false;
  #numbered = 1;
  /** The current leg hung up: true when somebody goes on without it. */
  onCurrentGone: (reason: string) => boolean = () => false;
  /** No target of the planned endpoint answers: true when somebody takes care of the customer. */
  onNobody: (reason: string) => boolean = () => false;
  /** A further leg is gone after it was up. */
  onLegGone: (legId: string, reason: string) => void = () => {};
  /** What the current leg says inside its dialog. */
  onTold: (told: LegTold) => void = () => {};

  constructor(ports: HandPorts, target: SessionTarget) {
    this.#ports = ports;
    this.#target = target;
  }

  get current(): string {
    return this.#current;
  }

  /** The SIP call of a leg, the current one unless named; undefined while there is none. */
  callOf(legId: string = this.#current): EndpointCall | undefined {
    return (legId === MAIN_LEG ? this.#main : this.#legs.get(legId)?.call) ?? undefined;
  }

  /** Further legs that are not over: invited, up, or listening. */
  get furtherLegs(): number {
    return [...this.#legs.values()].filter(({ isOver }) => !isOver).length;
  }

  /** Invites the planned endpoint, once. */
  invite(media: MediaCall, state: CallState): void {
    if (this.#inviting) return;
    this.#inviting = true;
    const ports: EndpointLegPorts = {
      ...this.#ports,
      report: (fact) => this.#onMainFact(fact),
      hangUp: (by, reason) => this.#onMainEnd(by, reason),
      told: (told) => this.#onTold(MAIN_LEG, told),
    };
    void inviteEndpoint(ports, media, this.#target, state).then((leg) => {
      this.#main = leg;
      if (this.#ports.isDone()) leg?.hangUp();
      this.#ports.poke();
    });
  }

  /** Invites a further endpoint; `answered` tells whether it came. It never rejects. */
  begin(media: MediaCall, wish: LegWish): { legId: string; answered: Promise<LegEnd> } {
    this.#numbered += 1;
    const legId = `leg${this.#numbered}`;
    this.#media = media;
    const { promise, resolve } = Promise.withResolvers<LegEnd>();
    const leg: OneLeg = {
      legId,
      wish,
      call: null,
      isUp: false,
      reason: null,
      isOver: false,
      settle: resolve,
    };
    this.#legs.set(legId, leg);
    const ports: EndpointLegPorts = {
      ...this.#ports,
      report: (fact) => this.#onLegFact(leg, fact),
      hangUp: (by, reason) => this.#onLegEnd(leg, by, reason),
      isWanted: () => this.#ports.isWanted() && leg.reason === null,
      told: (told) => this.#onTold(legId, told),
    };
    const { endpoint, referral, only } = wish;
    const target = {
      ...this.#target,
      endpoint,
      ...(referral === undefined ? {} : { referral }),
      ...(only === undefined ? {} : { only }),
    };
    const state = this.#ports.state();
    void inviteEndpoint(ports, mediaOf(media, legId), target, state).then((call) => {
      leg.call = call;
      if (call === null) this.#over(leg, leg.reason ?? 'endpoint_unavailable');
      else if (leg.reason !== null || this.#ports.isDone()) call.hangUp();
    });
    return { legId, answered: promise };
  }

  /** The leg speaks with the customer from now on; the one before is told to go. */
  use(media: MediaCall, legId: string, why: string): void {
    const before = this.#current;
    if (before === legId) return;
    this.#current = legId;
    media.useEndpoint(legId);
    this.#media = media;
    const reason = `Q.850;cause=16;text="${why}"`;
    if (before === MAIN_LEG) {
      this.#main?.hangUp(reason);
      this.#closeMedia(MAIN_LEG);
      return;
    }
    const old = this.#legs.get(before);
    if (old !== undefined) this.#hangUpLeg(old, why, reason);
  }

  /** Ends a further leg. */
  drop(legId: string, why: string): void {
    const leg = this.#legs.get(legId);
    if (leg !== undefined) this.#hangUpLeg(leg, why, `Q.850;cause=16;text="${why}"`);
  }

  /**
   * The browser at the end of a leg is gone: as if the agent had hung up. Who does hang up closes
   * the audio too, and that is often heard of first; their word is given a moment to come.
   */
  mediaGone(legId: string): void {
    this.#ports.clock.after(HANG_UP_WORD_MS, () => this.#onMediaGone(legId));
  }

  #onMediaGone(legId: string): void {
    const reason = 'agent_media_lost';
    const leg = this.#legs.get(legId);
    if (this.#ports.isDone() || (legId === MAIN_LEG && this.#isMainOver)) return;
    this.callOf(legId)?.hangUp(AGENT_LEFT);
    if (legId === MAIN_LEG) this.#onMainEnd('endpoint', reason);
    else if (leg !== undefined && !leg.isOver) this.#onLegEnd(leg, 'endpoint', reason);
  }

  /** Ends every leg; may be called again and again. */
  hangUp(reason?: string): void {
    this.#main?.hangUp(reason);
    for (const leg of this.#legs.values()) {
      leg.reason ??= 'call_over';
      leg.call?.hangUp(reason);
    }
  }

  #hangUpLeg(leg: OneLeg, why: string, reason: string): void {
    if (leg.isOver) return;
    leg.reason ??= why;
    // Its end is told before this returns; an INVITE that is not out yet sees the reason.
    leg.call?.hangUp(reason);
    if (leg.call !== null) this.#over(leg, why);
  }

  #onMainFact(fact: CallFact): void {
    if (this.#current === MAIN_LEG) return this.#ports.report(fact);
    if (fact.type !== 'EndpointEnded') return;
    this.#ports.note({ type: 'LegEnded', at: fact.at, legId: MAIN_LEG, reason: 'transferred' });
  }

  #onMainEnd(by: 'platform' | 'endpoint', reason: string): void {
    this.#isMainOver = true;
    if (this.#current !== MAIN_LEG || this.onCurrentGone(reason)) return;
    if (by === 'endpoint' && !WAS_THERE.has(reason) && this.onNobody(reason)) return;
    this.#ports.hangUp(by, reason);
  }

  #onLegFact(leg: OneLeg, fact: CallFact): void {
    const { legId, wish } = leg;
    if (fact.type === 'EndpointInvited') {
      const { at, sipCallId, target = null } = fact;
      const { endpointId, purpose } = wish;
      this.#ports.note({ type: 'LegInvited', at, legId, endpointId, purpose, sipCallId, target });
    } else if (fact.type === 'EndpointAnswered') {
      this.#ports.note({ type: 'LegAnswered', at: fact.at, legId, dialog: fact.dialog });
      leg.isUp = true;
      leg.settle({ up: true, legId });
    } else if (fact.type === 'EndpointEnded') {
      if (this.#current === legId) this.#ports.report(fact);
      else if (leg.reason !== null) this.#over(leg, leg.reason);
    }
  }

  #onLegEnd(leg: OneLeg, by: 'platform' | 'endpoint', reason: string): void {
    if (this.#current !== leg.legId) return this.#over(leg, reason);
    if (!this.onCurrentGone(reason)) this.#ports.hangUp(by, reason);
  }

  #over(leg: OneLeg, reason: string): void {
    if (leg.isOver) return;
    leg.isOver = true;
    leg.reason ??= reason;
    const { legId, reason: why } = leg;
    this.#ports.note({ type: 'LegEnded', at: this.#ports.clock.now(), legId, reason: why });
    this.#closeMedia(legId);
    leg.settle({ up: false, legId, reason: why });
    if (leg.isUp) this.onLegGone(legId, why);
  }

  /** A worker that died has freed its ports already. */
  #closeMedia(legId: string): void {
    this.#media?.closeEndpoint(legId).catch((error: unknown) => {
      const { log, callId } = this.#ports;
      log.warn({ callId, legId, error: errorText(error) }, 'leg media not closed');
    });
  }

  #onTold(legId: string, told: LegTold): void {
    if (this.#current === legId) this.onTold(told);
    else if (told.kind === 'referred') told.reject(403, 'Forbidden');
  }
}

/** The media of a call as one leg of it sees it. */
function mediaOf(media: MediaCall, legId: string): LegMedia {
  return {
    openEndpoint: (options) => media.openEndpoint(options, legId),
    applyEndpointAnswer: (sdp) => media.applyEndpointAnswer(sdp, legId),
    answerEndpointOffer: (sdp) => media.answerEndpointOffer(sdp, legId),
  };
}
