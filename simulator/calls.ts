import type { SimCallEnding } from './control-types.ts';
import { errorText } from '../src/platform/failure.ts';
import { GraphError, type MetaErrorCode } from './graph-error.ts';
import { newWacid } from './meta-ids.ts';
import type { ScriptStep } from './people.ts';
import { countConnected, countUnanswered, grantForCallback } from './permissions.ts';
import { pretendSdp, SDP_FAULTS, spoiledSdp } from './sdp-answer.ts';
import type { OfferFacts } from './sdp-offer.ts';
import {
  callTimer,
  HISTORY_LIMIT,
  keyExchangeOf,
  pairOf,
  touch,
  type Call,
  type Line,
  type Person,
  type Simulation,
} from './simulation.ts';
import { sendCallEvent, sendCallStatus } from './webhook-values.ts';

/**
 * The life of a call, as Meta tells it by webhook:
 *
 *   dialing --connect--> dialing --RINGING--> ringing --ACCEPTED--> answered --terminate--> ended
 *                                                \--REJECTED--> ended (terminate follows)
 *
 * `connect` only carries the SDP; the pick-up is ACCEPTED.
 */
export async function placeCall(
  sim: Simulation,
  placed: {
    line: Line;
    person: Person;
    sdp: string;
    facts: OfferFacts;
    opaque?: string | undefined;
  },
): Promise<Call> {
  const call = newCall(sim, placed.line, placed.person, 'BUSINESS_INITIATED');
  call.opaque = placed.opaque;
  // The place is taken before the slow part, so that two offers at once cannot both pass 138003.
  enter(sim, call);
  try {
    const answer = await answerSdp(sim, call, placed.sdp, placed.facts);
    const fault = SDP_FAULTS.find((kind) => sim.faults.strike(kind, 'connect') !== undefined);
    call.sdp = fault === undefined ? answer : spoiledSdp(answer, fault);
  } catch (error) {
    leave(sim, call);
    sim.log.warn({ reason: errorText(error) }, 'the offer could not be answered');
    throw new GraphError(138004, `The SDP offer could not be applied: ${errorText(error)}`);
  }
  placed.line.dialsAt.push(sim.clock.now());
  return call;
}

/** Starts the webhooks of a placed call; `connectSent` when a fault sent `connect` already. */
export function startSignalling(sim: Simulation, call: Call, connectSent = false): void {
  const { settings } = sim;
  if (sim.faults.strike('terminate_before_connect', 'connect') !== undefined) {
    call.connectHeld = true;
    callTimer(sim, call, settings.connectAfterMs, () => finish(sim, call, 'failed', 138019));
    return;
  }
  callTimer(sim, call, settings.connectAfterMs, () => {
    if (!connectSent) void sendCallEvent(sim, call, 'connect');
    callTimer(sim, call, settings.mediaConnectMs, () => {
      const blocked = call.person.device === 'no_media' || call.mediaState === 'connecting';
      if (blocked) finish(sim, call, 'media_lost', 138007);
    });
    if (call.person.device === 'unreachable') {
      callTimer(sim, call, settings.unreachableAfterMs, () =>
        finish(sim, call, 'unreachable', 138020),
      );
      return;
    }
    callTimer(sim, call, settings.ringingAfterMs, () => ring(sim, call));
  });
}

/** The person picks up. */
export function answer(sim: Simulation, call: Call): void {
  call.state = 'answered';
  call.answeredAt = sim.clock.now();
  countConnected(sim, call.line, call.person);
  if (call.direction === 'BUSINESS_INITIATED') void sendCallStatus(sim, call, 'ACCEPTED');
  call.media?.attach(call.person.phone);
  call.media?.accept();
  watchBusinessMedia(sim, call);
  runScript(sim, call, call.person.script.whenAnswered);
  touch(sim, call.person);
}

export function decline(sim: Simulation, call: Call): void {
  void sendCallStatus(sim, call, 'REJECTED');
  finish(sim, call, 'declined');
}

/** The person stops sending; WhatsApp gives such a call up with 138022. */
export function loseMedia(sim: Simulation, call: Call): void {
  const since = sim.clock.now();
  call.personSilentSince = since;
  call.media?.setSending(false);
  callTimer(sim, call, sim.settings.noMediaLaterMs, () => {
    if (call.personSilentSince === since) finish(sim, call, 'media_lost', 138022);
  });
  touch(sim, call.person);
}

export function resumeMedia(sim: Simulation, call: Call): void {
  call.personSilentSince = null;
  call.media?.setSending(true);
  touch(sim, call.person);
}

/** Ends a call once; whoever comes later finds it ended. */
export function finish(
  sim: Simulation,
  call: Call,
  ending: SimCallEnding,
  errorCode?: MetaErrorCode,
): void {
  if (call.state === 'ended') return;
  call.state = 'ended';
  call.endedAt = sim.clock.now();
  call.ending = ending;
  call.errorCode = errorCode ?? null;
  leave(sim, call);
  const terminated = sendCallEvent(sim, call, 'terminate');
  if (call.connectHeld) void terminated.then(() => sendCallEvent(sim, call, 'connect'));
  if (call.direction === 'USER_INITIATED') {
    grantForCallback(sim, call.line, call.person, call.id);
  } else if (call.answeredAt === null && call.ringingAt !== null) {
    countUnanswered(sim, call.line, call.person);
  }
  touch(sim, call.person);
}

