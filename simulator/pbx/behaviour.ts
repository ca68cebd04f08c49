/**
 * What the demo PBX does with a call, by the user part of the Request-URI: sentinel names, so
 * that a person with a softphone can bring about everything a test can.
 */
export type Behaviour = {
  /** Refuse with this final status. */
  refuse?: { status: number; reason: string };
  /** 180 before the answer. */
  rings: boolean;
  /** Absent: never answers. */
  answerAfterMs?: number;
  hangUpAfterMs?: number;
  /** Hold by re-INVITE (`sendonly`), resume as long after that. */
  holdAfterMs?: number;
  answersWith: 'sdp' | 'brokenSdp' | 'garbage';
  plays: { kind: 'tone'; hz: number } | { kind: 'echo'; greeting: boolean };
};

const PLAIN: Behaviour = {
  rings: false,
  answerAfterMs: 0,
  answersWith: 'sdp',
  plays: { kind: 'echo', greeting: true },
};

/** A number in a name is seconds, or hertz for a tone; an hour is more than any test needs. */
const NUMBER_MAX = 3600;

/** A map, not an object: a caller named `constructor` must find nothing. */
const BEHAVIOURS = new Map<string, (n: number) => Behaviour>(
  Object.entries({
    echo: (): Behaviour => PLAIN,
    talk: (): Behaviour => PLAIN,
    'echo-only': (): Behaviour => ({ ...PLAIN, plays: { kind: 'echo', greeting: false } }),
    tone: (hz: number): Behaviour => ({ ...PLAIN, plays: { kind: 'tone', hz: hz || 1000 } }),
    busy: (): Behaviour => ({ ...PLAIN, refuse: { status: 486, reason: 'Busy Here' } }),
    unavailable: (): Behaviour => ({
      ...PLAIN,
      refuse: { status: 503, reason: 'Service Unavailable' },
    }),
    never: (): Behaviour => {
      const { answerAfterMs: _, ...unanswered } = PLAIN;
      return unanswered;
    },
    ring: (seconds: number): Behaviour => ({
      ...PLAIN,
      rings: true,
      answerAfterMs: seconds * 1000,
    }),
    hangup: (seconds: number): Behaviour => ({ ...PLAIN, hangUpAfterMs: seconds * 1000 }),
    garbage: (): Behaviour => ({ ...PLAIN, answersWith: 'garbage' }),
    'bad-sdp': (): Behaviour => ({ ...PLAIN, answersWith: 'brokenSdp' }),
    hold: (seconds: number): Behaviour => ({ ...PLAIN, holdAfterMs: seconds * 1000 }),
  }),
);

/** `ring-3-opus` rings for 3 s, then takes Opus if it is offered. Unknown names echo. */
export function behaviourOf(user: string): { behaviour: Behaviour; prefersOpus: boolean } {
  const prefersOpus = user.endsWith('-opus');
  const name = prefersOpus ? user.slice(0, -'-opus'.length) : user;
  const match = /^([a-z-]{1,32}?)(?:-(\d{1,4}))?$/.exec(name);
  const make = BEHAVIOURS.get(match?.[1] ?? '');
  const number = Math.min(Number(match?.[2] ?? 0), NUMBER_MAX);
  return { behaviour: make?.(number) ?? PLAIN, prefersOpus };
}

export const BEHAVIOUR_NAMES = [...BEHAVIOURS.keys()];
