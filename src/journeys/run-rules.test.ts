import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { CallId, PermissionRequestId } from '../platform/ids.ts';
import { checkJourney } from './journey-check.ts';
import { dryRun, type DryRunWish } from './journey-dry-run.ts';
import type { Journey } from './journey.ts';
import { READY_JOURNEYS } from './ready-journeys.ts';
import { advance, wakesAt, type Advanced, type RunInput } from './run-rules.ts';
import type { Run } from './run.ts';

const NOW = Date.UTC(2026, 5, 3, 12);
const HOUR = 3_600_000;
const REQUEST = 'preq_1' as PermissionRequestId;
const CALL = 'call_1' as CallId;

function journeyOf(input: unknown): Journey {
  const checked = checkJourney(input);
  assert.ok(checked.ok, JSON.stringify(checked));
  return checked.journey;
}

function ready(key: string): Journey {
  return journeyOf(READY_JOURNEYS.find((each) => each.key === key)?.journey);
}

function play(key: string, wish: Partial<DryRunWish>): { steps: string[]; end: string } {
  const usual = { variables: {}, startAt: NOW, answers: [], calls: [], arms: {} };
  const { lines, end } = dryRun(ready(key), { ...usual, ...wish });
  return { steps: lines.map(({ step, outcome }) => `${step} ${outcome}`), end };
}

const APPOINTMENT = {
  appointmentAt: new Date(NOW + 30 * HOUR).toISOString(),
  date: 'x',
  time: 'y',
};
const CONFIRMED = { outcome: 'completed', result: 'confirmed', minutes: 1 };

test('the appointment reminder asks a day before and calls an hour before', () => {
  const { lines, end } = dryRun(ready('appointment-reminder'), {
    variables: APPOINTMENT,
    startAt: NOW,
    answers: [],
    calls: [CONFIRMED],
    arms: {},
  });
  const at = (step: string) => (lines.find((line) => line.step === step)?.at ?? 0) - NOW;
  assert.equal(at('ask'), 6 * HOUR);
  assert.equal(at('yes'), 6 * HOUR + 300_000);
  assert.equal(at('call'), 29 * HOUR + 60_000, 'told once it is over, a minute after the dial');
  assert.equal(end, 'confirmed');
});

const STORIES: ReadonlyArray<[string, string, Partial<DryRunWish>, string[], string]> = [
  [
    'another time is wanted',
    'appointment-reminder',
    { variables: APPOINTMENT, calls: [{ ...CONFIRMED, result: 'reschedule' }] },
    ['ask asked', 'yes yes', 'call completed', 'answer case', 'otherTimes sent', 'moved reached'],
    'reschedule',
  ],
  [
    'the receptionist was wanted',
    'appointment-reminder',
    { variables: APPOINTMENT, calls: [{ ...CONFIRMED, result: 'receptionist' }] },
    ['ask asked', 'yes yes', 'call completed', 'answer case', 'survey sent', 'over else'],
    'done',
  ],
  [
    'nobody answers the question',
    'appointment-reminder',
    { variables: APPOINTMENT, answers: [{ answer: 'none', afterMinutes: 0 }] },
    ['ask asked', 'yes no_answer', 'silent reached'],
    'no_answer',
  ],
  [
    'the person says no',
    'sales-follow-up',
    { variables: { product: 'x' }, answers: [{ answer: 'no', afterMinutes: 1 }] },
    ['ask asked', 'yes no', 'declined reached'],
    'declined',
  ],
  [
    'nobody picks up',
    'delivery-update',
    { variables: { order: '1' }, calls: [{ outcome: 'no_answer', result: null, minutes: 1 }] },
    ['ask asked', 'yes yes', 'call no_answer', 'how else', 'missed sent', 'unreached reached'],
    'not_reached',
  ],
  [
    'all goes well',
    'support-callback',
    { variables: { issue: 'x', agent: 'Ada' } },
    ['ask asked', 'yes yes', 'call completed', 'how case', 'survey sent', 'helped reached'],
    'helped',
  ],
  [
    'it is started when the appointment is over',
    'appointment-reminder',
    { variables: { ...APPOINTMENT, appointmentAt: new Date(NOW - HOUR).toISOString() } },
    ['ask refused', 'notAsked reached'],
    'not_asked',
  ],
];

