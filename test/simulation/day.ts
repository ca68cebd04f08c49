import type { PersonScript, ScriptStep } from '../../simulator/people.ts';
import type { FaultKind, PersonAction } from '../../simulator/control-types.ts';
import type { Random } from '../../src/platform/random.ts';
import { HOUR_MS, type Frame } from './frame.ts';
import { drawMoves, drawTime } from './moves.ts';
import { type Business } from './stage.ts';
import { STOPS } from './witness.ts';
import { CRASH_POINTS, type World } from './world.ts';

/**
 * A day as the seed draws it: who the people are and how they take things, what the businesses
 * want, what the weather on the net is like, and when the process dies.
 */
export type Agenda = {
  /** When the next thing is to be done, in ms; Infinity when the day has no more. */
  nextAt(): number;
  /** Does what is due; several things may be due at one instant. */
  run(now: number): void;
  add(at: number, act: () => void): void;
};

export const PURPOSE = 'your order 1042';

export type Person = { number: string; hidesNumber: boolean };

export type Day = {
  agenda: Agenda;
  people: Person[];
  /** Ids of contacts and other things by the account that was told of them. */
  idsOf: Map<number, Set<string>>;
  /** Who is behind a contact id. */
  numberOf: Map<string, string>;
  /** Answers to requests by their key, for replays. */
  posted: Posted[];
  frame: Frame;
  /** Moves of planned calls. */
  moves: { taken: number; refused: number };
  /** Idempotency keys given out so far. */
  keys: number;
};

export type Posted = {
  business: Business;
  path: string;
  body: object;
  key: string;
  status: number;
  answer: string;
};

export function makeAgenda(): Agenda {
  let items: Array<{ at: number; order: number; act: () => void }> = [];
  let order = 0;
  return {
    nextAt: () => items.reduce((least, { at }) => Math.min(least, at), Infinity),
    run(now) {
      const due = items
        .filter(({ at }) => at <= now)
        .sort((a, b) => a.at - b.at || a.order - b.order);
      items = items.filter(({ at }) => at > now);
      for (const { act } of due) act();
    },
    add(at, act) {
      items.push({ at, order: order++, act });
    },
  };
}

/** Draws the day and puts it on the agenda. */
export function drawDay(world: World): Day {
  const { chance, frame } = world;
  const day: Day = {
    agenda: makeAgenda(),
    people: [],
    idsOf: new Map([
      [0, new Set()],
      [1, new Set()],
    ]),
    numberOf: new Map(),
    posted: [],
    frame,
    moves: { taken: 0, refused: 0 },
    keys: 0,
  };
  const anyTime = (): number => frame.busyFrom + chance.below(frame.busyMs);
  const first = frame.isLong ? 0 : chance.below(NUMBERS.length);
  for (let nth = 0; nth < frame.people; nth += 1) {
    const number = NUMBERS[(first + nth) % NUMBERS.length] ?? '';
    const person = { number, hidesNumber: chance.below(10) === 0 };
    day.people.push(person);
    const device =
      chance.below(8) > 0
        ? 'ordinary'
        : pick(chance, ['unreachable', 'too_old', 'no_media'] as const);
    world.simulator.addPerson({ ...person, device, script: drawScript(chance, frame) });
    drawWants(world, day, person, anyTime());
    if (chance.below(2) === 0) drawWants(world, day, person, anyTime());
    if (chance.below(3) === 0) {
      const action = drawAction(chance);
      day.agenda.add(anyTime(), () => act(world, person.number, action));
    }
  }
  for (const number of BARRED_PEOPLE) {
    if (chance.below(8) === 0) drawWants(world, day, { number, hidesNumber: false }, anyTime());
  }
  world.onEvent = callsOnYes(world, day);
  drawWeather(world, day);
  drawCrashes(world, day);
  return day;
}

/** In London, and two in Paris, where calls are allowed at fewer hours. */
const NUMBERS = ['+447700900520', '+447700900521', '+447700900522', '+33612345670', '+33612345671'];
/** In Cuba, in Crimea by number, in Nigeria: whoever is told to call them is refused. */
const BARRED_PEOPLE = ['+5351234567', '+79781234567', '+2348031234567'];

export function pick<T>(chance: Random, among: readonly T[]): T {
  return among[chance.below(among.length)] as T;
}

/** Short waits are as likely as long ones, for races live in the short ones. */
function wait(chance: Random, maxMs: number): number {
  return Math.floor(2 ** ((chance.below(1_000) / 1_000) * Math.log2(maxMs)));
}

