import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkScript } from './script-check.ts';
import { beginScript, stepScript, wakesAt } from './script-runner.ts';
import { SCRIPT_SAMPLES } from './script-samples.ts';
import type { ScriptAction, ScriptInput, ScriptState } from './script-state.ts';

/** A script under a clock that is an argument: what is fed in, and what comes out. */
class Play {
  now = 0;
  state: ScriptState;
  readonly done: ScriptAction[] = [];

  constructor(document: unknown, variables: Record<string, string> = {}, stopKey?: string) {
    const checked = checkScript(document);
    assert.ok(checked.ok, JSON.stringify(checked));
    const options = { stopKey: stopKey ?? null, variables, at: 0 };
    const begun = beginScript(checked.script, options);
    this.state = begun.state;
    this.done.push(...begun.actions);
  }

  feed(input: DistributiveOmit<ScriptInput, 'at'>): this {
    const { state, actions } = stepScript(this.state, { ...input, at: this.now });
    this.state = state;
    this.done.push(...actions);
    return this;
  }

  /** What plays is over. */
  heard(problem: string | null = null): this {
    return this.feed({ type: 'played', token: this.state.token, problem });
  }

  press(digits: string): this {
    for (const digit of digits) this.feed({ type: 'digit', digit });
    return this;
  }

  pass(ms: number): this {
    this.now += ms;
    return this.feed({ type: 'time' });
  }

  said(): string[] {
    return this.done.flatMap((action) =>
      action.do === 'play' ? [action.sound.say ?? action.sound.play ?? ''] : [],
    );
  }

  notes(): string[] {
    return this.done.flatMap((action) =>
      action.do === 'note' ? [`${action.step.name}:${action.step.outcome}`] : [],
    );
  }

