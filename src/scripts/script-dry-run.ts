import type { Script } from './script.ts';
import { beginScript, stepScript, wakesAt } from './script-runner.ts';
import type { ScriptAction, ScriptInput } from './script-state.ts';

/** What a call would be like, in the order of it: nobody is called, nothing is played. */
export type DryRunLine = { atMs: number; what: string; text: string };

export type DryRunWish = {
  variables: Readonly<Record<string, string>>;
  /** What the customer types at each question, one after the other; an empty text is silence. */
  entries: readonly string[];
  /** Whether endpoints answer. */
  answers: boolean;
};

const SPOKEN_MS = 3_000;
const RINGS_MS = 5_000;
const TURNS_MAX = 1_000;
const LINES_MAX = 500;

/** Plays a script against the machine that leads real calls, with time that is only counted. */
export function dryRun(script: Script, wish: DryRunWish): DryRunLine[] {
  const lines: DryRunLine[] = [];
  const entries = [...wish.entries];
  let at = 0;
  const variables = { ...stoodFor(script), ...wish.variables };
  let { state, actions } = beginScript(script, { stopKey: null, variables, at });
  const tell = (done: readonly ScriptAction[]): void => {
    for (const action of done) lines.push(...lineOf(action, at));
  };
  const feed = (input: ScriptInput): void => {
    ({ state, actions } = stepScript(state, input));
    tell(actions);
  };
  tell(actions);
  for (let turn = 0; turn < TURNS_MAX && lines.length < LINES_MAX; turn += 1) {
    const { phase } = state;
    if (phase.kind === 'ended' || phase.kind === 'connected') break;
    if (phase.kind === 'playing' || (phase.kind === 'gathering' && phase.token !== null)) {
      at += SPOKEN_MS;
      feed({ type: 'played', token: phase.token ?? 0, problem: null, at });
    } else if (phase.kind === 'announcing') {
      at += SPOKEN_MS;
      feed({ type: 'recording', token: phase.token, problem: null, at });
    } else if (phase.kind === 'connecting') {
      at += RINGS_MS;
      if (wish.answers) feed({ type: 'connected', at });
      else feed({ type: 'notConnected', reason: 'endpoint_no_answer', at });
    } else if (phase.kind === 'asking') {
      feed({ type: 'told', token: phase.token, answer: null, problem: 'not_asked', at });
    } else {
      for (const digit of phase.digits === '' ? (entries.shift() ?? '') : '') {
        lines.push({ atMs: at, what: 'key', text: digit });
        feed({ type: 'digit', digit, at });
      }
      if (state.phase === phase || state.phase.kind === 'gathering') {
        at = Math.max(at, wakesAt(state) ?? at);
        feed({ type: 'time', at });
      }
    }
  }
  return lines.slice(0, LINES_MAX);
}

/** What nobody has given yet is shown by its name, so that a text can be read all the same. */
function stoodFor(script: Script): Record<string, string> {
  const declared = Object.entries(script.variables).map(([name, { default: text }]) => [
    name,
    text ?? `<${name}>`,
  ]);
  const given = { business: '<business>', purpose: '<purpose>', reference: '<reference>' };
  return { ...given, language: script.language, ...Object.fromEntries(declared) };
}

function lineOf(action: ScriptAction, atMs: number): DryRunLine[] {
  switch (action.do) {
    case 'play': {
      const { say, play = '' } = action.sound;
      return [{ atMs, what: say === undefined ? 'play' : 'say', text: say ?? play }];
    }
    case 'connect':
      return [{ atMs, what: 'connect', text: action.endpoint ?? "the call's endpoint" }];
    case 'record':
      return [{ atMs, what: 'record', text: action.action }];
    case 'ask':
      return [{ atMs, what: 'ask', text: action.step.url }];
    case 'note': {
      const { name, outcome } = action.step;
      return [{ atMs, what: 'step', text: `${name}: ${outcome}` }];
    }
    case 'ended':
      return [{ atMs, what: 'end', text: [action.end, action.result ?? ''].join(' ').trim() }];
    case 'optOut':
      return [{ atMs, what: 'optout', text: 'all calls to this person stop' }];
    case 'hangUp':
      return [{ atMs, what: 'hangup', text: 'we hang up' }];
    default:
      return [];
  }
}
