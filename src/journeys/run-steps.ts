import { applyCallEvents } from '../calls/call-events.ts';
import { hangUp } from '../calls/call-rules.ts';
import { callRows, readCall } from '../calls/call-store.ts';
import type { CallState } from '../calls/call.ts';
import { consentRowKey } from '../consent/consent-commands.ts';
import { consentRows, readConsent } from '../consent/consent-store.ts';
import type { ConsentState } from '../consent/consent.ts';
import type { ContactUnit } from '../ledger/contact-unit.ts';
import type { StoredLine } from '../lines/line-store.ts';
import type { CallId } from '../platform/ids.ts';
import type { Journey } from './journey.ts';
import { stageRun, stageStop } from './run-events.ts';
import { perform, type RunPorts } from './run-hands.ts';
import { advance, wakesAt, type Advanced, type RunInput, type StepTaken } from './run-rules.ts';
import type { Run } from './run.ts';

/**
 * Takes a run as far as it goes now: what is known goes into the decider, what it wants done is
 * written, and so on until it waits. All of it commits at once, so a crash repeats nothing.
 */
export async function stepRun(
  unit: ContactUnit,
  ports: RunPorts,
  { journey, line, run: before }: { journey: Journey; line: StoredLine; run: Run },
): Promise<void> {
  let now: Advanced = { run: before, effect: null, taken: [] };
  const taken: StepTaken[] = [];
  for (;;) {
    const { run, effect } = now;
    const input =
      effect === null ? await inputOf(unit, run) : await perform(unit, ports, line, run, effect);
    if (input === null) break;
    const next = advance(journey, run, input);
    taken.push(...next.taken);
    if (next.run === run) break;
    now = next;
  }
  stageRun(unit, { ...now, taken });
}

/** Ends a run where it stands, with a call of its own that nobody has picked up yet. */
export async function stopRun(
  unit: ContactUnit,
  run: Run,
  reason: string,
  actor: string,
): Promise<void> {
  if (run.phase.kind === 'call') {
    const call = await callOf(unit, run.phase.callId);
    if (call !== null && call.status !== 'ended' && call.facts.answeredAt === null) {
      const events = hangUp(call, 'business', 'business_hung_up', unit.now);
      await applyCallEvents(unit, call, events, actor);
    }
  }
  stageStop(unit, run, reason, actor);
}

/** What has happened that the run waits for, or that its time has come; null for neither. */
async function inputOf(unit: ContactUnit, run: Run): Promise<RunInput | null> {
  const { now } = unit;
  const { phase } = run;
  const wake = wakesAt(run);
  const time: RunInput | null = wake !== null && wake <= now ? { type: 'time', at: now } : null;
  if (phase.kind === 'answer') {
    const answer = answerIn(await consentOf(unit, run), run);
    return answer === null ? time : { type: 'answered', at: now, answer };
  }
  if (phase.kind !== 'call') return time;
  const call = await callOf(unit, phase.callId);
  if (call === null || call.status !== 'ended') return null;
  const { outcome, reason } = call.end;
  const result = call.facts.control?.script?.result ?? null;
  const { permissionAgeMs: afterYesMs } = call.facts;
  const wasPlanned = call.plan.dueAt > call.plan.requestedAt;
  return { type: 'callEnded', at: now, outcome, reason, result, wasPlanned, afterYesMs };
}

async function consentOf(unit: ContactUnit, { lineId }: Run): Promise<ConsentState> {
  const { contact, tx } = unit;
  // What this unit has changed already is not in the database yet.
  const saved = unit.savedRow(consentRows, consentRowKey(contact.id, lineId));
  return saved?.state ?? readConsent(tx, { contactId: contact.id, lineId });
}

function callOf(unit: ContactUnit, callId: CallId): Promise<CallState | null> {
  const saved = unit.savedRow(callRows, callId);
  return saved === undefined ? readCall(unit.tx, callId) : Promise.resolve(saved);
}

/** What the person has said to the question of the run; null while they have not. */
function answerIn(state: ConsentState, { requestId }: Run): 'yes' | 'no' | 'none' | null {
  switch (state.status) {
    case 'requested':
      return null;
    // Which question it answered does not matter here: the gate compares the purposes.
    case 'granted':
      return 'yes';
    case 'used':
    case 'expired':
      return state.permission.requestId === requestId ? 'yes' : 'none';
    case 'declined':
    case 'revoked':
      return 'no';
    case 'none':
    case 'lapsed':
      return 'none';
  }
}
