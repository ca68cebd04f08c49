import { readLine } from '../lines/line-store.ts';
import type { ContactUnit, RowStore } from '../ledger/contact-unit.ts';
import { invariant } from '../platform/invariant.ts';
import type { EventType } from '../webhooks/webhooks.ts';
import { CALL_EVENT_NAMES, evolve, type CallEvent, type CallState } from './call.ts';
import { callRows, cdrRows } from './call-store.ts';
import { callView } from './call-views.ts';
import { cdrOf, type CdrLine } from './cdr.ts';

/**
 * Folds events into a call and stages everything that follows: the row, the ledger entries, the
 * outgoing events with their gap-free sequence per call, and the CDR when it ended. A caller that
 * holds the line already saves a look-up; one that writes the row in a way of its own says how.
 */
export async function applyCallEvents(
  unit: ContactUnit,
  before: CallState,
  events: readonly CallEvent[],
  actor: string,
  known: { line?: CdrLine; rows?: RowStore<CallState> } = {},
): Promise<CallState> {
  let state = before;
  for (const event of events) {
    state = evolve(state, event);
    state = await stageEvent(unit, state, event, actor, known.line);
  }
  if (events.length > 0) unit.save(known.rows ?? callRows, state.plan.id, state);
  return state;
}

async function stageEvent(
  unit: ContactUnit,
  folded: CallState,
  event: CallEvent,
  actor: string,
  line: CdrLine | undefined,
): Promise<CallState> {
  const name = (CALL_EVENT_NAMES as Partial<Record<CallEvent['type'], EventType>>)[event.type];
  const { type, at, ...rest } = event;
  const callId = folded.plan.id;
  const data = { callId, ...withoutSdp(rest) };
  if (name === undefined) {
    unit.record({ type, actor, at, data });
    return folded;
  }
  const sequence = folded.eventSequence + 1;
  const state = { ...folded, eventSequence: sequence };
  const announced: Record<string, unknown> = { call: callView(state) };
  if (state.status === 'ended') announced['cdr'] = await stageCdr(unit, state, line);
  unit.record({
    type,
    actor,
    at,
    data,
    announce: { type: name, callId, sequence, data: announced },
  });
  return state;
}

async function stageCdr(
  unit: ContactUnit,
  state: Extract<CallState, { status: 'ended' }>,
  known: CdrLine | undefined,
): Promise<Record<string, unknown>> {
  const line = known ?? (await readLine(unit.tx, state.plan.accountId, state.plan.lineId));
  invariant(line !== null, `call ${state.plan.id} has no line`);
  const cdr = cdrOf(state, unit.contact, line);
  const id = unit.ids.next('cdr', unit.contact.bucket);
  unit.save(cdrRows, cdr.callId, { id, accountId: unit.contact.accountId, cdr });
  return cdr;
}

/**
 * SDP carries keys and addresses, a SIP dialog the customer's number: both stay in the call's row
 * while the call lives, never here.
 */
function withoutSdp(data: Record<string, unknown>): Record<string, unknown> {
  const { sdp, dialog: _dialog, ...rest } = data;
  return typeof sdp === 'string' ? { ...rest, sdpBytes: sdp.length } : rest;
}
