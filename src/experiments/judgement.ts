/**
 * What the numbers of an experiment say, as pure functions of its looks. Three questions are
 * asked at each look, and each may be asked as often as one likes: does an arm do better or
 * worse than the control, do more of its people opt out, and are the arms as large as drawn?
 */
import { boundsOf, evenSpending, lateSpending, type BoundsWish } from './boundaries.ts';
import { chiSquareTail } from './normal.ts';
import { ALPHA } from './plan-size.ts';

/** What is counted of one arm, up to a look. */
export type ArmCount = {
  arm: string;
  /** People who came into the arm. */
  exposed: number;
  /** Those of them whose time for an outcome is over: what the result rests on. */
  counted: number;
  /** Those counted who reached what the experiment measures. */
  hits: number;
  /** Those exposed who opted out, as soon as it is known. */
  optedOut: number;
};

export type Look = { at: number; arms: readonly ArmCount[] };

export type JudgedPlan = {
  /** The first is the control. */
  arms: readonly { name: string; weight: number }[];
  /** People in all arms together at which the result is final. */
  plannedPeople: number;
  /** Whether a larger share is better, or a smaller one. */
  better: 'more' | 'less';
  /** Arms that were stopped, and since when: they are no longer drawn. */
  stopped: readonly { arm: string; at: number }[];
};

/** How arm and control compare; shares and differences are fractions. */
export type ArmResult = {
  arm: string;
  verdict: 'too_early' | 'no_difference' | 'better' | 'worse';
  /** Arm minus control. */
  difference: number;
  /** Holds at every look at once, so whoever stops here because of it is not fooled. */
  interval: readonly [low: number, high: number];
  /** When the verdict became final, or null while it is too early. */
  decidedAt: number | null;
};

export type SampleRatio = { chiSquare: number; p: number; alarm: boolean };

export type Judgement = {
  results: readonly ArmResult[];
  sampleRatio: SampleRatio | null;
  /** Arms whose people opt out more than those of the control. */
  harmful: readonly string[];
  /** Share of the planned people that are counted, at most 1. */
  fraction: number;
};

const SAMPLE_RATIO_ALPHA = 0.001;
const HARM_ALPHA = 0.01;

/** Everything the looks say, in the order in which they were taken. */
export function judge(
  plan: JudgedPlan,
  looks: readonly Look[],
  bounds: typeof boundsOf = boundsOf,
): Judgement {
  const boundsAt = boundsWith(bounds);
  const [control, ...others] = plan.arms.map(({ name }) => name);
  const pairs = Math.max(1, others.length);
  const fractions = looks.map((look) => fractionOf(plan, look, 'counted'));
  const wish = { alpha: ALPHA / pairs, spending: lateSpending, sides: 2 } as const;
  const resultBounds = boundsAt(fractions, wish);
  const harm = { alpha: HARM_ALPHA / pairs, spending: evenSpending, sides: 1 } as const;
  const exposure = looks.map((look) => fractionOf(plan, look, 'exposed'));
  const harmBounds = boundsAt(exposure, harm);
  return {
    results: others.map((arm) =>
      resultOf(plan, looks, { arm, control: control ?? '', bounds: resultBounds, fractions }),
    ),
    sampleRatio: sampleRatio(plan, looks, (used, asked) =>
      boundsAt(exposure.slice(0, used), asked),
    ),
    harmful: others.filter((arm) =>
      looks.some((look, index) => isHarmful(look, arm, control ?? '', harmBounds[index])),
    ),
    fraction: fractions.at(-1) ?? 0,
  };
}

type Pair = {
  arm: string;
  control: string;
  bounds: readonly number[];
  fractions: readonly number[];
};

function resultOf(plan: JudgedPlan, looks: readonly Look[], pair: Pair): ArmResult {
  const { arm, control, bounds, fractions } = pair;
  let latest: ArmResult = {
    arm,
    verdict: 'too_early',
    difference: 0,
    interval: [-1, 1],
    decidedAt: null,
  };
  for (const [index, look] of looks.entries()) {
    const bound = bounds[index] ?? Infinity;
    const compared = compare(countsOf(look, arm, 'counted'), countsOf(look, control, 'counted'));
    const { difference, z } = compared;
    if (bound === Infinity && bounds.slice(0, index).some(Number.isFinite)) continue;
    latest = { ...latest, difference, interval: intervalOf(compared, bound) };
    if (Math.abs(z) > bound) {
      const isBetter = difference > 0 === (plan.better === 'more');
      return { ...latest, verdict: isBetter ? 'better' : 'worse', decidedAt: look.at };
    }
    if ((fractions[index] ?? 0) >= 1) {
      return { ...latest, verdict: 'no_difference', decidedAt: look.at };
    }
  }
  return latest;
}

type Counts = { people: number; hits: number };
type Compared = { difference: number; z: number; error: number; correction: number };

/**
 * The z of two shares. Whole people make z jump. Without a correction for continuity small arms
 * fool a little more than alpha, with Yates's whole one far fewer than alpha and the power goes
 * with them; half of it stays between, as the proof of false alarms measures.
 */
