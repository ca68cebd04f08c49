import type { Attribution } from '../attribution/attribution.ts';
import { memberLeaves } from '../campaigns/member-store.ts';
import type { ExperimentId } from '../experiments/experiment.ts';
import type { ContactUnit } from '../ledger/contact-unit.ts';
import type { StoredLine } from '../lines/line-store.ts';
import type { Refusal, Refused } from '../platform/refusal.ts';
import { JOURNEY_LIMITS, type JourneyDocument } from './journey.ts';
import { compiled } from './journey-check.ts';
import { readJourney } from './journey-store.ts';
import { stageStart, stageStop } from './run-events.ts';
import { liveRunsOf, runRows } from './run-store.ts';
import type { JourneyId, Run } from './run.ts';

export type StartRun = {
  journeyId: JourneyId;
  /** Default: the newest. */
  version?: number;
  /** Of its calls, in place of the journey's own; null or absent leaves that. */
  priority?: number | null;
  /** Whose arms change the questions and calls of the run; null or absent for none. */
  experimentId?: ExperimentId | null;
  line: StoredLine;
  /** What the journey declares; unknown names are refused. */
  variables: Readonly<Record<string, string>>;
  /** A campaign's or an experiment's; the run adds its own ids. */
  attribution: Attribution | null;
  /** When its first step begins; null for now. */
  startAt: number | null;
  keyId: string | null;
  actor: string;
};

/**
 * Puts a contact on a journey: one row and one ledger entry; the worker takes the first step. One
 * live run per journey and contact. Nothing is asked or said here, so it costs little. A refusal
 * writes nothing.
 */
export async function startRun(unit: ContactUnit, wish: StartRun): Promise<Run | Refused> {
  const { contact, now, tx } = unit;
  const { journeyId, line, startAt } = wish;
  const newest = await readJourney(tx, contact.accountId, journeyId);
  const isOlder = newest !== null && (wish.version ?? newest.version) !== newest.version;
  const stored = isOlder
    ? await readJourney(tx, contact.accountId, journeyId, wish.version)
    : newest;
  if (stored === null) return refused(JOURNEY_UNKNOWN);
  if (contact.optedOutAt !== null) return refused(OPTED_OUT);
  const live = await liveRunsOf(tx, [contact.id]);
  const running = live.find((run) => run.journeyId === journeyId);
  if (running !== undefined) return refused({ ...RUN_LIVE, evidence: { runId: running.id } });
  const missing = variablesRefusal(stored.document, wish.variables);
  if (missing !== null) return refused(missing);
  if (startAt !== null && startAt > now + JOURNEY_LIMITS.startAheadMs) return refused(TOO_FAR);

  const { version } = stored;
  const id = unit.ids.next('journeyRun', contact.bucket);
  const belongs = { journeyId, journeyVersion: version, runId: id };
  const { first } = compiled(stored.document);
  const at = Math.max(now, startAt ?? now);
  const run: Run = {
    id,
    accountId: contact.accountId,
    contactId: contact.id,
    lineId: line.id,
    journeyId,
    version,
    attribution: { ...wish.attribution, ...belongs },
    keyId: wish.keyId,
    priority: wish.priority ?? null,
    experimentId: wish.experimentId ?? null,
    askAt: null,
    step: first,
    phase: { kind: 'start', at },
    reachedAt: at,
    variables: variablesOf(stored.document, wish.variables, {
      contactName: contact.name ?? 'there',
      business: line.name,
    }),
    requestId: null,
    callId: null,
    purpose: null,
    meant: null,
    outcome: null,
    reason: null,
    result: null,
    visits: 0,
    trail: [],
    startedAt: now,
    endedAt: null,
    end: null,
  };
  stageStart(unit, run, wish.actor);
  return run;
}

/**
 * Ends every live run of the unit's person, in the unit, and takes them out of the campaigns in
 * which they still wait; tells how many runs. Calls that a run waits for are the caller's to end.
 */
export async function cancelRuns(
  unit: ContactUnit,
  reason: string,
  actor = 'platform',
): Promise<number> {
  const units = new Map([unit, ...unit.absorbed].map((each) => [each.contact.id, each]));
  for (const of of units.values()) {
    const { id: contactId } = of.contact;
    of.save(memberLeaves, contactId, { contactId, reason, now: of.now });
  }
  // Whoever is on no journey costs no look.
  const onSome = [...units.values()].filter(({ liveRuns }) => liveRuns > 0);
  if (onSome.length === 0) return 0;
  const live = await liveRunsOf(
    unit.tx,
    onSome.map(({ contact }) => contact.id),
  );
  for (const stored of live) {
    const of = units.get(stored.contactId) ?? unit;
    // What this unit has changed already is not in the database yet.
    const run = of.savedRow(runRows, stored.id)?.run ?? stored;
    if (run.phase.kind !== 'ended') stageStop(of, run, reason, actor);
  }
  return live.length;
}

function variablesOf(
  { variables }: JourneyDocument,
  given: Readonly<Record<string, string>>,
  builtin: Record<string, string>,
): Record<string, string> {
  const defaults = Object.entries(variables).flatMap(([name, { default: text }]) =>
    text === undefined ? [] : [[name, text] as const],
  );
  return { ...Object.fromEntries(defaults), ...given, ...builtin };
}

/** RFC 3339 with an offset: a time without one means another instant to everybody. */
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;

/** Why the variables of a start cannot be used, or null. */
export function variablesRefusal(
  { variables }: Pick<JourneyDocument, 'variables'>,
  given: Readonly<Record<string, string>>,
): Refusal | null {
  const declared = Object.entries(variables);
  const missing = declared
    .filter(([name, { default: text }]) => text === undefined && given[name] === undefined)
    .map(([name]) => name);
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(variables, name));
  const noInstants = declared
    .filter(([, { type }]) => type === 'instant')
    .map(([name, { default: text }]) => [name, given[name] ?? text] as const)
    .filter(([, text]) => text !== undefined && !isInstant(text))
    .map(([name]) => name);
  if (missing.length + unknown.length + noInstants.length === 0) return null;
  return {
    code: 'journey_variables_invalid',
    message: 'The start does not bring what the journey needs.',
    fix:
      'Send a text under variables for each name in evidence.missing and no other; those in ' +
      'evidence.noInstants are times such as 2026-06-03T14:30:00Z.',
    evidence: { missing, unknown, noInstants },
  };
}

function isInstant(text: string): boolean {
  return INSTANT.test(text) && Number.isFinite(Date.parse(text));
}

function refused(refusal: Refusal): Refused {
  return { refused: refusal };
}

const JOURNEY_UNKNOWN: Refusal = {
  code: 'journey_unknown',
  message: 'There is no such journey in your account, or it was deleted.',
  fix: 'GET /v1/journeys lists those that can be started.',
};
const OPTED_OUT: Refusal = {
  code: 'opted_out',
  message: 'The customer said stop.',
  fix: 'Wait until the customer opts in again.',
};
const RUN_LIVE: Refusal = {
  code: 'journey_run_live',
  message: 'This person is on this journey already.',
  fix: 'Wait for its end, or cancel the run in evidence.runId.',
};
const TOO_FAR: Refusal = {
  code: 'journey_start_too_far',
  message: 'A run can be started at most a year ahead.',
  fix: 'Name an earlier startAt.',
};
