import { recordReach } from '../consent/consent-commands.ts';
import { readLine } from '../lines/line-store.ts';
import type { ContactUnit, RowStore } from '../ledger/contact-unit.ts';
import { invariant } from '../platform/invariant.ts';
import { recordingsOfCall } from '../recording/recording-store.ts';
import { recordingBriefOf } from '../recording/recording-views.ts';
import type { EventType } from '../webhooks/webhooks.ts';
import { CALL_EVENT_NAMES, evolve, type CallEvent, type CallState } from './call.ts';
import type { CallOrder } from './call-control.ts';
import { reachOf } from './call-rules.ts';
import { callRows } from './call-store.ts';
import { cdrRows } from './cdr-store.ts';
import { callView } from './call-views.ts';
import { askAfterEnd, noteSurveyStep, type EndingLine } from './call-survey-commands.ts';
import { cdrOf } from './cdr.ts';

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
  known: { line?: EndingLine; rows?: RowStore<CallState> } = {},
): Promise<CallState> {
  let state = before;
  for (const event of events) {
    state = evolve(state, event);
    state = await stageEvent(unit, state, event, actor, known.line);
  }
  if (events.length > 0) unit.save(known.rows ?? callRows, state.plan.id, state);
  const reach = before.status === 'ended' ? null : reachOf(state);
  if (reach !== null) await recordReach(unit, state.plan.lineId, reach);
  return state;
}

async function stageEvent(
  unit: ContactUnit,
  folded: CallState,
  event: CallEvent,
  actor: string,
  line: EndingLine | undefined,
): Promise<CallState> {
  const name = (CALL_EVENT_NAMES as Partial<Record<CallEvent['type'], EventType>>)[event.type];
  const { type, at } = event;
  const callId = folded.plan.id;
  const { data: rest, personal } = dividedEvent(event);
  const data = { callId, ...rest, ...agentOf(event, folded) };
  if (name === undefined) {
    unit.record({ type, actor, at, data, personal });
    return folded;
  }
  const sequence = folded.eventSequence + 1;
  const state = { ...folded, eventSequence: sequence };
  const announced: Record<string, unknown> = { call: callView(state) };
  const ending = state.status === 'ended' ? await lineOf(unit, state, line) : null;
  if (ending !== null && state.status === 'ended') {
    announced['cdr'] = await stageCdr(unit, state, ending);
  }
  unit.record({
    type,
    actor,
    at,
    data,
    personal,
    announce: { type: name, callId, sequence, data: announced },
  });
  // After the event itself, for a question follows what it asks about.
  if (ending !== null && state.status === 'ended') await askAfterEnd(unit, state, ending);
  if (event.type === 'CallScriptStep' && event.step.kind === 'survey') {
    await noteSurveyStep(unit, state, event);
  }
  return state;
}

async function stageCdr(
  unit: ContactUnit,
  state: Extract<CallState, { status: 'ended' }>,
  line: EndingLine,
): Promise<Record<string, unknown>> {
  // Recording begins when two speak, so of a call that nobody answered there is none to look for.
  const wasAnswered = state.facts.answeredAt !== null;
  const recordings = wasAnswered ? await recordingsOfCall(unit.tx, state.plan.id) : [];
  const cdr = cdrOf(state, unit.contact, line, recordings.map(recordingBriefOf));
  const id = unit.ids.next('cdr', unit.contact.bucket);
  unit.save(cdrRows, cdr.callId, { id, accountId: unit.contact.accountId, cdr });
  return cdr;
}

async function lineOf(
  unit: ContactUnit,
  { plan }: CallState,
  known: EndingLine | undefined,
): Promise<EndingLine> {
  const line = known ?? (await readLine(unit.tx, plan.accountId, plan.lineId));
  invariant(line !== null, `call ${plan.id} has no line`);
  return line;
}

/**
 * What an event says, divided into what may stay for ever and what goes with the person: words of
 * others, and Meta's call id, which holds the customer's number in base64. SDP carries keys and
 * addresses, a SIP dialog the number: both stay in the call's row while the call lives.
 */
function dividedEvent(event: CallEvent): Divided {
  switch (event.type) {
    case 'CallInitiated':
      return { data: {}, personal: { wacid: event.wacid } };
    case 'CallMediaAnswered':
      return { data: { sdpBytes: event.sdp.length } };
    case 'EndpointAnswered':
      return { data: {} };
    case 'CallScriptStep': {
      const { digits, ...step } = event.step;
      return { data: step, personal: { digits, result: event.result } };
    }
    case 'CallScriptEnded':
      return { data: { end: event.end }, personal: { result: event.result } };
    case 'CallOrdered':
      return { data: orderData(event.order) };
    case 'LegAnswered':
      return { data: { legId: event.legId } };
    case 'LegInvited': {
      const { type: _type, at: _at, sipCallId, ...data } = event;
      return { data, personal: { sipCallId } };
    }
    case 'EndpointInvited':
      return { data: { target: event.target ?? null }, personal: { sipCallId: event.sipCallId } };
    case 'EndpointFailed':
      return { data: { status: event.status }, personal: { reason: event.reason } };
    case 'CallTerminated': {
      const { type: _type, at: _at, errors, ...data } = event;
      const codes = errors.map(({ code }) => code);
      if (errors.length === 0) return { data: { ...data, errors: codes } };
      return { data: { ...data, errors: codes }, personal: { errors } };
    }
    default: {
      const { type: _type, at: _at, ...data } = event;
      return { data };
    }
  }
}

type Divided = { data: Record<string, unknown>; personal?: Record<string, unknown> };

/** Events by which somebody of the business gets the customer. */
const TAKES: ReadonlySet<string> = new Set(['EndpointAnswered', 'CallTransferred', 'LegTaken']);

/** Who answered in a browser, so that figures can be counted by agent. */
function agentOf({ type }: CallEvent, { facts }: CallState): { agentId?: string } {
  const agentId = TAKES.has(type) ? facts.endpoint?.agentId : undefined;
  return agentId === undefined ? {} : { agentId };
}

/** Digits may be a secret, so only their number is told. */
function orderData({ id, wish }: CallOrder): Record<string, unknown> {
  const { ...told }: Record<string, unknown> = wish;
  delete told['digits'];
  return { orderId: id, ...told };
}