function compare(one: Counts, other: Counts): Compared {
  if (one.people === 0 || other.people === 0) {
    return { difference: 0, z: 0, error: Infinity, correction: 0 };
  }
  const share = one.hits / one.people;
  const otherShare = other.hits / other.people;
  const difference = share - otherShare;
  const inverse = 1 / one.people + 1 / other.people;
  const pooled = (one.hits + other.hits) / (one.people + other.people);
  const pooledError = Math.sqrt(pooled * (1 - pooled) * inverse);
  const correction = inverse / 4;
  const beyond = Math.max(0, Math.abs(difference) - correction);
  const z = pooledError === 0 ? 0 : (Math.sign(difference) * beyond) / pooledError;
  return { difference, z, error: pooledError, correction };
}

/** The repeated confidence interval of Jennison and Turnbull (J. R. Statist. Soc. B 51, 1989). */
function intervalOf({ difference, error, correction }: Compared, bound: number): [number, number] {
  const reach = error === 0 ? 1 : bound * error + correction;
  if (!Number.isFinite(reach)) return [-1, 1];
  return [Math.max(-1, difference - reach), Math.min(1, difference + reach)];
}

function isHarmful(look: Look, arm: string, control: string, bound = Infinity): boolean {
  return compare(countsOf(look, arm, 'exposed'), countsOf(look, control, 'exposed')).z > bound;
}

/**
 * Whether the arms have the sizes they were drawn with. Chi-square is what people know; the
 * alarm comes at p < 0.001 over all looks together, so it is a bit stricter at each of them.
 */
function sampleRatio(
  plan: JudgedPlan,
  looks: readonly Look[],
  boundsUntil: (looks: number, wish: BoundsWish) => number[],
): SampleRatio | null {
  // Once an arm is no longer drawn the sizes differ for a reason that is known.
  const until = Math.min(...plan.stopped.map(({ at }) => at), Infinity);
  const used = looks.filter(({ at }) => at <= until);
  const last = used.at(-1);
  if (last === undefined || sumOf(last, 'exposed') === 0) return null;
  const tests = plan.arms.length === 2 ? 1 : plan.arms.length;
  const wish = { alpha: SAMPLE_RATIO_ALPHA / tests, spending: evenSpending, sides: 2 } as const;
  const bounds = boundsUntil(used.length, wish);
  const alarm = used.some((look, index) =>
    plan.arms.some((arm) => Math.abs(drawnZ(plan, look, arm)) > (bounds[index] ?? Infinity)),
  );
  const chiSquare = chiSquareOf(plan, last);
  return { chiSquare, p: chiSquareTail(chiSquare, plan.arms.length - 1), alarm };
}

/** An arm's size against its share, in standard deviations; of two its square is chi-square. */
function drawnZ(plan: JudgedPlan, look: Look, { name, weight }: JudgedPlan['arms'][number]) {
  const total = sumOf(look, 'exposed');
  const share = weight / weightOf(plan);
  const { people } = countsOf(look, name, 'exposed');
  return (people - total * share) / Math.sqrt(Math.max(1, total) * share * (1 - share));
}

function chiSquareOf(plan: JudgedPlan, look: Look): number {
  const total = sumOf(look, 'exposed');
  return plan.arms.reduce((sum, { name, weight }) => {
    const expected = (total * weight) / weightOf(plan);
    return sum + (countsOf(look, name, 'exposed').people - expected) ** 2 / expected;
  }, 0);
}

/** Looks at which hardly anything is new spend nothing and get no bound of their own. */
const NEWS_MIN = 0.002;

function boundsWith(of: typeof boundsOf) {
  return (fractions: readonly number[], wish: BoundsWish): number[] => {
    const used: number[] = [];
    const indexes = fractions.map((fraction) => {
      const before = used.at(-1) ?? 0;
      if (fraction < before + NEWS_MIN && !(fraction >= 1 && before < 1)) return null;
      return used.push(fraction) - 1;
    });
    const bounds = of(used, wish);
    return indexes.map((index) => (index === null ? Infinity : (bounds[index] ?? Infinity)));
  };
}

function fractionOf(plan: JudgedPlan, look: Look, what: 'exposed' | 'counted'): number {
  return Math.min(1, sumOf(look, what) / plan.plannedPeople);
}

function sumOf(look: Look, what: 'exposed' | 'counted'): number {
  return look.arms.reduce((sum, arm) => sum + arm[what], 0);
}

function weightOf({ arms }: JudgedPlan): number {
  return arms.reduce((sum, { weight }) => sum + weight, 0);
}

/** With `exposed` the hits are opt-outs: the guard asks of everybody, at once. */
function countsOf(look: Look, arm: string, of: 'exposed' | 'counted'): Counts {
  const count = look.arms.find((one) => one.arm === arm);
  if (count === undefined) return { people: 0, hits: 0 };
  return of === 'counted'
    ? { people: count.counted, hits: count.hits }
    : { people: count.exposed, hits: count.optedOut };
}