for (const [what, key, wish, steps, end] of STORIES) {
  test(`${key}, dry: ${what}`, () => assert.deepEqual(play(key, wish), { steps, end }));
}

const BASE: Run = {
  id: 'run_1' as Run['id'],
  accountId: 'acct_1' as Run['accountId'],
  contactId: 'cont_1' as Run['contactId'],
  lineId: 'line_1' as Run['lineId'],
  journeyId: 'jrn_1' as Run['journeyId'],
  version: 1,
  attribution: {},
  keyId: null,
  step: 'ask',
  phase: { kind: 'start', at: NOW },
  reachedAt: NOW,
  variables: APPOINTMENT,
  requestId: null,
  callId: null,
  purpose: null,
  outcome: null,
  reason: null,
  result: null,
  visits: 0,
  trail: [],
  startedAt: NOW,
  endedAt: null,
  end: null,
};

function after(journey: Journey, run: Run, ...inputs: RunInput[]): Advanced {
  let now: Advanced = { run, effect: null, taken: [] };
  for (const input of inputs) now = advance(journey, now.run, input);
  return now;
}

test('a permission that no longer holds at the minute of the call is asked for again', () => {
  const journey = ready('appointment-reminder');
  const asked = NOW + 6 * HOUR;
  const called = NOW + 29 * HOUR;
  const { run, effect, taken } = after(
    journey,
    BASE,
    { type: 'time', at: NOW },
    { type: 'time', at: asked },
    { type: 'asked', at: asked, requestId: null },
    { type: 'answered', at: asked, answer: 'yes' },
    { type: 'time', at: called },
    { type: 'refused', at: called, code: 'permission_expired', laterAt: null },
  );
  assert.equal(effect?.do, 'ask');
  assert.equal(run.step, 'askAgain');
  assert.deepEqual(
    taken.map(({ step, reason }) => [step, reason]),
    [['call', 'permission_expired']],
  );
});

test('a call that the gate blocked at the dial counts as refused, and may ask again', () => {
  const { effect } = after(
    ready('appointment-reminder'),
    { ...BASE, step: 'call', phase: { kind: 'call', callId: CALL }, callId: CALL },
    {
      type: 'callEnded',
      at: NOW,
      outcome: 'blocked',
      reason: 'permission_expired',
      result: null,
      wasPlanned: false,
      afterYesMs: null,
    },
  );
  assert.equal(effect?.do, 'ask');
});

test('a planned call that is blocked at its minute is planned again while there is time', () => {
  const calling: Run = {
    ...BASE,
    step: 'call',
    phase: { kind: 'call', callId: CALL },
    callId: CALL,
  };
  const latest = Date.parse(APPOINTMENT.appointmentAt) - 10 * 60_000;
  const blocked = (at: number, wasPlanned: boolean): RunInput => {
    const end = { outcome: 'blocked', reason: 'line_paused', result: null, afterYesMs: null };
    return { type: 'callEnded', at, wasPlanned, ...end };
  };
  const journey = ready('appointment-reminder');
  const again = after(journey, calling, blocked(latest - 60 * 60_000, true));
  assert.deepEqual([again.run.step, again.run.phase.kind, again.taken], ['call', 'due', []]);
  for (const input of [blocked(latest - 60 * 60_000, false), blocked(latest + HOUR, true)]) {
    assert.equal(after(journey, calling, input).taken[0]?.outcome, 'refused');
  }
});

