import type { CallState } from '../calls/call.ts';
import type { CallGuide, CallHands } from '../calls/call-hands.ts';
import type { PlannedScript, ScriptEvent } from '../calls/call-script.ts';
import type { Sound } from '../media/media.ts';
import type { Clock, TimerHandle } from '../platform/clock.ts';
import { errorText, Failure } from '../platform/failure.ts';
import type { EndpointId } from '../platform/ids.ts';
import type { Log } from '../platform/log.ts';
import { soundsOf, type Script, type ScriptSound, type Step } from './script.ts';
import { beginScript, stepScript, wakesAt } from './script-runner.ts';
import type { Stepped } from './script-run.ts';
import type { ScriptAction, ScriptInput, ScriptState, StepAnswer } from './script-state.ts';
import { filledText, variablesIn } from './script-text.ts';

/** What one call's script needs, opened before its customer is rung. */
export type OpenedScript = {
  script: Script;
  /** The line's own stop key. */
  stopKey: string | null;
  variables: Readonly<Record<string, string>>;
  sound(name: string): Promise<Sound | null>;
  /** `isShared`: the text is the same for every call. */
  spoken(text: string, language: string, isShared: boolean): Promise<Sound>;
  endpoint(named: string | null): Promise<EndpointId | null>;
  ask(
    step: Extract<Step, { do: 'url' }>,
    turn: number,
    state: ScriptState,
  ): Promise<{ answer: StepAnswer | null; problem: string }>;
  /** The script is over: what was made for this call alone may go. */
  close(): void;
};

export type ScriptPlayerPorts = {
  clock: Clock;
  log: Log;
  /** Null where the version that was planned cannot be run. */
  open: (state: CallState, planned: PlannedScript) => Promise<OpenedScript | null>;
  /** Records what the script did; its order is kept. */
  note: (callId: CallState['plan']['id'], event: ScriptEvent) => Promise<unknown>;
};

/**
 * Leads one call by its script: feeds the decider with what happens and does what it wants, by
 * the hands of the session. A sound that fails, a note that is not written, a service that is
 * silent: none of it ends a call. The script goes on, and its end is the call's.
 */
export class ScriptPlayer implements CallGuide {
  readonly connects = true;
  readonly #ports: ScriptPlayerPorts;
  readonly #hands: CallHands;
  readonly #call: CallState;
  readonly #planned: PlannedScript;
  readonly #opened: Promise<OpenedScript | null>;
  readonly #stopListening: () => void;
  #open: OpenedScript | null = null;
  #state: ScriptState | null = null;
  #began = false;
  #closed = false;
  #timer: TimerHandle | null = null;
  #notes: Promise<unknown> = Promise.resolve();
  #connection = 0;

