import type { CallPlan } from './call.ts';
import type { CallControl, LegFacts } from './call-control.ts';
import type { CallFacts } from './call-facts.ts';
import { agentIn } from './endpoint-facts.ts';

/** The leg becomes the call's endpoint; the one before is kept among the legs, as ended. */
export function withLegAsEndpoint(
  plan: CallPlan,
  facts: CallFacts & { control: CallControl },
  legId: string,
  at: number,
  legsKept: number,
): CallFacts {
  const { control } = facts;
  const leg = control.legs.find((other) => other.legId === legId);
  if (leg === undefined) return facts;
  const { endpointId, sipCallId, target, invitedAt, answeredAt, dialog } = leg;
  const why = leg.purpose === 'return' ? 'agent_media_lost' : 'transferred';
  const replaced =
    facts.endpoint === null ? [] : [endedLeg(plan, control, facts.endpoint, { at, why })];
  const others = control.legs.filter((other) => other.legId !== legId);
  return {
    ...facts,
    endpoint: {
      sipCallId,
      target,
      invitedAt,
      ringingAt: null,
      answeredAt,
      // Handed on to a phone, the call stays the agent's who spoke with the customer last.
      ...agentBefore(facts),
      ...agentIn(dialog),
      dialog,
      failed: null,
      endedAt: null,
    },
    control: {
      ...control,
      legs: [...others, ...replaced].slice(-legsKept),
      taken: { legId, endpointId },
    },
  };
}

function agentBefore({ endpoint }: CallFacts): { agentId?: string } {
  return endpoint?.agentId === undefined ? {} : { agentId: endpoint.agentId };
}

function endedLeg(
  plan: CallPlan,
  control: CallControl,
  endpoint: NonNullable<CallFacts['endpoint']>,
  end: { at: number; why: string },
): LegFacts {
  const { sipCallId, invitedAt, answeredAt } = endpoint;
  return {
    legId: control.taken?.legId ?? 'main',
    endpointId: control.taken?.endpointId ?? plan.endpointId,
    purpose: 'planned',
    sipCallId,
    target: endpoint.target ?? null,
    invitedAt,
    answeredAt,
    dialog: null,
    endedAt: endpoint.endedAt ?? end.at,
    endReason: end.why,
    mode: null,
    listensFrom: null,
  };
}
