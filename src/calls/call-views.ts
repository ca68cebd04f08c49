import type { CallView } from '../http/api-types.ts';
import { isoTime, isoTimeOrNull } from '../platform/clock.ts';
import type { CallState } from './call.ts';

/** How a call leaves the house: in the API and in webhooks. */
export function callView(state: CallState): CallView {
  const { plan, facts, status } = state;
  const end = state.status === 'ended' ? state.end : null;
  return {
    id: plan.id,
    contactId: plan.contactId,
    lineId: plan.lineId,
    endpointId: plan.endpointId,
    permissionId: facts.permissionId,
    purpose: plan.purpose,
    strategy: plan.strategy,
    status,
    outcome: end?.outcome ?? null,
    endReason: end?.reason ?? null,
    endedBy: end?.by ?? null,
    clientReference: plan.clientReference,
    requestedAt: isoTime(plan.requestedAt),
    initiatedAt: isoTimeOrNull(facts.initiatedAt),
    ringingAt: isoTimeOrNull(facts.ringingAt),
    answeredAt: isoTimeOrNull(facts.answeredAt),
    bridgedAt: isoTimeOrNull(facts.bridgedAt),
    endedAt: isoTimeOrNull(end?.at ?? null),
  };
}