function drawScript(chance: Random, { isFair }: Frame): PersonScript {
  const answers: PersonAction[] = [
    { action: 'allow' },
    { action: 'allow' },
    { action: 'allow' },
    { action: 'allow' },
    { action: 'allow_always' },
    { action: 'not_now' },
  ];
  const whenAsked: ScriptStep[] = [
    { afterMs: wait(chance, 600_000), action: pick(chance, answers) },
  ];
  if (chance.below(4) === 0) {
    whenAsked.push({ afterMs: wait(chance, 3_600_000), action: pick(chance, answers) });
  }
  const answer = { action: 'answer' } as const;
  const ring: PersonAction[] = [
    answer,
    answer,
    answer,
    { action: 'decline' },
    { action: 'revoke' },
    { action: 'write', text: pick(chance, STOPS) },
  ];
  const whenRinging =
    chance.below(6) === 0
      ? []
      : [{ afterMs: wait(chance, 40_000), action: isFair ? answer : pick(chance, ring) }];
  const talk: PersonAction[] = [
    { action: 'hang_up' },
    { action: 'hang_up' },
    { action: 'hang_up' },
    { action: 'digits', digits: '9' },
    { action: 'write', text: pick(chance, STOPS) },
    { action: 'revoke' },
  ];
  // Half of them have much to say, so that calls overlap.
  const talkMs = chance.below(2) === 0 ? 500 + wait(chance, 60_000) : 25_000 + chance.below(35_000);
  const whenAnswered = [
    { afterMs: talkMs, action: pick(chance, talk) },
    { afterMs: 65_000 + wait(chance, 60_000), action: { action: 'hang_up' } as const },
  ];
  return { whenAsked, whenRinging, whenAnswered };
}

function drawAction(chance: Random): PersonAction {
  return pick<PersonAction>(chance, [
    { action: 'write', text: pick(chance, STOPS) },
    { action: 'write', text: 'where is my parcel?' },
    { action: 'revoke' },
    { action: 'allow_in_profile' },
    { action: 'call_business' },
  ]);
}

function act(world: World, number: string, action: PersonAction): void {
  world.trace.add(world.clock.now(), `person ${number.slice(-3)} ${action.action}`);
  try {
    world.simulator.act(number, action);
  } catch {
    // The screen does not offer it just now.
  }
}

/** One business wants to call one person: asks, and then keeps trying to call. */
function drawWants(world: World, day: Day, person: Person, at: number): void {
  const { chance, stage } = world;
  const nth = chance.below(4) < day.frame.shopOfFour ? 1 : 0;
  const business = stage.businesses[nth];
  if (business === undefined) return;
  const lineId = pick(chance, business.lineIds);
  const ask = { to: person.number, purpose: PURPOSE, lineId };
  day.agenda.add(at, () => void post(world, day, business, '/v1/permission-requests', ask));
  // Without waiting for a yes: most of these are refused, and must be.
  if (chance.below(3) > 0) return;
  const callAt = at + 1_000 + wait(chance, 2 * HOUR_MS);
  day.agenda.add(callAt, () => void call(world, day, business, person.number, lineId));
}

async function call(
  world: World,
  day: Day,
  business: Business,
  to: string,
  lineId: string,
): Promise<void> {
  const { chance } = world;
  const purpose = chance.below(15) === 0 ? 'another matter' : PURPOSE;
  // The first three have somebody who talks.
  const endpointIds = day.frame.isFair ? business.endpointIds.slice(0, 3) : business.endpointIds;
  const endpointId = pick(chance, endpointIds);
  const wish = { to, purpose, lineId, endpointId, ...drawTime(world) };
  const answer = await post(world, day, business, '/v1/calls', wish);
  if (answer === null) return;
  afterCall(world, day, business, to, answer);
  drawMoves(world, answer.answer, {
    add: (at, act) => day.agenda.add(at, act),
    post: (path, body) => post(world, day, business, path, body),
    count: (isTaken) => void (day.moves[isTaken ? 'taken' : 'refused'] += 1),
  });
}

/** A business that is told of a yes calls soon, and sometimes once more. */
function callsOnYes(world: World, day: Day): World['onEvent'] {
  return (business, { type, contactId, data }) => {
    if (type !== 'permission.granted') return;
    const { chance, clock } = world;
    const { lineId } = data as { lineId?: string };
    const number = day.numberOf.get(contactId ?? '');
    if (number === undefined || lineId === undefined) return;
    const times = chance.below(4) === 0 ? 2 : 1;
    for (let nth = 0; nth < times; nth += 1) {
      const waitMs = wait(chance, day.frame.patienceMs(chance));
      day.agenda.add(clock.now() + waitMs, () => {
        void call(world, day, business, number, lineId);
      });
      if (chance.below(6) > 0) continue;
      const text = pick(chance, STOPS);
      const thinksAgainAt = clock.now() + chance.below(waitMs + 1);
      day.agenda.add(thinksAgainAt, () => act(world, number, { action: 'write', text }));
    }
  };
}