  last(kind: ScriptAction['do']): ScriptAction | undefined {
    return this.done.findLast((action) => action.do === kind);
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

const [APPOINTMENT] = SCRIPT_SAMPLES;
const appointment = () =>
  new Play(APPOINTMENT, { business: 'Lake Clinic', date: 'Tuesday', time: 'two' });

test('1 confirms: the text is filled in, and the result stands at the end', () => {
  const play = appointment();
  assert.match(play.said()[0] ?? '', /This is Lake Clinic.*on Tuesday at two/);
  play.press('1').heard();
  assert.match(play.said()[1] ?? '', /^Thank you.*Tuesday/);
  assert.deepEqual(play.notes(), ['reminder:digits', 'confirmed:played']);
  assert.deepEqual(play.last('ended'), { do: 'ended', end: 'finished', result: 'confirmed' });
  assert.ok(play.last('hangUp') !== undefined);
});

test('a key cuts the prompt short, also before it is over', () => {
  const play = appointment().press('2');
  assert.equal(play.done[1]?.do, 'stopPlaying');
  assert.equal(play.heard().state.variables['result'], 'reschedule');
});

test('0 connects to the endpoint of the call, and the talk is the rest of the call', () => {
  const play = appointment().press('0');
  assert.deepEqual(play.last('connect'), { do: 'connect', endpoint: null });
  play.feed({ type: 'connected' }).pass(3_600_000);
  assert.equal(wakesAt(play.state), null);
  assert.deepEqual(play.last('ended'), { do: 'ended', end: 'connected', result: 'receptionist' });
  assert.ok(play.press('9').last('optOut') !== undefined, 'also in the talk');
});

test('where nobody answers there, the customer is told', () => {
  const play = appointment().press('0').feed({ type: 'notConnected', reason: 'endpoint_busy' });
  assert.match(play.said().at(-1) ?? '', /receptionist is busy/);
  assert.equal(play.state.variables['reason'], 'endpoint_busy');
});

test('an endpoint of which nothing is heard is given up', () => {
  const play = appointment().press('0').pass(150_000);
  assert.ok(play.last('disconnect') !== undefined);
  assert.match(play.said().at(-1) ?? '', /receptionist is busy/);
});

test('9 stops calls at any time', () => {
  for (const before of ['', '1', '2', '0']) {
    const play = appointment().press(before).press('9');
    assert.ok(play.last('optOut') !== undefined, `after "${before}"`);
    assert.equal((play.last('ended') as { end: string }).end, 'opted_out');
  }
});

test('a wrong key, silence and a wrong key again end in the way out for it', () => {
  const play = appointment().heard().press('7');
  assert.match(play.said().at(-1) ?? '', /^Press 1 to confirm/);
  play.heard().pass(6_000);
  assert.match(play.said().at(-1) ?? '', /^Good day/, 'no words for silence: the prompt again');
  play.heard().press('5');
  assert.match(play.said().at(-1) ?? '', /did not hear/);
  assert.deepEqual(play.notes(), ['reminder:invalid']);
});

test('digits end by terminator, by number, or by a pause', () => {
  const gather = { do: 'gather', minDigits: 2, maxDigits: 4, saveAs: 'code', onFail: 'end' };
  const script = { name: 'x', steps: [gather, { do: 'say', text: '{{code}}' }] };
  assert.deepEqual(new Play(script).press('12#').said(), ['12']);
  assert.deepEqual(new Play(script).press('1234').said(), ['1234']);
  assert.deepEqual(new Play(script).press('123').pass(3_000).said(), ['123']);
  const short = new Play(script).press('1').pass(3_000);
  assert.equal(short.state.phase.kind, 'gathering', 'too short: another try');
});

test("the line's own stop key is a digit inside an entry of several, and stops elsewhere", () => {
  const script = {
    name: 'x',
    steps: [
      { do: 'gather', maxDigits: 4 },
      { do: 'say', text: 'thanks' },
    ],
  };
  const play = new Play(script, {}, '9').press('9199');
  assert.deepEqual(play.said(), ['thanks']);
  assert.ok(play.press('9').last('optOut') !== undefined);
});

test('a sound that cannot be played is noted and passed over', () => {
  const play = new Play({ name: 'x', steps: [{ do: 'play', prompt: 'gone' }] });
  play.heard('prompt_unknown');
  const note = play.last('note') as { step: { problem: string } };
  assert.equal(note.step.problem, 'prompt_unknown');
  assert.ok(play.last('hangUp') !== undefined);
});

test('a sound of which no end is told is not waited for without limit', () => {
  const play = new Play({ name: 'x', steps: [{ do: 'say', text: 'a' }] }).pass(200_000);
  assert.deepEqual(play.notes(), ['step1:failed']);
});

test('a stop that comes while we hang up is not lost, and is done once', () => {
  const play = appointment().press('1').heard().press('9').press('9');
  assert.equal(play.done.filter((action) => action.do === 'optOut').length, 1);
});

test('a script that leads in circles ends', () => {
  const steps = [{ name: 'a', do: 'branch', on: 'digits', cases: {}, otherwise: 'a' }];
  const play = new Play({ name: 'x', steps });
  assert.equal((play.last('ended') as { end: string }).end, 'too_many_steps');
});

test('a script that takes too long ends, whatever it waits for', () => {
  const play = new Play({ name: 'x', maxDurationMs: 10_000, steps: [{ do: 'say', text: 'a' }] });
  assert.equal(wakesAt(play.state), 10_000);
  play.pass(10_000);
  assert.equal((play.last('ended') as { end: string }).end, 'too_long');
});

const asking = {
  name: 'x',
  variables: { seats: { default: '0' } },
  steps: [
    { name: 'ask', do: 'url', url: 'https://example.com/next', onFail: 'sorry' },
    { name: 'free', do: 'say', text: '{{seats}} seats', next: 'end' },
    { name: 'sorry', do: 'say', text: 'sorry' },
  ],
};
const told = (answer: object | null, problem = '') =>
  ({ type: 'told', token: 1, answer, problem }) as DistributiveOmit<ScriptInput, 'at'>;

test('a web service may set variables, name a step, or bring steps of its own', () => {
  const set = { seats: '3' };
  assert.deepEqual(new Play(asking).feed(told({ set })).said(), ['3 seats']);
  assert.deepEqual(new Play(asking).feed(told({ next: 'sorry' })).said(), ['sorry']);
  const steps = [{ do: 'say', text: 'from outside' }];
  const play = new Play(asking).feed(told({ set, steps })).heard();
  assert.deepEqual(play.said(), ['from outside', '3 seats']);
});

test('whatever else a web service answers leads to the way out', () => {
  const bad = [null, { next: 'nowhere' }, { steps: [{ do: 'sing' }] }, { steps: [] }];
  for (const answer of bad) {
    assert.deepEqual(new Play(asking).feed(told(answer, 'x')).said(), ['sorry']);
  }
});

test('a slow web service is waited for with music, and not for ever', () => {
  const play = new Play(asking).pass(2_000);
  assert.deepEqual(play.said(), ['builtin:hold']);
  assert.deepEqual(play.feed(told({})).said(), ['builtin:hold', '0 seats']);
  const late = new Play(asking).pass(2_000).pass(10_000);
  assert.deepEqual(late.said(), ['builtin:hold', 'sorry']);
  assert.deepEqual(late.feed(told({})).said(), ['builtin:hold', 'sorry'], 'too late');
});

// Scripts of any shape: names point anywhere, also back.
const name = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const target = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'end');
const step = fc.oneof(
  fc.record({ do: fc.constant('say'), text: fc.constant('x'), next: target }),
  fc.record({ do: fc.constant('play'), prompt: fc.constant('builtin:beep'), next: target }),
  fc.record({
    do: fc.constant('gather'),
    cases: fc.dictionary(fc.constantFrom('1', '2', '3'), target, { minKeys: 1 }),
    tries: fc.integer({ min: 1, max: 3 }),
    onFail: target,
  }),
  fc.record({ do: fc.constant('gather'), prompt: fc.constant({ say: 'x' }), next: target }),
  fc.record({
    do: fc.constant('branch'),
    on: fc.constant('digits'),
    cases: fc.constant({}),
    otherwise: target,
  }),
  fc.record({ do: fc.constant('connect'), onFail: target }),
  fc.record({ do: fc.constant('record'), action: fc.constant('start'), next: target }),
  fc.record({
    do: fc.constant('url'),
    url: fc.constant('https://x.example'),
    next: target,
    onFail: target,
  }),
  fc.record({ do: fc.constant('hangup') }),
  fc.record({ do: fc.constant('optout') }),
);
const scripts = fc
  .array(step, { minLength: 5, maxLength: 5 })
  .map((steps) => ({
    name: 'any',
    optOutKey: '9',
    maxSteps: 40,
    steps: steps.map((each, index) => ({ name: 'abcde'[index], ...each })),
  }))
  // What nothing leads to is refused at the save; a `url` lifts that, so most are kept.
  .filter((document) => checkScript(document).ok);
const inputs = fc.array(
  fc.oneof(
    fc.constantFrom('1', '2', '3', '7', '#').map((digit) => ({ type: 'digit', digit }) as const),
    fc.constantFrom(null, 'broken').map((problem) => ({ type: 'heard', problem }) as const),
    fc.constant({ type: 'connected' } as const),
    fc.constant({ type: 'notConnected', reason: 'endpoint_busy' } as const),
    fc
      .oneof(fc.constant(null), fc.record({ next: name }))
      .map((answer) => ({ type: 'told', answer }) as const),
    fc.integer({ min: 0, max: 30_000 }).map((ms) => ({ type: 'pass', ms }) as const),
  ),
  { maxLength: 30 },
);
type Fed = typeof inputs extends fc.Arbitrary<Array<infer One>> ? One : never;

function feedAny(play: Play, input: Fed): void {
  const { token } = play.state;
  if (input.type === 'heard') play.heard(input.problem);
  else if (input.type === 'pass') play.pass(input.ms);
  else if (input.type === 'told') play.feed({ ...input, token, problem: 'none' });
  else play.feed(input);
}

const RUNS = { numRuns: 500, seed: 4 };

test('no script waits for ever: with time alone, every one ends or is in a talk', () => {
  const property = fc.property(scripts, inputs, (document, fed) => {
    const play = new Play(document);
    for (const input of fed) feedAny(play, input);
    for (let turn = 0; turn < 1_000; turn += 1) {
      const dueAt = wakesAt(play.state);
      if (dueAt === null) break;
      play.pass(Math.max(0, dueAt - play.now));
    }
    assert.ok(['ended', 'connected'].includes(play.state.phase.kind));
    assert.ok(play.now <= 700_000, 'within its longest duration');
    if (play.state.phase.kind === 'connected') play.feed({ type: 'left' });
    assert.equal(play.done.filter((action) => action.do === 'ended').length, 1, 'ends once');
    const ends = play.done.filter(({ do: kind }) => kind === 'hangUp' || kind === 'optOut');
    assert.ok(ends.length <= 1, 'and has the call ended once');
    assert.equal(play.done.at(-1)?.do, 'ended', 'and does nothing after it');
  });
  fc.assert(property, RUNS);
});

test('the declared stop key stops wherever a script is', () => {
  const property = fc.property(scripts, inputs, (document, fed) => {
    const play = new Play(document);
    for (const input of fed) feedAny(play, input);
    const wasOver = play.state.phase.kind === 'ended';
    play.press('9');
    assert.equal(play.state.phase.kind, 'ended');
    if (!wasOver) assert.ok(play.last('optOut') !== undefined);
  });
  fc.assert(property, RUNS);
});
