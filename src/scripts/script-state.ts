import type { Script, ScriptSound, Step } from './script.ts';

/** What a running script is, sees and wants; `script-runner.ts` is the machine over it. */
export type ScriptState = {
  readonly script: Script;
  /** The key that stops all calls at any time: the script's, else the line's; null for none. */
  readonly stopKey: string | null;
  readonly startedAt: number;
  /** Steps begun so far. */
  readonly visits: number;
  /** The number of the latest sound or question, so that a late answer to an old one is known. */
  readonly token: number;
  readonly variables: Readonly<Record<string, string>>;
  readonly phase: ScriptPhase;
};

export type ScriptPhase =
  | { readonly kind: 'playing'; step: Step; token: number; until: number }
  /** `token` is the prompt that plays meanwhile, or null. */
  | {
      readonly kind: 'gathering';
      step: Extract<Step, { do: 'gather' }>;
      tries: number;
      digits: string;
      token: number | null;
      until: number;
      /** Why a prompt of it could not be played. */
      problem: string | null;
    }
  /** People are being told that they are recorded; what plays now would cut that short. */
  | {
      readonly kind: 'announcing';
      step: Extract<Step, { do: 'record' }>;
      token: number;
      until: number;
    }
  | { readonly kind: 'connecting'; step: Extract<Step, { do: 'connect' }>; until: number }
  /** A talk with the endpoint: only the stop key matters now. */
  | { readonly kind: 'connected' }
  | {
      readonly kind: 'asking';
      step: Extract<Step, { do: 'url' }>;
      token: number;
      until: number;
      music: boolean;
    }
  | { readonly kind: 'ended'; end: ScriptEndReason };

export type ScriptEndReason =
  /** The last step was done. */
  | 'finished'
  /** An endpoint took over. */
  | 'connected'
  /** A `hangup` step. */
  | 'hung_up'
  | 'opted_out'
  | 'too_many_steps'
  | 'too_long'
  /** The call went down meanwhile: somebody hung up. */
  | 'left';

/** What came of one step; `outcome` in the script's variables. */
export type StepOutcome =
  | 'done'
  | 'played'
  | 'digits'
  | 'nothing'
  | 'invalid'
  | 'answered'
  | 'failed'
  | 'left';

export type ScriptInput =
  | { type: 'began'; at: number }
  | { type: 'digit'; digit: string; at: number }
  /** A sound is over; `problem` when it could not be played at all. */
  | { type: 'played'; token: number; problem: string | null; at: number }
  /** The recording runs; `problem` when it could not begin. */
  | { type: 'recording'; token: number; problem: string | null; at: number }
  /** The endpoint answered and speaks with the customer, or could not be had. */
  | { type: 'connected'; at: number }
  | { type: 'notConnected'; reason: string; at: number }
  /** What a `url` said; null with a problem when nothing usable came. */
  | { type: 'told'; token: number; answer: StepAnswer | null; problem: string; at: number }
  /** Time has come to `wakesAt`. */
  | { type: 'time'; at: number }
  /** The call goes down: somebody hung up, or a leg was lost. */
  | { type: 'left'; at: number };

/** The next step as a `url` may name it: one of the script, or steps of its own. */
export type StepAnswer = {
  set?: Readonly<Record<string, string>> | undefined;
  next?: string | undefined;
  steps?: readonly unknown[] | undefined;
};

export type ScriptAction =
  | { do: 'play'; token: number; sound: ScriptSound; loop: boolean }
  | { do: 'stopPlaying' }
  | { do: 'connect'; endpoint: string | null }
  /** Nobody answered in time: the invitation is taken back. */
  | { do: 'disconnect' }
  /** A start is answered by `recording` with the same token. */
  | { do: 'record'; action: 'start' | 'pause' | 'resume' | 'stop'; token: number }
  | { do: 'ask'; token: number; step: Extract<Step, { do: 'url' }> }
  | { do: 'optOut' }
  | { do: 'hangUp' }
  /** A step is over: for ledger, CDR and events. */
  | { do: 'note'; step: StepNote }
  /** The script is over; after a connection only the stop key may still come. */
  | { do: 'ended'; end: ScriptEndReason; result: string | null };

export type StepNote = {
  name: string;
  kind: Step['do'];
  outcome: StepOutcome;
  /** What was typed, where keys were asked for. */
  digits: string | null;
  /** Why it failed, where it did. */
  problem: string | null;
};
