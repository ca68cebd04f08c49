import type { BrakeName } from '../../../src/brakes/brakes.ts';
import type { BrakesView } from '../../../src/brakes/brake-schemas.ts';

/** The settings of the brakes as they are being written: what is typed is text until it is sent. */
export type RateDraft = { isOn: boolean; slow: string; pause: string };

export type BrakeDraft = {
  enabled: boolean;
  windowHours: string;
  minSample: string;
  /** Percent, as everything below. */
  slowFactor: string;
  rates: Record<BrakeName, RateDraft>;
};

export type Settings = BrakesView['settings'];

/**
 * Each rate in words, the side on which it is bad, and what one that was off begins with, in
 * percent.
 * Written here, for the server's schema would bring its whole checker into the page; a test holds
 * the two together.
 */
export const RATES: Readonly<
  Record<BrakeName, { words: string; side: 'below' | 'above'; slow: string; pause: string }>
> = {
  grant_rate: { words: 'Yes to requests', side: 'below', slow: '40', pause: '20' },
  answer_rate: { words: 'Calls that are picked up', side: 'below', slow: '50', pause: '30' },
  opt_out_rate: { words: 'Stops among requests', side: 'above', slow: '5', pause: '10' },
  unanswered_streaks: {
    words: 'Calls to people who missed the last one too',
    side: 'above',
    slow: '20',
    pause: '40',
  },
  red_templates: {
    words: 'Requests with a template that Meta rates red',
    side: 'above',
    slow: '0',
    pause: '100',
  },
};

export const RATE_NAMES = Object.keys(RATES) as BrakeName[];

export function draftOf(settings: Settings): BrakeDraft {
  return {
    enabled: settings.enabled,
    windowHours: String(settings.windowHours),
    minSample: String(settings.minSample),
    slowFactor: percentOf(settings.slowFactor),
    rates: perRate((name) => {
      const set = settings[name];
      if (set === null) return { isOn: false, slow: RATES[name].slow, pause: RATES[name].pause };
      return { isOn: true, slow: percentOf(set.slow), pause: percentOf(set.pause) };
    }),
  };
}

/** What the form sends; a rate that is off is null, and what is no number the API refuses. */
export function settingsOf(draft: BrakeDraft): Settings {
  return {
    enabled: draft.enabled,
    windowHours: numberIn(draft.windowHours),
    minSample: numberIn(draft.minSample),
    slowFactor: shareIn(draft.slowFactor),
    ...perRate((name) => {
      const { isOn, slow, pause } = draft.rates[name];
      return isOn ? { slow: shareIn(slow), pause: shareIn(pause) } : null;
    }),
  };
}

/** What becomes of a line under these settings, in sentences. */
export function whatHappens({ enabled, slowFactor, minSample, windowHours }: BrakeDraft): string[] {
  if (!enabled) {
    return [
      'No line slows or pauses by itself. Slowed lines go on freely at once.',
      'A paused line stays paused until somebody lets it go on.',
    ];
  }
  return [
    `A rate counts the last ${windowHours} hours and says nothing below ${minSample} of them. ` +
      'A line brakes only where bad luck is ruled out.',
    `Slowed: at ${slowFactor} % of its busiest hour, until its rates are good again.`,
    'Paused: nobody is asked or called until a person lets the line go on.',
  ];
}

function perRate<Value>(make: (name: BrakeName) => Value): Record<BrakeName, Value> {
  const made = Object.fromEntries(RATE_NAMES.map((name) => [name, make(name)]));
  return made as Record<BrakeName, Value>;
}

/** Without the tail of binary numbers: 0.07 is 7, not 7.000000000000001. */
function percentOf(share: number): string {
  return String(Math.round(share * 100_000) / 1_000);
}

function shareIn(percent: string): number {
  return Math.round(numberIn(percent) * 1_000) / 100_000;
}

/** An empty field is no number, not nought: nought would brake everything or nothing. */
function numberIn(text: string): number {
  const trimmed = text.trim().replace(',', '.');
  return trimmed === '' ? Number.NaN : Number(trimmed);
}
