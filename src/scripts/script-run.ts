import { SCORES } from '../surveys/survey.ts';
import { END, type Step } from './script.ts';
import { withAnsweredSteps } from './script-check.ts';
import { filledText } from './script-text.ts';
import type {
  ScriptAction,
  ScriptEndReason,
  ScriptInput,
  ScriptPhase,
  ScriptState,
  StepOutcome,
} from './script-state.ts';

export type Stepped = { state: ScriptState; actions: ScriptAction[] };

/** No sound is longer (`PROMPT_LIMITS` of src/prompts); one that never ends is given up. */
const SOUND_MAX_MS = 200_000;
/** Beyond what any endpoint may ring (120 s): the session says so itself, before. */
const CONNECT_MS = 150_000;
const ASK_GRACE_MS = 2_000;
/** Far longer than any announcement (a prompt of the account's may take 60 s). */
const ANNOUNCE_MS = 90_000;

/** One turn of a script: moves the state, and gathers what is to be done. */
export class ScriptRun {
  #state: ScriptState;
  readonly #at: number;
  readonly #actions: ScriptAction[] = [];

  constructor(state: ScriptState, at: number) {
    this.#state = state;
    this.#at = at;
  }

  result(): Stepped {
    return { state: this.#state, actions: this.#actions };
  }

  wait(phase: ScriptPhase): this {
    this.#state = { ...this.#state, phase };
    return this;
  }

  stopPlaying(): this {
    return this.#do({ do: 'stopPlaying' });
  }

  /** Goes on at a step, and through all that follows without waiting for anybody. */
  enter(first: string): this {
    let name: string | null = first;
    while (name !== null) name = this.#begin(name);
    return this;
  }

  /** Begins one step; the name of the next where this one is done at once, else null. */
  #begin(name: string): string | null {
    const { script, visits } = this.#state;
    const step = script.steps.get(name);
    if (step === undefined) return this.#stop('finished');
    if (visits >= script.maxSteps) return this.#stop('too_many_steps');
    this.#state = { ...this.#state, visits: visits + 1 };
    this.#set(filledSet(step, this.#state.variables));
    switch (step.do) {
      case 'play':
        return this.#play(step, { play: step.prompt });
      case 'say': {
        const { text: say, language } = step;
        return this.#play(step, language === undefined ? { say } : { say, language });
      }
      case 'gather':
        return this.#ask(step, 1, step.prompt);
      case 'survey':
        return this.#ask(asQuestion(step), 1, step.prompt);
      case 'branch': {
        const value = this.#state.variables[step.on] ?? '';
        this.leave(step, 'done', { keepsOutcome: true });
        return Object.hasOwn(step.cases, value) ? (step.cases[value] ?? step.next) : step.next;
      }
      case 'record':
        return this.#record(step);
      case 'connect':
        return this.#connect(step);
      case 'url':
        return this.#askUrl(step);
      case 'optout':
        this.leave(step, 'done');
        return this.#stopCalls();
      case 'hangup':
        this.leave(step, 'done');
        return this.#stop('hung_up');
    }
  }

  /** A start waits until all have been told: the next prompt would cut the announcement short. */
  #record(step: Extract<Step, { do: 'record' }>): string | null {
    const { action } = step;
    const token = this.#state.token + 1;
    this.#state = { ...this.#state, token };
    this.#do({ do: 'record', action, token });
    if (action === 'start') {
      this.wait({ kind: 'announcing', step, token, until: this.#at + ANNOUNCE_MS });
      return null;
    }
    this.leave(step, 'done');
    return step.next;
  }

  recording(step: Extract<Step, { do: 'record' }>, problem: string | null): this {
    if (problem !== null) return this.leave(step, 'failed', { problem }).enter(step.next);
    if (step.messageMs === undefined) return this.leave(step, 'done').enter(step.next);
    this.#ask(asMessage(step, step.messageMs), 1, { play: 'builtin:beep' });
    return this;
  }

  #play(step: Step, sound: { say: string; language?: string } | { play: string }): null {
    const token = this.#sound(sound, false);
    this.wait({ kind: 'playing', step, token, until: this.#at + SOUND_MAX_MS });
    return null;
  }

  #sound(
    sound: { say?: string | undefined; language?: string | undefined; play?: string | undefined },
    loop: boolean,
  ): number {
    const { token: last, variables } = this.#state;
    const token = last + 1;
    this.#state = { ...this.#state, token };
    const said =
      sound.say === undefined ? sound : { ...sound, say: filledText(sound.say, variables) };
    this.#do({ do: 'play', token, sound: said, loop });
    return token;
  }

  afterSound(step: Step, problem: string | null): this {
    const outcome = problem === null ? 'played' : 'failed';
    return this.leave(step, outcome, { problem }).enter(step.next);
  }

  #ask(
    step: Extract<Step, { do: 'gather' }>,
    tries: number,
    sound: Extract<Step, { do: 'gather' }>['prompt'],
    problem: string | null = null,
  ): null {
    const token = sound === undefined ? null : this.#sound(sound, false);
    const until = this.#at + (token === null ? step.firstDigitTimeoutMs : SOUND_MAX_MS);
    this.wait({ kind: 'gathering', step, tries, digits: '', token, until, problem });
    return null;
  }

