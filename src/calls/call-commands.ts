import { attributed, type Attribution } from '../attribution/attribution.ts';
import type { CallStrategy } from '../http/api-types.ts';
import type { StoredEndpoint } from '../endpoints/endpoint-store.ts';
import { noteExposure } from '../experiments/exposure-commands.ts';
import type { ContactUnit } from '../ledger/contact-unit.ts';
import { readLines, type StoredLine } from '../lines/line-store.ts';
import type { EndpointId, LineId } from '../platform/ids.ts';
import type { Checklist } from '../practices/practices.ts';
import type { Announced } from '../recording/recording.ts';
import type { Refusal, Refused } from '../platform/refusal.ts';
import { queuedCall, type CallState } from './call.ts';
import { gatherGateFacts, type GatePorts } from './call-gate.ts';
import { applyCallEvents } from './call-events.ts';
import { planTime, type TimeWish } from './call-plan-commands.ts';
import { hangUp } from './call-rules.ts';
import type { PlannedScript } from './call-script.ts';
import { callRows, unfinishedCalls } from './call-store.ts';

export type RequestCall = TimeWish & {
  endpoint: StoredEndpoint | null;
  /** What was asked for, also where no such endpoint exists. */
  endpointId: EndpointId;
  /** The script that leads the call; the endpoint is then where its `connect` goes. */
  script?: PlannedScript | null;
  purpose: string;
  strategy: CallStrategy | null;
  ringTimeoutMs: number;
  clientReference: string | null;
  attribution?: Attribution | undefined;
  /** 0 to 9, 9 goes first; absent: 5. */
  priority?: number | undefined;
  /** Recorded once the two hear each other; absent: not unless ordered. */
  recording?: { announcement: Announced } | undefined;
  /** The routing rule that picked the endpoint; null where it was named or the default. */
  route: string | null;
  /** What a person said who started the call by hand. */
  checklist?: Checklist | undefined;
  /** Why it may not be for reasons of our own: endpoint or key are busy, practices not kept. */
  tooMuch: Refusal | null;
  keyId: string | null;
  actor: string;
};

/**
 * Queues a call, if the gate would let it pass at its time; the dial asks the gate again and
 * consumes the permission. A refusal is evidence too: `CallBlocked` in the ledger and
 * `call.blocked` to the business. What would come too late is told its latest time.
 */
export async function requestCall(
  unit: ContactUnit,
  ports: GatePorts,
  line: StoredLine,
  wish: RequestCall,
): Promise<CallState | Refused> {
  const { contact, now } = unit;
  const { endpoint, purpose, clientReference, actor } = wish;
  const facts = await gatherGateFacts(unit.tx, ports, [contact], [line.id]);
  const campaignId = wish.attribution?.campaignId ?? null;
  const whose = { contact, line, purpose, callId: null, campaignId };
  const question = { ...whose, endpoint, endpointKnown: endpoint !== null, now };
  const planned = await planTime(unit.tx, ports, facts, question, wish);
  const { packName } = planned;
  if ('refused' in planned) return blocked(unit, { line, wish, packName }, planned.refused);
  if (wish.tooMuch !== null) return blocked(unit, { line, wish, packName }, wish.tooMuch);
  const { dueAt, until, putOffBy } = planned;
  const belongs = attributed(wish.attribution);
  const state = queuedCall({
    id: unit.ids.next('call', contact.bucket),
    accountId: contact.accountId,
    contactId: contact.id,
    lineId: line.id,
    endpointId: wish.endpointId,
    ...(wish.script === undefined ? {} : { script: wish.script }),
    purpose,
    strategy: wish.strategy ?? endpoint?.strategy ?? 'on_answer',
    ringTimeoutMs: wish.ringTimeoutMs,
    clientReference,
    ...belongs,
    keyId: wish.keyId,
    requestedAt: now,
    dueAt,
    ...(until === null ? {} : { until }),
    ...(wish.priority === undefined ? {} : { priority: wish.priority }),
    ...(wish.recording === undefined ? {} : { recording: wish.recording }),
  });
  const { id: callId, lineId, endpointId, strategy } = state.plan;
  const { route, checklist } = wish;
  const checked = checklist === undefined ? {} : { checklist };
  noteExposure(unit, wish.attribution);
  unit.save(callRows, callId, state);
  unit.record({
    type: 'CallRequested',
    actor,
    at: now,
    data: { callId, lineId, endpointId, strategy, route, dueAt, putOffBy, ...belongs, ...checked },
    personal: { purpose, clientReference },
  });
  return state;
}

/** A refusal is evidence: it goes into the ledger and to the business. */
function blocked(
  unit: ContactUnit,
  { line, wish, packName }: { line: StoredLine; wish: RequestCall; packName: string },
  refused: Refusal,
): Refused {
  const { purpose, clientReference, actor } = wish;
  const { code, rule = null } = refused;
  const belongs = attributed(wish.attribution);
  const data = { lineId: line.id, code, rule, policyPack: packName, ...belongs };
  const personal = { purpose, clientReference };
  const told = { ...data, ...personal };
  const announce = { type: 'call.blocked', callId: null, sequence: 0, data: told } as const;
  unit.record({ type: 'CallBlocked', actor, at: unit.now, data, personal, announce });
  return { refused };
}

/**
 * A consent was taken back: what is queued or still rings on that line is called off. Whoever
 * has picked up already goes on talking; hanging up is theirs.
 */
export async function callOffUnanswered(unit: ContactUnit, lineId: LineId): Promise<void> {
  const [line] = await readLines(unit.tx, [lineId]);
  for (const call of await unfinishedCalls(unit.tx, [unit.contact.id])) {
    if (call.plan.lineId !== lineId || call.facts.answeredAt !== null) continue;
    const events = hangUp(call, 'platform', 'permission_revoked', unit.now);
    await applyCallEvents(unit, call, events, 'platform', line === undefined ? {} : { line });
  }
}
