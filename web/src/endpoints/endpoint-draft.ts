import type { EndpointView } from '../../../src/http/api-types.ts';

/** One target as the form holds it: texts, because a half-typed number is one too. */
export type TargetDraft = {
  key: number;
  uri: string;
  priority: string;
  weight: string;
  username: string;
  password: string;
  srtp: EndpointView['srtp'];
};

/** An endpoint while it is being written. */
export type EndpointDraft = {
  name: string;
  kind: 'sip' | 'agents';
  targets: readonly TargetDraft[];
  group: string;
  agentRingSeconds: string;
  wrapUpSeconds: string;
  returnSeconds: string;
  codecs: string;
  strategy: EndpointView['strategy'];
  ringSeconds: string;
  meanwhile: EndpointView['meanwhile'];
  failoverOn: EndpointView['failover']['on'];
  maxTargets: string;
  withinSeconds: string;
  callerId: EndpointView['callerId'];
  userToUser: EndpointView['userToUser'];
  healthCheck: boolean;
  register: boolean;
  nobody: EndpointView['whenNobody']['action'];
  prompt: string;
  say: string;
  language: string;
  scriptId: string;
  nobodySeconds: string;
  maxCalls: string;
  minutesPerDay: string;
};

let keys = 0;

/** A target with nothing in it yet; called after those that are there. */
export function emptyTarget(priority = 0): TargetDraft {
  const blank = { uri: '', weight: '1', username: '', password: '', srtp: 'off' } as const;
  return { key: (keys += 1), priority: String(priority), ...blank };
}

/** What a new endpoint begins with: the defaults of the API. */
export function emptyDraft(): EndpointDraft {
  return {
    name: '',
    kind: 'sip',
    targets: [emptyTarget()],
    group: '',
    agentRingSeconds: '15',
    wrapUpSeconds: '30',
    returnSeconds: '15',
    codecs: 'opus, PCMU, PCMA',
    strategy: 'on_answer',
    ringSeconds: '30',
    meanwhile: 'ringing',
    failoverOn: ['no_answer', 'server_error', 'unreachable'],
    maxTargets: '3',
    withinSeconds: '45',
    callerId: 'number',
    userToUser: 'reference',
    healthCheck: true,
    register: false,
    nobody: 'end',
    prompt: '',
    say: '',
    language: 'en',
    scriptId: '',
    nobodySeconds: '60',
    maxCalls: '',
    minutesPerDay: '',
  };
}

/** An endpoint that is there, as the form shows it; passwords cannot be read back. */
export function draftOf(view: EndpointView): EndpointDraft {
  const { agents, failover, whenNobody } = view;
  return {
    name: view.name,
    kind: agents === null ? 'sip' : 'agents',
    targets: agents === null ? view.targets.map(targetDraftOf) : [emptyTarget()],
    group: agents?.group ?? '',
    agentRingSeconds: seconds(agents?.ringMs ?? 15_000),
    wrapUpSeconds: seconds(agents?.wrapUpMs ?? 30_000),
    returnSeconds: seconds(agents?.returnMs ?? 15_000),
    codecs: view.codecs.join(', '),
    strategy: view.strategy,
    ringSeconds: seconds(view.ringTimeoutMs),
    meanwhile: view.meanwhile,
    failoverOn: failover.on,
    maxTargets: String(failover.maxTargets),
    withinSeconds: seconds(failover.withinMs),
    callerId: view.callerId,
    userToUser: view.userToUser,
    healthCheck: view.healthCheck === 'options',
    register: view.register,
    nobody: whenNobody.action,
    prompt: whenNobody.prompt ?? '',
    say: whenNobody.say ?? '',
    language: whenNobody.language ?? 'en',
    scriptId: whenNobody.scriptId ?? '',
    nobodySeconds: seconds(whenNobody.maxMs),
    maxCalls: numberText(view.maxCalls),
    minutesPerDay: numberText(view.minutesPerDay),
  };
}

function targetDraftOf(target: EndpointView['targets'][number]): TargetDraft {
  const { priority, weight, username } = target;
  const texts = { priority: String(priority), weight: String(weight), username: username ?? '' };
  return { key: (keys += 1), password: '', ...target, ...texts };
}

/**
 * What is sent. Nothing is judged here: a number that is none goes as it was typed, so that the
 * API names field, rule and fix, and the page and a shell are told the same.
 */
export function bodyOf(draft: EndpointDraft): object {
  const { nobody, prompt, scriptId } = draft;
  const speaks = nobody === 'announce_and_end' || nobody === 'queue_with_music';
  const say = speaks && prompt === '' ? draft.say.trim() : '';
  const agents = {
    group: draft.group.trim(),
    ringMs: millis(draft.agentRingSeconds),
    wrapUpMs: millis(draft.wrapUpSeconds),
    returnMs: millis(draft.returnSeconds),
  };
  return {
    name: draft.name.trim(),
    ...(draft.kind === 'agents' ? { agents } : { targets: draft.targets.map(targetOf) }),
    codecs: draft.codecs.split(/[\s,]+/).filter(Boolean),
    strategy: draft.strategy,
    ringTimeoutMs: millis(draft.ringSeconds),
    meanwhile: draft.meanwhile,
    failover: {
      on: draft.failoverOn,
      maxTargets: number(draft.maxTargets),
      withinMs: millis(draft.withinSeconds),
    },
    callerId: draft.callerId,
    userToUser: draft.userToUser,
    healthCheck: draft.healthCheck ? 'options' : 'off',
    register: draft.kind === 'sip' && draft.register,
    whenNobody: {
      action: nobody,
      prompt: prompt === '' || !speaks ? null : prompt,
      ...(say === '' ? {} : { say, language: draft.language.trim() }),
      scriptId: scriptId === '' || nobody !== 'script' ? null : scriptId,
      maxMs: millis(draft.nobodySeconds),
    },
    maxCalls: numberOrNull(draft.maxCalls),
    minutesPerDay: numberOrNull(draft.minutesPerDay),
  };
}

function targetOf({ key: _key, username, password, ...target }: TargetDraft): object {
  const { uri, priority, weight, srtp } = target;
  return {
    uri: uri.trim(),
    priority: number(priority),
    weight: number(weight),
    ...(username.trim() === '' ? {} : { username: username.trim() }),
    ...(password === '' ? {} : { password }),
    srtp,
  };
}

const seconds = (ms: number): string => String(ms / 1_000);
const numberText = (value: number | null): string => (value === null ? '' : String(value));

function number(text: string): number | string {
  const value = Number(text);
  return text.trim() === '' || Number.isNaN(value) ? text : value;
}

function millis(text: string): number | string {
  const value = number(text);
  return typeof value === 'number' ? Math.round(value * 1_000) : value;
}

const numberOrNull = (text: string): number | string | null =>
  text.trim() === '' ? null : number(text);