/** What may happen around a call: hang-ups, stops, replays, looks over the fence. */
function afterCall(
  world: World,
  day: Day,
  business: Business,
  number: string,
  answer: Posted,
): void {
  const { chance, clock } = world;
  const soon = (): number => clock.now() + wait(chance, 90_000);
  const draw = chance.below(10);
  const { id } = JSON.parse(answer.answer) as { id?: string };
  if (draw === 0 && id !== undefined) {
    day.agenda.add(soon(), () => void post(world, day, business, `/v1/calls/${id}/hangup`, {}));
  }
  if (draw === 1 || draw === 2) {
    const text = pick(chance, STOPS);
    day.agenda.add(soon(), () => act(world, number, { action: 'write', text }));
  }
  if (draw === 3) {
    const body = { to: number, reason: 'asked on the phone' };
    day.agenda.add(soon(), () => void post(world, day, business, '/v1/do-not-call', body));
    if (chance.below(2) === 0) {
      const later = soon() + 600_000;
      const path = '/v1/do-not-call/remove';
      day.agenda.add(later, () => void post(world, day, business, path, body));
    }
  }
  if (draw === 4) day.agenda.add(soon(), () => act(world, number, { action: 'allow_in_profile' }));
  if (draw === 5) day.agenda.add(soon(), () => act(world, number, { action: 'revoke' }));
}

/** One POST, with what the witness must know of its answer; null when nobody answered. */
export async function post(
  world: World,
  day: Day,
  business: Business,
  path: string,
  body: object,
): Promise<Posted | null> {
  const nth = world.stage.businesses.indexOf(business);
  day.keys += 1;
  const key = `key-${world.seed}-${day.keys}`;
  const answer = await world.request(business, 'POST', path, body, key);
  if (answer === null) return null;
  const posted = { business, path, body, key, status: answer.statusCode, answer: answer.body };
  // What could not be read is not remembered, and asks for nothing.
  if (answer.statusCode < 500 && answer.statusCode !== 400) day.posted.push(posted);
  const { to } = body as { to?: string };
  if (answer.statusCode < 300) {
    const told = JSON.parse(answer.body) as { id?: string; contactId?: string };
    for (const id of [told.id, told.contactId]) if (id !== undefined) day.idsOf.get(nth)?.add(id);
    if (told.contactId !== undefined && to !== undefined) day.numberOf.set(told.contactId, to);
    if (path.startsWith('/v1/do-not-call') && to !== undefined) {
      const kind = path.endsWith('remove') ? 'doNotCallLifted' : 'doNotCall';
      const now = world.clock.now();
      world.witness.acts.push({
        kind,
        phoneNumberId: null,
        business: nth,
        number: to,
        at: now,
        takenAt: now,
        acceptedAt: now,
        settledAt: now,
      });
    }
  }
  return posted;
}

const WEATHER: readonly FaultKind[] = [
  'duplicate_webhook',
  'reorder_webhooks',
  'delay_webhook',
  'drop_webhook',
  'wrong_signature',
  'two_in_one_delivery',
  'unknown_event',
  'missing_contacts',
  'bsuid_only',
  'integer_times',
  'terminate_before_connect',
  'connect_before_response',
  'setup_actpass',
  'server_error',
  'html_answer',
  'slow_answer',
];

/** Each kind of trouble blows on some days, and then only sometimes. */
function drawWeather(world: World, day: Day): void {
  const { chance, simulator, frame } = world;
  if (frame.isFair) return;
  for (const kind of WEATHER) {
    if (chance.below(4) !== 0) continue;
    const probability = (1 + chance.below(30)) / 100;
    simulator.setFault({ kind, probability, delayMs: 500 + wait(chance, 60_000) });
  }
  if (chance.below(6) === 0) {
    const at = day.frame.busyFrom + chance.below(day.frame.busyMs);
    day.agenda.add(at, () => void (world.media.opening = pick(chance, ['fails', 'slow', 'ok'])));
    day.agenda.add(at + HOUR_MS, () => void (world.media.opening = 'ok'));
  }
}

function drawCrashes(world: World, day: Day): void {
  const { chance, frame } = world;
  if (frame.isFair) return;
  const times = chance.below(3);
  for (let nth = 0; nth < times; nth += 1) {
    world.crashAt(pick(chance, CRASH_POINTS), 1 + wait(chance, frame.crashesWithin));
  }
  if (chance.below(5) === 0) {
    day.agenda.add(frame.busyFrom + chance.below(frame.busyMs), () => world.crash());
  }
}
