import { memberEnds } from '../campaigns/member-store.ts';
import type { ContactUnit } from '../ledger/contact-unit.ts';
import { liveRunCounts, runRows } from './run-store.ts';
import { advance, type Advanced, type StepTaken } from './run-rules.ts';
import type { Journey } from './journey.ts';
import type { Run } from './run.ts';

/** Stages what became of a run: its row, a ledger entry per step, and the end, which is told. */
export function stageRun(unit: ContactUnit, { run, taken }: Advanced, actor = 'platform'): void {
  const { id: runId, journeyId, version, lineId } = run;
  for (const step of taken) {
    const { at, ...data } = step satisfies StepTaken;
    unit.record({ type: 'RunStepped', actor, at, data: { runId, journeyId, ...data } });
  }
  unit.save(runRows, runId, { run, now: unit.now });
  if (run.phase.kind !== 'ended') return;
  unit.save(liveRunCounts, run.contactId, run.contactId);
  const { end, visits, contactId, attribution } = run;
  const { campaignId } = attribution;
  if (campaignId !== undefined) {
    const reason = end ?? 'done';
    unit.save(memberEnds, runId, { campaignId, contactId, runId, reason, now: unit.now });
  }
  const data = { runId, journeyId, version, lineId, step: run.step, end, steps: visits };
  const announce = { type: 'journey.run.ended', callId: null, sequence: 0, data } as const;
  unit.record({ type: 'RunEnded', actor, at: unit.now, data, announce });
}

/** Stages a run that has just begun. */
export function stageStart(unit: ContactUnit, run: Run, actor: string): void {
  const { id: runId, journeyId, version, lineId, phase, attribution } = run;
  const dueAt = phase.kind === 'start' ? phase.at : unit.now;
  const data = { runId, journeyId, version, lineId, dueAt, attribution };
  const announce = { type: 'journey.run.started', callId: null, sequence: 0, data } as const;
  unit.record({ type: 'RunStarted', actor, at: unit.now, data, announce });
  unit.save(runRows, runId, { run, now: unit.now });
  unit.save(liveRunCounts, run.contactId, run.contactId);
}

/** A journey that has no steps can still be left, and whoever stops a run needs no more of it. */
const NO_JOURNEY: Journey = { name: '', variables: {}, maxSteps: 1, first: '', steps: new Map() };

/** Ends a live run where it stands. */
export function stageStop(unit: ContactUnit, run: Run, reason: string, actor: string): void {
  stageRun(unit, advance(NO_JOURNEY, run, { type: 'stopped', at: unit.now, reason }), actor);
}