  /** The prompt is over, or could not be played: keys are waited for all the same. */
  listen(phase: Extract<ScriptPhase, { kind: 'gathering' }>, problem: string | null): this {
    const until = this.#at + phase.step.firstDigitTimeoutMs;
    return this.wait({ ...phase, token: null, until, problem: problem ?? phase.problem });
  }

  entryOver(phase: Extract<ScriptPhase, { kind: 'gathering' }>): this {
    const { step, tries, digits, problem } = phase;
    const { cases, minDigits, saveAs } = step;
    const fits =
      digits.length >= minDigits && (cases === undefined || Object.hasOwn(cases, digits));
    if (fits) {
      this.#set({ digits, ...(saveAs === undefined ? {} : { [saveAs]: digits }) });
      this.leave(step, 'digits', { digits, problem });
      return this.enter(cases === undefined ? step.next : (cases[digits] ?? step.next));
    }
    const outcome = digits === '' ? 'nothing' : 'invalid';
    if (tries >= step.tries) {
      this.#set({ digits });
      return this.leave(step, outcome, { digits, problem }).enter(step.onFail ?? END);
    }
    const hint = outcome === 'nothing' ? step.onNothing : step.onInvalid;
    this.#ask(step, tries + 1, hint ?? step.prompt, problem);
    return this;
  }