test('what may be done later waits for that, but not past its latest time', () => {
  const journey = ready('appointment-reminder');
  const doing: Run = { ...BASE, phase: { kind: 'doing' } };
  const refused = (laterAt: number): RunInput => {
    return { type: 'refused', at: NOW, code: 'request_quiet_hours', laterAt };
  };
  const later = after(journey, doing, refused(NOW + HOUR));
  assert.deepEqual([later.run.step, wakesAt(later.run)], ['ask', NOW + HOUR]);
  const never = after(journey, doing, refused(NOW + 29 * HOUR));
  assert.deepEqual(never.run.end, 'not_asked');
});

const ARM = { experimentId: 'exp_1', arm: 'B' };

test('a question whose arm names an hour waits for it, and the trail tells so', () => {
  const journey = ready('appointment-reminder');
  const doing: Run = { ...BASE, phase: { kind: 'doing' } };
  const until = NOW + 5 * HOUR;
  const { run, taken } = after(journey, doing, {
    type: 'waits',
    at: NOW,
    until,
    attribution: ARM,
  });
  assert.deepEqual([run.step, wakesAt(run), run.askAt], ['ask', until, until]);
  assert.deepEqual(
    [taken[0]?.outcome, taken[0]?.next, taken[0]?.arm],
    ['waits_for_hour', 'ask', 'B'],
  );
  // The gate's later minute is taken in its place, counted from the hour and not from the start.
  const laterAt = until + 20 * HOUR;
  const refused = { type: 'refused', at: until, code: 'request_quiet_hours', laterAt } as const;
  const free: Run = { ...run, phase: { kind: 'doing' } };
  const put = after(journeyOf(PLAIN), { ...free, step: 'ask' }, refused);
  assert.deepEqual([put.run.askAt, wakesAt(put.run)], [laterAt, laterAt]);
});

const PLAIN = {
  name: 'Plain',
  steps: [
    { name: 'ask', do: 'ask', template: 't', purpose: 'your order' },
    { name: 'yes', do: 'wait', for: 'yes', until: { after: '24h' }, else: 'end' },
    { name: 'call', do: 'call', purpose: 'your order' },
  ],
};

test('a call about what was asked is about the words in which it was asked', () => {
  const asked = { type: 'asked', at: NOW, requestId: REQUEST, attribution: ARM } as const;
  const doing: Run = { ...BASE, phase: { kind: 'doing' } };
  const yes = { type: 'answered', at: NOW, answer: 'yes' } as const;
  const { run, effect } = after(
    journeyOf(PLAIN),
    doing,
    { ...asked, purpose: 'the delivery of your order' },
    yes,
  );
  assert.deepEqual([run.purpose, run.meant], ['the delivery of your order', 'your order']);
  assert.deepEqual(run.attribution, ARM);
  assert.ok(effect?.do === 'call');
  assert.deepEqual([effect.purpose, effect.asAsked], ['the delivery of your order', true]);
});

test('the promise to call soon after the yes is kept or not, and told', () => {
  const journey = ready('sales-follow-up');
  const calling: Run = {
    ...BASE,
    step: 'call',
    phase: { kind: 'call', callId: CALL },
    callId: CALL,
  };
  for (const [afterYesMs, kept] of [
    [299_999, true],
    [300_000, true],
    [300_001, false],
  ] as const) {
    const { taken } = after(journey, calling, {
      type: 'callEnded',
      at: NOW,
      outcome: 'completed',
      reason: 'hung_up',
      result: null,
      wasPlanned: false,
      afterYesMs,
    });
    const [call] = taken;
    assert.deepEqual(
      [call?.withinMs, call?.afterYesMs, call?.promiseKept],
      [300_000, afterYesMs, kept],
    );
  }
});

