import { lockStop, readAccountSetting } from '../accounts/account-store.ts';
import type { Queryable, Tx } from '../database/database.ts';
import { recordInRegister } from '../do-not-call/register-commands.ts';
import { readSums, type KpiQuestion } from '../kpis/kpi-query-store.ts';
import type { LedgerPorts, UnitPorts } from '../ledger/contact-unit.ts';
import { releaseTurns } from '../messages/message-store.ts';
import type { AccountId, LineId } from '../platform/ids.ts';
import { clearPace, setPace } from '../schedule/pacing-commands.ts';
import { redTemplates } from '../templates/template-store.ts';
import {
  countAgainFrom,
  decideBrake,
  findingsOf,
  judgedFrom,
  slowPaceOf,
  sumOf,
  type Move,
} from './brake-rules.ts';
import { readBrake, saveBrake } from './brake-store.ts';
import {
  brakeSettingsOf,
  freeBrake,
  type BrakeSettings,
  type Finding,
  type HourOfLine,
  type LineBrake,
} from './brakes.ts';

/** A line as it is judged now. */
export type Judged = {
  brake: LineBrake;
  settings: BrakeSettings;
  findings: Finding[];
  hours: HourOfLine[];
};

/** What the rates of a line say now, from sums that are kept by the hour. */
export async function judgeLine(
  db: Queryable,
  accountId: AccountId,
  lineId: LineId,
  now: number,
): Promise<Judged> {
  const settings = brakeSettingsOf(await readAccountSetting(db, accountId, 'brakes'));
  const brake = (await readBrake(db, accountId, lineId)) ?? freeBrake(accountId, lineId);
  const from = judgedFrom(settings, brake, now);
  const question = { accountId, from, until: now, filters: { line: lineId }, groupBy: null };
  const sums = from >= now ? [] : await readSums(db, { ...question, period: 'h' });
  const hours = sums.flatMap(({ at, measures }) => (at === null ? [] : [{ at, measures }]));
  const red = from >= now ? 0 : await redRequests(db, { ...question, period: null });
  return { brake, settings, findings: findingsOf(sumOf(hours), settings, red), hours };
}

/** How many of the requests went out with a template that Meta rates RED today. */
async function redRequests(db: Queryable, question: KpiQuestion): Promise<number> {
  let sent = 0;
  for (const template of await redTemplates(db, question.accountId)) {
    const filters = { ...question.filters, template };
    const [sums] = await readSums(db, { ...question, filters });
    sent += sums?.measures.requests_sent ?? 0;
  }
  return sent;
}

/**
 * Looks at a line and brakes it, or lets it go on, where its rates say so; true where anything
 * changed. The account's lock makes every dial that has begun commit before a pause does.
 */
export async function lookAtLine(
  ports: LedgerPorts,
  accountId: AccountId,
  lineId: LineId,
): Promise<boolean> {
  const { database, clock } = ports;
  const first = await judgeLine(database, accountId, lineId, clock.now());
  if (decideBrake(first.brake, first.findings, first.settings) === null) return false;
  return database.transaction(async (tx) => {
    await lockStop(tx, accountId);
    const judged = await judgeLine(tx, accountId, lineId, clock.now());
    const move = decideBrake(judged.brake, judged.findings, judged.settings);
    if (move === null) return false;
    await follow(tx, ports, judged, move);
    return true;
  });
}

async function follow(tx: Tx, ports: LedgerPorts, judged: Judged, move: Move): Promise<void> {
  const { brake, settings, hours } = judged;
  const pace = move.to === 'slowed' ? slowPaceOf(hours, settings.slowFactor) : null;
  const reason = move.to === 'free' ? goesOnBecause(settings) : null;
  const change = { state: move.to, because: move.because, actor: 'platform', reason, pace };
  await carryOut(tx, ports, brake, change);
}

const goesOnBecause = ({ enabled }: BrakeSettings): string =>
  enabled ? 'Its rates are good again.' : 'The brakes were switched off.';

/**
 * Lets a braked line go on by hand; null where nothing brakes it. A paused one goes on slowly, and
 * freely once its rates are good again; what came before does not count any more.
 */
