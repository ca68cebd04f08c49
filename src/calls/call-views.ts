import type { AudioGapView, CallView } from '../http/api-types.ts';
import { isoTime, isoTimeOrNull } from '../platform/clock.ts';
import { DEFAULT_PRIORITY } from '../schedule/schedule.ts';
import type { CallState } from './call.ts';
import type { CallFacts } from './call-facts.ts';
import { latestDialOf } from './call-rules.ts';
import { scriptView } from './call-script.ts';
import { controlViews } from './control-views.ts';
import { mediaProofOf, qualityOf } from './media-proof.ts';

/** How a call leaves the house: in the API and in webhooks. */
export function callView(state: CallState): CallView {
  const { plan, facts, status } = state;
  const end = state.status === 'ended' ? state.end : null;
  return {
    id: plan.id,
    contactId: plan.contactId,
    lineId: plan.lineId,
    endpointId: plan.endpointId,
    agentId: facts.endpoint?.agentId ?? null,
    permissionId: facts.permissionId,
    purpose: plan.purpose,
    strategy: plan.strategy,
    status,
    waitsFor: status === 'queued' && facts.wait?.to === null ? facts.wait.code : null,
    outcome: end?.outcome ?? null,
    endReason: end?.reason ?? null,
    endedBy: end?.by ?? null,
    clientReference: plan.clientReference,
    attribution: plan.attribution ?? null,
    requestedAt: isoTime(plan.requestedAt),
    dueAt: isoTime(plan.dueAt),
    latestAt: isoTime(latestDialOf(plan)),
    priority: plan.priority ?? DEFAULT_PRIORITY,
    initiatedAt: isoTimeOrNull(facts.initiatedAt),
    ringingAt: isoTimeOrNull(facts.ringingAt),
    answeredAt: isoTimeOrNull(facts.answeredAt),
    bridgedAt: isoTimeOrNull(facts.bridgedAt),
    endedAt: isoTimeOrNull(end?.at ?? null),
    audioGaps: audioGapsOf(facts),
    quality: qualityOf(end?.media ?? null),
    mediaProof: mediaProofOf(facts, end?.media ?? null),
    ...controlViews(state),
    script: scriptView(state),
  };
}

/** The gaps with their times as text, for views and the CDR. */
export function audioGapsOf({ audioGaps = [] }: CallFacts): AudioGapView[] {
  return audioGaps.map(({ leg, cause, from, to }) => ({
    leg,
    cause,
    from: isoTime(from),
    to: isoTimeOrNull(to),
  }));
}