  constructor(
    ports: ScriptPlayerPorts,
    hands: CallHands,
    state: CallState,
    planned: PlannedScript,
  ) {
    this.#planned = planned;
    this.#ports = ports;
    this.#hands = hands;
    this.#call = state;
    this.#opened = ports.open(state, planned).catch((error: unknown) => {
      ports.log.error({ callId: state.plan.id, error: errorText(error) }, 'script not opened');
      return null;
    });
    void this.#opened.then((opened) => (opened === null ? undefined : this.#prepare(opened)));
    this.#stopListening = hands.onDtmf(({ leg, digit }) => {
      if (leg === 'whatsapp') this.#feed({ type: 'digit', digit });
    });
  }

  onState({ status, facts }: CallState): void {
    // Answered without audio: what is said now nobody would hear.
    const canBegin = status === 'answered' && facts.mediaConnectedAt !== null;
    if (!canBegin || this.#began || this.#closed) return;
    this.#began = true;
    void this.#begin();
  }

  close(): void {
    if (this.#closed) return;
    this.#feed({ type: 'left' });
    this.#closed = true;
    this.#timer?.cancel();
    this.#stopListening();
    void this.#opened.then((opened) => opened?.close());
  }

  async #begin(): Promise<void> {
    const { clock } = this.#ports;
    const opened = await this.#opened;
    if (this.#closed) return;
    if (opened === null) {
      this.#hands.hangUp('script_unusable');
      return;
    }
    this.#open = opened;
    const { script, stopKey, variables } = opened;
    const at = clock.now();
    const { scriptId, version } = this.#planned;
    const endsBy = at + script.maxDurationMs;
    this.#note({ type: 'CallScriptStarted', at, scriptId, version, endsBy });
    this.#apply(beginScript(script, { stopKey, variables, at }));
  }

  #feed(input: ScriptInputNow): void {
    if (this.#state === null || this.#closed) return;
    const at = this.#ports.clock.now();
    this.#apply(stepScript(this.#state, { ...input, at }));
  }

  #apply({ state, actions }: Stepped): void {
    this.#state = state;
    for (const action of actions) this.#do(action, state);
    this.#timer?.cancel();
    const dueAt = wakesAt(state);
    if (dueAt === null || this.#closed) return;
    const wait = Math.max(0, dueAt - this.#ports.clock.now());
    this.#timer = this.#ports.clock.after(wait, () => this.#feed({ type: 'time' }));
  }

  #do(action: ScriptAction, state: ScriptState): void {
    const at = this.#ports.clock.now();
    switch (action.do) {
      case 'play':
        void this.#play(action);
        return;
      case 'stopPlaying':
        this.#hands.stopPlaying();
        return;
      case 'connect':
        void this.#connect(action);
        return;
      case 'disconnect':
        this.#connection += 1;
        return;
      case 'record':
        void this.#record(action);
        return;
      case 'ask':
        void this.#ask(action, state);
        return;
      case 'optOut':
        // After the notes: the stop ends the call, and what led to it belongs into its record.
        void this.#notes.then(() => this.#optOut());
        return;
      case 'hangUp':
        void this.#notes.then(() => this.#hands.hangUp('script_ended'));
        return;
      case 'note': {
        const result = state.variables['result'] ?? '';
        const { step } = action;
        this.#note({ type: 'CallScriptStep', at, step, result: result === '' ? null : result });
        return;
      }
      case 'ended':
        this.#note({ type: 'CallScriptEnded', at, end: action.end, result: action.result });
        return;
    }
  }

  async #play({ token, sound, loop }: Extract<ScriptAction, { do: 'play' }>): Promise<void> {
    let problem: string | null = null;
    try {
      const made = await this.#soundOf(sound);
      // A key may have been pressed while the text was being spoken.
      if (this.#closed || !isAwaited(this.#state, token)) return;
      const end = await this.#hands.play(made, { loop, interrupt: true });
      problem = end.trouble;
    } catch (error) {
      this.#warn(error);
      problem = error instanceof Failure ? error.code : 'sound_failed';
    }
    this.#feed({ type: 'played', token, problem });
  }

  async #record({ action, token }: Extract<ScriptAction, { do: 'record' }>): Promise<void> {
    const isDone = await this.#hands.record(action).catch((error: unknown) => {
      this.#warn(error);
      return false;
    });
    if (action !== 'start') return;
    this.#feed({ type: 'recording', token, problem: isDone ? null : 'recording_not_begun' });
  }

  async #soundOf(sound: ScriptSound): Promise<Sound> {
    const opened = this.#open;
    if (opened === null) throw new Error('no script is open');
    const { say, play = '' } = sound;
    if (say !== undefined) {
      const isShared = isSharedText(opened.script, say);
      return opened.spoken(say, sound.language ?? opened.script.language, isShared);
    }
    const builtin = BUILTINS[play];
    if (builtin !== undefined) return builtin;
    const found = await opened.sound(play);
    if (found === null) throw unknownPrompt();
    return found;
  }

  async #connect({ endpoint }: Extract<ScriptAction, { do: 'connect' }>): Promise<void> {
    this.#connection += 1;
    const mine = this.#connection;
    const opened = this.#open;
    const id = endpoint === null ? this.#call.plan.endpointId : await opened?.endpoint(endpoint);
    const end =
      id === null || id === undefined
        ? { up: false as const, reason: 'endpoint_not_found' }
        : await this.#hands.connectEndpoint(id);
    if (mine !== this.#connection) return;
    if (end.up) this.#feed({ type: 'connected' });
    else this.#feed({ type: 'notConnected', reason: end.reason });
  }

  async #ask(
    { token, step }: Extract<ScriptAction, { do: 'ask' }>,
    state: ScriptState,
  ): Promise<void> {
    const told = await this.#open?.ask(step, token, state).catch((error: unknown) => {
      this.#warn(error);
      return { answer: null, problem: 'ask_failed' };
    });
    const { answer = null, problem = 'ask_failed' } = told ?? {};
    this.#feed({ type: 'told', token, answer, problem });
  }

  /** Texts that are known before the call are spoken while it rings, so that nobody waits. */
  async #prepare(opened: OpenedScript): Promise<void> {
    const { script, variables } = opened;
    const known = new Set([...Object.keys(variables), ...Object.keys(script.variables)]);
    const given = { ...defaultsOf(script), ...variables };
    for (const step of script.steps.values()) {
      for (const { sound } of soundsOf(step)) {
        const { say, language = script.language } = sound;
        if (say === undefined || !variablesIn(say).every((name) => known.has(name))) continue;
        if (this.#closed) return;
        const text = filledText(say, given);
        const made = opened.spoken(text, language, isSharedText(script, text));
        await made.catch((error: unknown) => this.#warn(error));
      }
    }
  }

  /** A stop is tried until it is recorded; nothing else of a script matters as much. */
  #optOut(): void {
    this.#hands.optOut().catch((error: unknown) => {
      this.#warn(error);
      this.#ports.clock.after(STOP_RETRY_MS, () => this.#optOut());
    });
  }

  #note(event: ScriptEvent): void {
    const { note } = this.#ports;
    const callId = this.#call.plan.id;
    this.#notes = this.#notes.then(() =>
      note(callId, event).catch((error: unknown) => this.#warn(error)),
    );
  }

  #warn(error: unknown): void {
    const callId = this.#call.plan.id;
    this.#ports.log.warn({ callId, error: errorText(error) }, 'a step of the script had trouble');
  }
}