/** The person calls the business. Signalling only: the offer leads to no real media. */
export function callBusiness(
  sim: Simulation,
  line: Line,
  person: Person,
  ctaPayload?: string,
): Call {
  const call = newCall(sim, line, person, 'USER_INITIATED');
  if (ctaPayload !== undefined) call.ctaPayload = ctaPayload;
  const facts = { mid: 'audio', opusPayloadType: 111, dtmfPayloadType: 126, ufrag: '', sdes: null };
  call.sdp = pretendSdp(facts, sim.random, keyExchangeOf(line), 'actpass');
  call.state = 'ringing';
  call.ringingAt = sim.clock.now();
  enter(sim, call);
  // The window opens whether or not the business answers (pricing page).
  pairOf(line, person).windowUntil = sim.clock.now() + sim.settings.windowMs;
  void sendCallEvent(sim, call, 'connect');
  callTimer(sim, call, sim.settings.ringTimeoutMs, () => {
    if (call.state === 'ringing') finish(sim, call, 'no_answer');
  });
  return call;
}

function ring(sim: Simulation, call: Call): void {
  // The person talks to another business: the phone turns the call down by itself.
  if (call.person.call !== call) {
    callTimer(sim, call, 1000, () => decline(sim, call));
    return;
  }
  call.state = 'ringing';
  call.ringingAt = sim.clock.now();
  void sendCallStatus(sim, call, 'RINGING');
  callTimer(sim, call, sim.settings.ringTimeoutMs, () => {
    if (call.state === 'ringing') finish(sim, call, 'no_answer');
  });
  runScript(sim, call, call.person.script.whenRinging);
  touch(sim, call.person);
}

function runScript(sim: Simulation, call: Call, steps: readonly ScriptStep[]): void {
  for (const step of steps) {
    callTimer(sim, call, step.afterMs, () => sim.act(call.person, step.action));
  }
}

async function answerSdp(
  sim: Simulation,
  call: Call,
  offer: string,
  facts: OfferFacts,
): Promise<string> {
  if (sim.media === null) return pretendSdp(facts, sim.random, keyExchangeOf(call.line));
  call.mediaState = 'connecting';
  call.media = await sim.media.openCall({
    wacid: call.id,
    offer,
    facts,
    deaf: call.person.device === 'no_media',
    voiceHz: 440,
    onConnected: () => {
      call.mediaState = 'connected';
      touch(sim, call.person);
    },
    onMedia: () => {
      call.businessMediaAt = sim.clock.now();
    },
    onHeard: (hz) => {
      call.heardAt = sim.clock.now();
      if (hz.join() === call.heardHz.join()) return;
      call.heardHz = hz;
      for (const tone of hz) call.everHeardHz.add(tone);
      touch(sim, call.person);
    },
    onDigit: (digit) => {
      call.digitsHeard += digit;
      touch(sim, call.person);
    },
    onLost: () => {
      if (call.mediaState === 'connected') call.mediaState = 'lost';
      touch(sim, call.person);
    },
  });
  return call.media.answer;
}

/** 138021: nothing at all for 20 s after the pick-up, or nothing for 30 s later on. */
function watchBusinessMedia(sim: Simulation, call: Call): void {
  if (call.media === null) return;
  const { noMediaAtStartMs, noMediaLaterMs } = sim.settings;
  const answeredAt = call.answeredAt ?? sim.clock.now();
  const heardAt = call.businessMediaAt ?? 0;
  const dueAt = heardAt > answeredAt ? heardAt + noMediaLaterMs : answeredAt + noMediaAtStartMs;
  if (dueAt <= sim.clock.now()) {
    finish(sim, call, 'media_lost', 138021);
    return;
  }
  callTimer(sim, call, dueAt - sim.clock.now(), () => watchBusinessMedia(sim, call));
}

function newCall(sim: Simulation, line: Line, person: Person, direction: Call['direction']): Call {
  return {
    id: newWacid(sim.random),
    line,
    person,
    direction,
    state: 'dialing',
    opaque: undefined,
    sdp: '',
    media: null,
    counts: { packetsIn: 0, packetsOut: 0 },
    mediaState: 'off',
    connectHeld: false,
    startedAt: sim.clock.now(),
    ringingAt: null,
    answeredAt: null,
    endedAt: null,
    ending: null,
    errorCode: null,
    heardHz: [],
    heardAt: 0,
    everHeardHz: new Set(),
    digitsHeard: '',
    digitsSent: '',
    businessMediaAt: null,
    personSilentSince: null,
    timers: new Set(),
  };
}

function enter(sim: Simulation, call: Call): void {
  sim.calls.set(call.id, call);
  call.person.call ??= call;
  touch(sim, call.person);
}

function leave(sim: Simulation, call: Call): void {
  for (const timer of call.timers) timer.cancel();
  call.timers.clear();
  sim.calls.delete(call.id);
  if (call.person.call === call) call.person.call = null;
  if (call.state === 'ended') {
    call.person.pastCalls.unshift(call);
    call.person.pastCalls.length = Math.min(call.person.pastCalls.length, HISTORY_LIMIT);
  }
  call.heardHz = [];
  if (call.media === null) return;
  // Only the figures stay: a past call must not keep its peer alive.
  call.counts = call.media.counts();
  void call.media.close();
  call.media = null;
}
