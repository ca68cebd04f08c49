import type { Queryable } from '../database/database.ts';
import type { StoredEndpoint } from '../endpoints/endpoint-store.ts';
import { listLines } from '../lines/line-store.ts';
import { isoTime } from '../platform/clock.ts';
import type { Refusal } from '../platform/refusal.ts';
import { limitingLayers } from '../policy/layers.ts';
import { listPacingLimits } from '../schedule/pacing-store.ts';
import {
  bestTime,
  capacityOfMinute,
  legalTimes,
  MINUTE_MS,
  nearestTimes,
  nextMinute,
  type AskGate,
  type Load,
  type Window,
} from '../schedule/planner.ts';
import type { PacingScope } from '../schedule/schedule.ts';
import {
  decideCall,
  latestCallTime,
  type GateFacts,
  type GatePorts,
  type GateQuestion,
} from './call-gate.ts';
import { bookedInMinutes, type Booked } from './waiting-store.ts';

/**
 * A call's time within a window: of all minutes that the gate allows, as far as is known now, the
 * first that line, endpoint and campaign have room for. The dial asks the gate again, whatever was
 * planned.
 */
export type PlanQuestion = Omit<GateQuestion, 'now' | 'endpointKnown'> & {
  /** Null where it is not known, or does not exist. */
  endpoint: StoredEndpoint | null;
  endpointKnown: boolean;
  campaignId: string | null;
  now: number;
};

/** When a call is to come. */
export type TimeWish = {
  /** When to dial; null for now. The past counts as now. */
  scheduledAt: number | null;
  /** Instead: the best minute in here. The call is not dialled after it. */
  window?: Window | undefined;
  /**
   * In a window that is open: now, where the gate says yes, though its minute be full. What is due
   * goes in turn at the real pace, and a plan knows only how full minutes look from afar.
   */
  preferNow?: boolean;
  /** Where only time stands in the way: refuse, or dial as soon as the gate allows it. */
  onBlocked: 'refuse' | 'schedule';
};

export type PlannedTime =
  | {
      dueAt: number;
      /** After it the call is not dialled; null where no such time was named. */
      until: number | null;
      /** What stood in the way of the time that was wished for. */
      putOffBy: string | null;
      packName: string;
    }
  | { refused: Refusal; packName: string };

/** Turns a wish into a time that the gate allows, as far as is known now, or says why not. */
export async function planTime(
  db: Queryable,
  ports: GatePorts,
  facts: GateFacts,
  question: PlanQuestion,
  wish: TimeWish,
): Promise<PlannedTime> {
  const { window, scheduledAt } = wish;
  const packName = ports.packs.of(question.line.policyPack).name;
  if (window !== undefined) {
    const early = wish.preferNow === true ? nowWithin(ports, facts, question, window) : null;
    if (early !== null && early.refusal === null) {
      return { dueAt: question.now, until: window.until, putOffBy: null, packName };
    }
    const times = await callingTimes(db, ports, facts, question, { window, max: NEAR_MINUTES });
    if (times.best === null) return { refused: times.refusal, packName };
    const putOffBy = early?.refusal?.code ?? null;
    return { dueAt: times.best, until: window.until, putOffBy, packName };
  }
  const { now } = question;
  const wantedAt = Math.max(now, scheduledAt ?? now);
  const wanted = decideCall(ports, facts, { ...question, now: wantedAt });
  const allowedAt = wish.onBlocked === 'schedule' ? (wanted.refusal?.allowedAt ?? null) : null;
  const dueAt = allowedAt ?? wantedAt;
  const { refusal } =
    allowedAt === null ? wanted : decideCall(ports, facts, { ...question, now: dueAt });
  if (refusal === null) {
    return { dueAt, until: null, putOffBy: wanted.refusal?.code ?? null, packName };
  }
  const latestAt = latestCallTime(ports, facts, question);
  return { refused: latestAt === null ? refusal : { ...refusal, latestAt }, packName };
}

/** What the gate says to a call now; null where the window is not open. */
function nowWithin(ports: GatePorts, facts: GateFacts, question: PlanQuestion, window: Window) {
  const { now } = question;
  return window.from <= now && now < window.until ? decideCall(ports, facts, question) : null;
}

/** A time at which the gate would let the call pass, and how full its minute is. */
export type CallingTime = { at: number; booked: number; capacity: number | null };

export type CallingTimes = { items: CallingTime[] } & (
  | { best: number; refusal: null }
  | { best: null; refusal: Refusal }
);

/** Minutes that a plan looks at one by one; where all are full, one of five of the time after. */
const NEAR_MINUTES = 30;
const FAR_STEP_MS = 5 * MINUTE_MS;
const FAR_MINUTES = 150;

/**
 * The first `max` legal minutes of a window, and the best: the first that has room, however far
 * behind them it lies. Where there is none, why, and which other times are nearest.
 */
export async function callingTimes(
  db: Queryable,
  ports: GatePorts,
  facts: GateFacts,
  question: PlanQuestion,
  { window, max }: { window: Window; max: number },
): Promise<CallingTimes> {
  const ask = askGate(ports, facts, question);
  const open = { from: Math.max(question.now, window.from), until: window.until };
  const near = legalTimes(ask, open, { max });
  const last = near.at(-1);
  if (last === undefined) {
    return { items: [], best: null, refusal: noTime(ports, facts, question, open) };
  }
  const limits = await minuteLimits(db, ports, question);
  const nearLoads = await loadsOf(db, limits, near);
  const loads = near.map((at) => ({ at, ...loadIn(nearLoads, at) }));
  const items = loads.map(({ at, booked, capacity }) => ({
    at,
    booked,
    capacity: capacity === Infinity ? null : capacity,
  }));
  if (loads.some(({ booked, capacity }) => booked < capacity)) {
    return { items, best: bestTime(near, (at) => loadIn(nearLoads, at)) ?? last, refusal: null };
  }
  const rest = { from: nextMinute(last + 1), until: open.until };
  const far = legalTimes(ask, rest, { max: FAR_MINUTES, stepMs: FAR_STEP_MS });
  const allLoads = new Map([...nearLoads, ...(await loadsOf(db, limits, far))]);
  const best = bestTime([...near, ...far], (at) => loadIn(allLoads, at)) ?? last;
  return { items, best, refusal: null };
}