type ScriptInputNow = ScriptInput extends infer One
  ? One extends { at: number }
    ? Omit<One, 'at'>
    : never
  : never;

/** Whether a sound still belongs where the script is by now. */
function isAwaited(state: ScriptState | null, token: number): boolean {
  const phase = state?.phase;
  if (phase?.kind === 'playing' || phase?.kind === 'gathering') return phase.token === token;
  if (phase?.kind === 'connecting' || phase?.kind === 'asking') return state?.token === token;
  return false;
}

const STOP_RETRY_MS = 500;

const BUILTINS: Readonly<Record<string, Sound>> = {
  'builtin:beep': { kind: 'builtin', name: 'beep' },
  'builtin:ringing': { kind: 'builtin', name: 'ringing' },
  'builtin:hold': { kind: 'builtin', name: 'hold_music' },
  'builtin:silence': { kind: 'builtin', name: 'silence' },
};

function defaultsOf(script: Script): Record<string, string> {
  const entries = Object.entries(script.variables);
  return Object.fromEntries(entries.map(([name, { default: text }]) => [name, text ?? '']));
}

/** True for a text that stands in the script as it is: nothing in it is of one person. */
function isSharedText(script: Script, text: string): boolean {
  return [...script.steps.values()].some((step) =>
    soundsOf(step).some(({ sound }) => sound.say === text),
  );
}

function unknownPrompt(): Failure {
  return new Failure({
    code: 'prompt_unknown',
    message: 'The account has no prompt of this name.',
    fix: 'Upload it with POST /v1/prompts, or correct the name in the script.',
    verdict: 'terminal',
    side: 'client',
  });
}