  #connect(step: Extract<Step, { do: 'connect' }>): null {
    const { endpoint = null } = step;
    this.#sound({ play: 'builtin:ringing' }, true);
    this.#do({ do: 'connect', endpoint });
    const until = this.#at + CONNECT_MS;
    this.wait({ kind: 'connecting', step, until });
    return null;
  }

  connected(step: Extract<Step, { do: 'connect' }>): this {
    this.stopPlaying().leave(step, 'answered').#tellEnd('connected');
    return this.wait({ kind: 'connected' });
  }

  notConnected(step: Extract<Step, { do: 'connect' }>, reason: string, ringsStill: boolean): this {
    if (ringsStill) this.#do({ do: 'disconnect' });
    this.stopPlaying().leave(step, 'failed', { problem: reason });
    return this.enter(step.onFail);
  }

  #askUrl(step: Extract<Step, { do: 'url' }>): null {
    const token = this.#state.token + 1;
    this.#state = { ...this.#state, token };
    this.#do({ do: 'ask', token, step });
    this.wait({ kind: 'asking', step, token, until: this.#at + askMs(step), music: false });
    return null;
  }

  waitWithMusic(phase: Extract<ScriptPhase, { kind: 'asking' }>): this {
    // The answer is still known by the token of the question, not by that of the music.
    this.#sound({ play: 'builtin:hold' }, true);
    return this.wait({ ...phase, music: true });
  }

  told(
    step: Extract<Step, { do: 'url' }>,
    answer: Extract<ScriptInput, { type: 'told' }>['answer'],
    problem: string,
  ): this {
    const { phase } = this.#state;
    if (phase.kind === 'asking' && phase.music) this.stopPlaying();
    if (answer === null) return this.#untold(step, problem);
    if (answer.set !== undefined) this.#set(answer.set);
    if (answer.steps !== undefined) {
      const whole = withAnsweredSteps(this.#state.script, step, answer.steps);
      if (!whole.ok) return this.#untold(step, 'answer_unusable');
      this.#state = { ...this.#state, script: whole.script };
      return this.leave(step, 'answered').enter(whole.first ?? END);
    }
    const next = answer.next ?? step.next;
    const isKnown = next === END || this.#state.script.steps.has(next);
    if (!isKnown) return this.#untold(step, 'answer_names_no_step');
    return this.leave(step, 'answered').enter(next);
  }

  #untold(step: Extract<Step, { do: 'url' }>, problem: string): this {
    return this.leave(step, 'failed', { problem }).enter(step.onFail);
  }

  /** Notes what came of a step, and keeps it for the branches behind it. */
  leave(
    step: Step,
    outcome: StepOutcome,
    more: { digits?: string; problem?: string | null; keepsOutcome?: boolean } = {},
  ): this {
    const { digits = null, problem = null, keepsOutcome = false } = more;
    if (!keepsOutcome) this.#set({ outcome, reason: problem ?? '' });
    // A survey waits for its key as a `gather` does, and is told as what it is.
    const kind = this.#state.script.steps.get(step.name)?.do ?? step.do;
    // A message has been left: what follows is not part of it.
    if (kind === 'record' && step.do === 'gather') this.#stopRecording();
    return this.#do({ do: 'note', step: { name: step.name, kind, outcome, digits, problem } });
  }

  #stopRecording(): void {
    this.#do({ do: 'record', action: 'stop', token: this.#state.token });
  }

  optOut(): this {
    this.#noteInterrupted('done');
    this.#stopCalls();
    return this;
  }

  /** The script is over, and has been told so; only the stop is left to be done. */
  optOutLate(): this {
    return this.#do({ do: 'optOut' }).wait({ kind: 'ended', end: 'opted_out' });
  }

  #stopCalls(): null {
    this.#do({ do: 'optOut' });
    return this.#end('opted_out');
  }

  left(): this {
    this.#noteInterrupted('left');
    this.#end('left');
    return this;
  }

  giveUp(end: ScriptEndReason): this {
    this.#noteInterrupted('failed');
    this.#stop(end);
    return this;
  }

  #noteInterrupted(outcome: StepOutcome): void {
    const { phase } = this.#state;
    if (phase.kind === 'ended' || phase.kind === 'connected') return;
    const digits =
      phase.kind === 'gathering' && phase.digits !== '' ? { digits: phase.digits } : {};
    this.leave(phase.step, outcome, digits);
  }

  #stop(end: ScriptEndReason): null {
    this.#do({ do: 'hangUp' });
    return this.#end(end);
  }

  #end(end: ScriptEndReason): null {
    if (this.#state.phase.kind !== 'connected') this.#tellEnd(end);
    this.wait({ kind: 'ended', end });
    return null;
  }

  /** A script that has connected somebody is done; the talk is not its own any more. */
  #tellEnd(end: ScriptEndReason): void {
    const result = this.#state.variables['result'] ?? '';
    this.#do({ do: 'ended', end, result: result === '' ? null : result });
  }

  #set(values: Readonly<Record<string, string>>): void {
    this.#state = { ...this.#state, variables: { ...this.#state.variables, ...values } };
  }

  #do(action: ScriptAction): this {
    this.#actions.push(action);
    return this;
  }
}

/** One key of 1 to 5; without one the script goes on all the same. */
function asQuestion(step: Extract<Step, { do: 'survey' }>): Extract<Step, { do: 'gather' }> {
  const { name, next, set, prompt, firstDigitTimeoutMs, tries } = step;
  return {
    do: 'gather',
    name,
    next,
    ...(set === undefined ? {} : { set }),
    ...(prompt === undefined ? {} : { prompt }),
    firstDigitTimeoutMs,
    tries,
    minDigits: 1,
    maxDigits: 1,
    terminator: 'none',
    betweenDigitsTimeoutMs: 500,
    cases: Object.fromEntries(SCORES.map((score) => [String(score), next])),
    onFail: next,
  };
}

/** The time for a message is waited for as a `gather` waits for a key. */
function asMessage(
  { name, next }: Extract<Step, { do: 'record' }>,
  messageMs: number,
): Extract<Step, { do: 'gather' }> {
  return {
    do: 'gather',
    name,
    next,
    firstDigitTimeoutMs: messageMs,
    tries: 1,
    minDigits: 1,
    maxDigits: 1,
    terminator: 'none',
    betweenDigitsTimeoutMs: 500,
    onFail: next,
  };
}

/** All tries of a question, with the short waits between them. */
export function askMs({ timeoutMs, tries }: Extract<Step, { do: 'url' }>): number {
  return timeoutMs * tries + ASK_GRACE_MS;
}

function filledSet(step: Step, variables: Readonly<Record<string, string>>) {
  const given = step.set ?? {};
  const filled = Object.entries(given).map(([name, text]) => [name, filledText(text, variables)]);
  return Object.fromEntries(filled) as Record<string, string>;
}
