import type { Script } from './script.ts';
import { askMs, ScriptRun, type Stepped } from './script-run.ts';
import type { ScriptInput, ScriptPhase, ScriptState } from './script-state.ts';

/**
 * What a script does next: a state and what happened go in, a state and what is to be done come
 * out. Pure. Three things hold whatever is fed in, and are tested so: a state that waits always
 * wakes by itself (`wakesAt`), every script ends, and the stop key works wherever it is declared.
 */
/** A web service that takes longer than this is waited for with music. */
const MUSIC_AFTER_MS = 2_000;

export function beginScript(
  script: Script,
  options: { stopKey: string | null; variables: Readonly<Record<string, string>>; at: number },
): Stepped {
  const { at, stopKey, variables } = options;
  const phase = { kind: 'ended', end: 'finished' } as const;
  const defaults = Object.entries(script.variables).map(([name, { default: text }]) => [
    name,
    text ?? '',
  ]);
  const state: ScriptState = {
    script,
    stopKey: script.optOutKey ?? stopKey,
    startedAt: at,
    visits: 0,
    token: 0,
    variables: { ...Object.fromEntries(defaults), ...variables },
    phase,
  };
  return new ScriptRun(state, at).enter(script.first).result();
}

/** One thing happened. What no longer matters (a late answer, a key after the end) does nothing. */
export function stepScript(state: ScriptState, input: ScriptInput): Stepped {
  const run = new ScriptRun(state, input.at);
  const { phase } = state;
  // Said in the last moment it counts all the same: the call may be down before it is told.
  const isLateStop =
    phase.kind === 'ended' && phase.end !== 'opted_out' && isStopDigit(state, input);
  if (isLateStop) return run.optOutLate().result();
  if (phase.kind === 'ended') return run.result();
  if (input.type === 'left') return run.left().result();
  if (input.type === 'time') return onTime(run, state, input.at).result();
  if (input.type === 'digit' && isStop(state, input.digit)) return run.optOut().result();
  switch (phase.kind) {
    case 'playing':
      if (input.type !== 'played' || input.token !== phase.token) return run.result();
      return run.afterSound(phase.step, input.problem).result();
    case 'announcing':
      if (input.type !== 'recording' || input.token !== phase.token) return run.result();
      return run.recording(phase.step, input.problem).result();
    case 'gathering':
      return onGathering(run, phase, input).result();
    case 'connecting':
      if (input.type === 'connected') return run.connected(phase.step).result();
      if (input.type !== 'notConnected') return run.result();
      return run.notConnected(phase.step, input.reason, false).result();
    case 'connected':
      return run.result();
    case 'asking':
      if (input.type !== 'told' || input.token !== phase.token) return run.result();
      return run.told(phase.step, input.answer, input.problem).result();
  }
}

/** When `time` is due, in ms; null once nothing can be due: in a talk, and at the end. */
export function wakesAt(state: ScriptState): number | null {
  const { phase, startedAt, script } = state;
  if (phase.kind === 'ended' || phase.kind === 'connected') return null;
  const until =
    phase.kind === 'asking' && !phase.music
      ? Math.min(phase.until, phase.until - askMs(phase.step) + MUSIC_AFTER_MS)
      : phase.until;
  return Math.min(until, startedAt + script.maxDurationMs);
}

function isStopDigit(state: ScriptState, input: ScriptInput): boolean {
  return input.type === 'digit' && isStop(state, input.digit);
}

/** A digit inside an entry of several is a digit; everywhere else the stop key stops. */
function isStop({ stopKey, phase, script }: ScriptState, digit: string): boolean {
  if (digit !== stopKey) return false;
  const ofLine = script.optOutKey === undefined;
  return !(ofLine && phase.kind === 'gathering' && phase.step.maxDigits > 1);
}

function onTime(run: ScriptRun, state: ScriptState, at: number): ScriptRun {
  const { phase, startedAt, script } = state;
  const dueAt = wakesAt(state);
  if (dueAt === null || at < dueAt || phase.kind === 'ended') return run;
  if (at >= startedAt + script.maxDurationMs) return run.giveUp('too_long');
  switch (phase.kind) {
    case 'playing':
      return run.stopPlaying().afterSound(phase.step, 'sound_never_ended');
    case 'gathering':
      if (phase.token !== null) return run.stopPlaying().listen(phase, null);
      return run.entryOver(phase);
    case 'announcing':
      return run.recording(phase.step, 'timed_out');
    case 'connecting':
      return run.notConnected(phase.step, 'endpoint_no_answer', true);
    case 'asking':
      if (at < phase.until) return run.waitWithMusic(phase);
      return run.told(phase.step, null, 'timed_out');
    case 'connected':
      return run;
  }
}

function onGathering(
  run: ScriptRun,
  phase: Extract<ScriptPhase, { kind: 'gathering' }>,
  input: ScriptInput,
): ScriptRun {
  if (input.type === 'played' && input.token === phase.token) {
    return run.listen(phase, input.problem);
  }
  if (input.type !== 'digit') return run;
  const { maxDigits, terminator, betweenDigitsTimeoutMs } = phase.step;
  if (phase.token !== null) run.stopPlaying();
  if (maxDigits > 1 && input.digit === terminator) return run.entryOver({ ...phase, token: null });
  const digits = phase.digits + input.digit;
  if (digits.length >= maxDigits) return run.entryOver({ ...phase, digits, token: null });
  const until = input.at + betweenDigitsTimeoutMs;
  return run.wait({ ...phase, digits, token: null, until });
}