test('a split leads by the arm, and only who takes part carries its name', () => {
  const split = {
    name: 'split',
    do: 'split',
    experiment: 'exp_1',
    arms: { A: 'a', B: 'b' },
    else: 'a',
  };
  const journey = journeyOf({
    name: 'Split',
    steps: [split, { name: 'a', do: 'end', result: 'a' }, { name: 'b', do: 'end', result: 'b' }],
  });
  const run = { ...BASE, step: 'split' };
  const dealt = (arm: string | null, counted: boolean): Run => {
    const input = { type: 'dealt', at: NOW, experimentId: 'exp_1', arm, counted } as const;
    return after(journey, run, { type: 'time', at: NOW }, input).run;
  };
  assert.deepEqual([dealt('B', true).end, dealt('B', true).attribution.arm], ['b', 'B']);
  assert.deepEqual([dealt('B', false).end, dealt('B', false).attribution.arm], ['b', undefined]);
  assert.deepEqual([dealt('C', true).end, dealt(null, false).end], ['a', 'a']);
});

test('a run that goes in circles is cut', () => {
  const journey = journeyOf({
    name: 'Circle',
    maxSteps: 7,
    steps: [
      { name: 'one', do: 'wait', for: 'time', until: { after: '1h' } },
      { name: 'two', do: 'wait', for: 'time', until: { after: '1h' }, next: 'one' },
    ],
  });
  const wish = { variables: {}, startAt: NOW, answers: [], calls: [], arms: {} };
  const { lines, end } = dryRun(journey, wish);
  assert.deepEqual([lines.length, end], [7, 'too_many_steps']);
});

const at = fc.integer({ min: NOW - HOUR, max: NOW + 72 * HOUR });
const anyInput: fc.Arbitrary<RunInput> = fc.oneof(
  at.map((each): RunInput => ({ type: 'time', at: each })),
  fc
    .record({ at, answer: fc.constantFrom('yes', 'no', 'none') })
    .map((each): RunInput => ({ type: 'answered', ...each })),
  fc
    .record({
      at,
      outcome: fc.constantFrom('completed', 'no_answer', 'blocked'),
      reason: fc.constantFrom('hung_up', 'permission_expired'),
      result: fc.constantFrom('confirmed', 'reschedule', null),
      wasPlanned: fc.boolean(),
      afterYesMs: fc.option(fc.nat()),
    })
    .map((each): RunInput => ({ type: 'callEnded', ...each })),
  at.map((each): RunInput => ({ type: 'asked', at: each, requestId: REQUEST })),
  at.map((each): RunInput => ({ type: 'called', at: each, callId: CALL })),
  at.map((each): RunInput => ({ type: 'told', at: each })),
  fc
    .record({ at, laterAt: fc.option(at), code: fc.constantFrom('opted_out', 'permission_used') })
    .map((each): RunInput => ({ type: 'refused', ...each })),
  at.map((each): RunInput => ({ type: 'stopped', at: each, reason: 'opted_out' })),
);

for (const { key } of READY_JOURNEYS) {
  test(`whatever comes in whatever order, ${key} calls only after a yes and ends once`, () => {
    const journey = ready(key);
    fc.assert(
      fc.property(fc.array(anyInput, { maxLength: 60 }), (inputs) => {
        const first = [...journey.steps.values()].find(({ name }) => name === journey.first);
        let run: Run = { ...BASE, step: first?.name ?? '', variables: APPOINTMENT };
        let saidYes = false;
        for (const input of inputs) {
          const { phase, step } = run;
          const next = advance(journey, run, input);
          if (phase.kind === 'answer' && input.type === 'answered')
            saidYes = input.answer === 'yes';
          if (next.effect?.do === 'ask') saidYes = false;
          if (next.effect?.do === 'call') assert.ok(saidYes, `called at ${step} without a yes`);
          if (phase.kind === 'ended') assert.equal(next.run, run, 'moved after its end');
          if (next.run.phase.kind === 'ended') assert.ok(next.run.end !== null);
          assert.ok(next.run.visits <= journey.maxSteps);
          run = next.run;
        }
      }),
      { seed: 5, numRuns: 300 },
    );
  });
}