export async function resumeLine(
  tx: Tx,
  ports: UnitPorts,
  accountId: AccountId,
  wish: { lineId: LineId; actor: string; reason: string },
): Promise<LineBrake | null> {
  const { lineId, actor, reason } = wish;
  const now = ports.clock.now();
  await lockStop(tx, accountId);
  const { brake, settings } = await judgeLine(tx, accountId, lineId, now);
  if (brake.state === 'free') return null;
  const countFrom = countAgainFrom(now);
  if (brake.state === 'slowed') {
    const freed = { state: 'free', because: [], actor, reason, pace: null } as const;
    return carryOut(tx, ports, { ...brake, countFrom }, freed);
  }
  const pace = await paceBefore(tx, brake, settings);
  const slowed = { state: 'slowed', because: brake.because, actor, reason, pace } as const;
  return carryOut(tx, ports, { ...brake, countFrom }, slowed);
}

/** A paused line did nothing lately: its pace is that of the window before it was paused. */
async function paceBefore(tx: Tx, brake: LineBrake, settings: BrakeSettings) {
  const { accountId, lineId } = brake;
  const until = brake.since ?? 0;
  const from = judgedFrom(settings, { countFrom: null }, until);
  const question = { accountId, from, until, filters: { line: lineId }, groupBy: null };
  const sums = await readSums(tx, { ...question, period: 'h' });
  const hours = sums.flatMap(({ at, measures }) => (at === null ? [] : [{ at, measures }]));
  return slowPaceOf(hours, settings.slowFactor);
}

/** Records that somebody set the brakes: who loosens them can be told later. */
export async function noteSettings(
  tx: Tx,
  ports: UnitPorts,
  accountId: AccountId,
  { actor, settings }: { actor: string; settings: BrakeSettings },
): Promise<void> {
  await recordInRegister(tx, ports, accountId, { type: 'BrakesSet', actor, data: { settings } });
}

type Change = Pick<LineBrake, 'state' | 'because' | 'actor' | 'reason' | 'pace'>;

const TOLD = {
  slowed: { type: 'LineSlowed', event: 'line.slowed' },
  paused: { type: 'LinePaused', event: 'line.paused' },
  free: { type: 'LineResumed', event: 'line.resumed' },
} as const;

/** State, pace, ledger entry and event, together or not at all. */
async function carryOut(
  tx: Tx,
  ports: UnitPorts,
  before: LineBrake,
  change: Change,
): Promise<LineBrake> {
  const { accountId, lineId } = before;
  const after = { ...before, ...change, since: ports.clock.now() };
  await saveBrake(tx, after);
  await keepPace(tx, after, after.since);
  // A paused line that goes on slowly is news of the good kind.
  const isResumed = before.state === 'paused' || change.state === 'free';
  const { type, event } = TOLD[isResumed ? 'free' : change.state];
  const { actor, reason, pace } = change;
  const because = change.because.map(told);
  const data = { lineId, state: change.state, because, ...pace };
  await recordInRegister(tx, ports, accountId, {
    type,
    actor,
    data,
    ...(reason === null ? {} : { personal: { reason } }),
    announce: { type: event, callId: null, sequence: 0, data: { ...data, reason } },
  });
  return after;
}

function told({ brake, numerator, denominator, value, slow, pause }: Finding) {
  return { brake, numerator, denominator, value, slow, pause };
}

/** Beside the operator's own limit, which holds again when this one is gone. */
async function keepPace(
  tx: Tx,
  { accountId, lineId, state, pace }: LineBrake,
  now: number,
): Promise<void> {
  const line = { scope: 'line', id: lineId } as const;
  if (state !== 'slowed' || pace === null) {
    await clearPace(tx, accountId, line, 'brake');
    return releaseTurns(tx, lineId, now);
  }
  const { callsPerSecond } = pace;
  const reason = 'The line is slowed; see GET /v1/brakes.';
  const wish = { ...line, callsPerSecond, concurrentCalls: null, reason };
  await setPace(tx, accountId, { ...wish, setBy: 'brake' });
}
