import { readEndpoint } from '../endpoints/endpoint-store.ts';
import type { ContactUnit } from '../ledger/contact-unit.ts';
import { readLines } from '../lines/line-store.ts';
import { invariant } from '../platform/invariant.ts';
import type { CallId } from '../platform/ids.ts';
import type { Refused } from '../platform/refusal.ts';
import { waitEvents } from './agent-wait.ts';
import type { CallState } from './call.ts';
import { applyCallEvents } from './call-events.ts';
import { gatherGateFacts, type GatePorts } from './call-gate.ts';
import { planTime, type TimeWish } from './call-plan-commands.ts';
import { putOffRows, readCall } from './call-store.ts';

/**
 * Moves a call that waits to another time, which the gate must allow like the first one; the dial
 * asks it again. Where the new time is refused the call keeps its old one.
 */
export async function rescheduleCall(
  unit: ContactUnit,
  ports: GatePorts,
  callId: CallId,
  wish: TimeWish & { actor: string },
): Promise<CallState | Refused> {
  const { contact, now, tx } = unit;
  const state = await readCall(tx, callId);
  invariant(state !== null, `call ${callId} vanished`);
  if (state.status !== 'queued') return notWaiting(state);
  const { plan } = state;
  const [line] = await readLines(tx, [plan.lineId]);
  invariant(line !== undefined, `call ${callId} has no line`);
  const endpoint = await readEndpoint(tx, plan.accountId, plan.endpointId);
  const facts = await gatherGateFacts(tx, ports, [contact], [line.id]);
  const campaignId = plan.attribution?.campaignId ?? null;
  const whose = { contact, line, purpose: plan.purpose, callId, campaignId };
  const question = { ...whose, endpoint, endpointKnown: endpoint !== null, now };
  const planned = await planTime(tx, ports, facts, question, wish);
  if ('refused' in planned) return planned;
  const { dueAt, until } = planned;
  const toThen = { type: 'CallRescheduled', at: now, dueAt, until } as const;
  // Whatever it waited for is looked at anew when its new time has come.
  const events = [...waitEvents(state, false, now), toThen];
  const moved = await applyCallEvents(unit, state, events, wish.actor, { line });
  unit.save(putOffRows, callId, { id: callId, dueAt });
  return moved;
}

function notWaiting({ status, plan }: CallState): Refused {
  const message =
    status === 'ended' ? 'The call has ended already.' : 'The call is being made already.';
  const fix = 'Read the call; where it has ended, ask for a new one.';
  const evidence = { callId: plan.id, status };
  return { refused: { code: 'call_not_waiting', message, fix, evidence } };
}
