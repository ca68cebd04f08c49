import { isoTime, isoTimeOrNull } from '../src/platform/clock.ts';
import type {
  SimCall,
  SimLine,
  SimMessage,
  SimPermission,
  SimPerson,
  SimulatorState,
} from './control-types.ts';
import { permissionNow } from './permissions.ts';
import { HISTORY_LIMIT, type Call, type Line, type Person, type Simulation } from './simulation.ts';

/** The whole state as the control API shows it: plain data, safe to keep. */
export function snapshot(sim: Simulation, url: string): SimulatorState {
  const people = [...sim.people.values()]
    .toSorted((a, b) => b.lastActiveAt - a.lastActiveAt || a.number.localeCompare(b.number))
    .slice(0, HISTORY_LIMIT);
  return {
    at: isoTime(sim.clock.now()),
    url,
    webhookUrl: sim.webhooks.url(),
    media: sim.media !== null,
    lines: [...sim.lines.values()].map((line) => lineView(sim, line)),
    people: people.map((person) => personView(sim, person)),
    faults: sim.faults.list(),
    deliveries: sim.webhooks.recent(),
  };
}

export function lineView(sim: Simulation, line: Line): SimLine {
  return {
    phoneNumberId: line.phoneNumberId,
    wabaId: line.wabaId,
    displayNumber: line.number,
    businessName: line.businessName,
    callingEnabled: line.calling.status === 'ENABLED',
    sipEnabled: line.calling.sip?.status === 'ENABLED',
    restricted: line.restrictedUntil !== null && line.restrictedUntil > sim.clock.now(),
  };
}

export function personView(sim: Simulation, person: Person): SimPerson {
  const { whenAsked, whenRinging, whenAnswered } = person.script;
  return {
    number: person.number,
    name: person.name,
    about: person.about,
    interactive: whenAsked.length + whenRinging.length + whenAnswered.length === 0,
    username: person.username,
    userId: person.userId,
    hidesNumber: person.hidesNumber,
    formerNumbers: person.formerNumbers,
    messages: person.messages.map((message) => messageView(sim, message)),
    permissions: [...person.pairs.keys()].map((id) => permissionView(sim, person, id)),
    call: person.call === null ? null : callView(sim, person.call),
    pastCalls: person.pastCalls.map((call) => callView(sim, call)),
    phoneAttached: person.phone !== null,
  };
}

const HEARD_FADES_MS = 1000;

export function callView(sim: Simulation, call: Call): SimCall {
  const counts = call.media?.counts() ?? call.counts;
  const listens = sim.clock.now() - call.heardAt < HEARD_FADES_MS;
  return {
    id: call.id,
    phoneNumberId: call.line.phoneNumberId,
    businessName: call.line.businessName,
    businessNumber: call.line.number,
    direction: call.direction,
    state: call.state,
    startedAt: isoTime(call.startedAt),
    ringingAt: isoTimeOrNull(call.ringingAt),
    answeredAt: isoTimeOrNull(call.answeredAt),
    endedAt: isoTimeOrNull(call.endedAt),
    ending: call.ending,
    errorCode: call.errorCode,
    media: call.mediaState,
    heardHz: listens ? [...call.heardHz] : [],
    everHeardHz: [...call.everHeardHz].toSorted((a, b) => a - b),
    digitsHeard: call.digitsHeard,
    digitsSent: call.digitsSent,
    ...counts,
  };
}

/** A request past its time is shown as lapsed, and its buttons as dead. */
function messageView(sim: Simulation, message: SimMessage): SimMessage {
  const { request } = message;
  const buttons = message.buttons.map((button) => ({ ...button }));
  if (request === null) return { ...message, buttons };
  const over = Date.parse(request.openUntil) <= sim.clock.now();
  for (const button of buttons) button.enabled = !over;
  const state = over && request.state === 'open' ? 'lapsed' : request.state;
  return { ...message, buttons, request: { ...request, state } };
}

function permissionView(sim: Simulation, person: Person, phoneNumberId: string): SimPermission {
  const pair = person.pairs.get(phoneNumberId);
  if (pair === undefined) throw new TypeError(`no pair for line ${phoneNumberId}`);
  const { status, expiresAt } = permissionNow(sim, pair);
  return {
    phoneNumberId,
    status,
    expiresAt: isoTimeOrNull(expiresAt),
    unansweredInARow: pair.unansweredInARow,
    windowOpenUntil: pair.windowUntil > sim.clock.now() ? isoTime(pair.windowUntil) : null,
  };
}