/** The gate, asked about one call at any time. */
function askGate(ports: GatePorts, facts: GateFacts, question: Omit<GateQuestion, 'now'>): AskGate {
  return (now) => {
    const { allowed, refusal } = decideCall(ports, facts, { ...question, now });
    return { allowed, allowedAt: refusal?.allowedAt ?? null };
  };
}

const roomIn = ({ booked, capacity }: Load): number => capacity - booked;
const UNBOUND: Load = { booked: 0, capacity: Infinity };
const loadIn = (loads: ReadonlyMap<number, Load>, at: number): Load => loads.get(at) ?? UNBOUND;

/** The load of each minute under the limit that leaves it the least room. */
async function loadsOf(
  db: Queryable,
  limits: readonly MinuteLimit[],
  times: readonly number[],
): Promise<Map<number, Load>> {
  const loads = new Map<number, Load>();
  for (const { capacity, counts } of limits) {
    const booked = await bookedInMinutes(db, counts, times);
    for (const at of times) {
      const load = { booked: booked.get(at) ?? 0, capacity };
      if (roomIn(load) < roomIn(loads.get(at) ?? UNBOUND)) loads.set(at, load);
    }
  }
  return loads;
}

/** How many calls a minute takes under one limit, and which calls it counts. */
type MinuteLimit = { capacity: number; counts: Booked };

/** An account has a handful of limits, and a few for each campaign. */
const LIMITS_MAX = 1_000;

/** What limits how many calls a minute can take: pace and caps, those of packs included. */
async function minuteLimits(
  db: Queryable,
  { packs }: GatePorts,
  { line, contact, endpoint, campaignId }: PlanQuestion,
): Promise<MinuteLimit[]> {
  const { accountId } = line;
  const first = { scope: 'account', id: '', setBy: '' } as const;
  const set = await listPacingLimits(db, accountId, first, LIMITS_MAX);
  const capacityOf = (scope: PacingScope, id: string | null, caps: readonly number[]): number =>
    capacityOfMinute([
      ...set.filter((limit) => limit.scope === scope && limit.id === id),
      ...caps.map((concurrentCalls) => ({ callsPerSecond: null, concurrentCalls })),
    ]);
  const lineCaps = limitingLayers(packs.layersOf(line, contact)).flatMap(
    ({ limits }) => limits.lineCalls?.concurrentMax ?? [],
  );
  const others = {
    account: capacityOf('account', accountId, []),
    endpoint: capacityOf('endpoint', endpoint?.id ?? null, capsOfEndpoint(endpoint)),
    campaign: capacityOf('campaign', campaignId, []),
  };
  const limits = [
    { capacity: capacityOf('line', line.id, lineCaps), counts: { ...ALL, lineIds: [line.id] } },
  ];
  if (Math.min(...Object.values(others)) < Infinity) {
    const lineIds = (await listLines(db, accountId)).map(({ id }) => id);
    const endpointId = endpoint?.id ?? null;
    limits.push(
      { capacity: others.account, counts: { ...ALL, lineIds } },
      { capacity: others.endpoint, counts: { ...ALL, lineIds, endpointId } },
      { capacity: others.campaign, counts: { ...ALL, lineIds, campaignId } },
    );
  }
  return limits.filter(({ capacity }) => capacity < Infinity);
}

const ALL: Omit<Booked, 'lineIds'> = { endpointId: null, campaignId: null };

function capsOfEndpoint(endpoint: StoredEndpoint | null): number[] {
  return typeof endpoint?.maxCalls === 'number' ? [endpoint.maxCalls] : [];
}

/** Other times that are offered, a quarter of an hour apart. */
const OFFERED_AFTER = 2;
const QUARTER_MS = 15 * MINUTE_MS;

/** The gate's word on the beginning of a window without a legal time, and the nearest ones. */
function noTime(
  ports: GatePorts,
  facts: GateFacts,
  question: PlanQuestion,
  window: Window,
): Refusal {
  const isOver = window.until <= window.from;
  const decision = decideCall(ports, facts, { ...question, now: window.from });
  const ask = askGate(ports, facts, question);
  const { before, after } = nearestTimes(ask, window, question.now);
  const { allowedAt: _allowedAt, ...said } = (isOver ? null : decision.refusal) ?? NOTHING_LEFT;
  const offered =
    after === null
      ? []
      : legalTimes(
          ask,
          { from: after, until: after + DAY_MS },
          { max: OFFERED_AFTER, stepMs: QUARTER_MS },
        );
  const evidence = {
    ...said.evidence,
    window: { from: isoTime(window.from), until: isoTime(window.until) },
    alternatives: [...(before === null ? [] : [before]), ...offered].map(isoTime),
  };
  return {
    ...said,
    evidence,
    ...(after === null ? {} : { allowedAt: after }),
    ...(before === null ? {} : { latestAt: before }),
  };
}

const DAY_MS = 24 * 60 * MINUTE_MS;

/** Of a window that is over, or shorter than the way to its first whole minute. */
const NOTHING_LEFT: Refusal = {
  code: 'window_empty',
  message: 'No minute is left in this window.',
  fix: 'Give a window that begins later, or ends later.',
};
