/**
 * How far two arms must differ at each look so that looking often does not lead to more false
 * alarms than looking once. Lan and DeMets (Biometrika 70, 1983) spend the allowed error alpha
 * little by little, as information comes in; when and how often one looks need not be planned.
 * The bounds follow by the numerical integration of Armitage, McPherson and Rowe (J. R. Statist.
 * Soc. A 132, 1969), told in Jennison and Turnbull, Group Sequential Methods, chapter 19.
 */
import { density, upperQuantile, upperTail } from './normal.ts';

/** How much of one side's alpha may be spent when a fraction of the planned information is in. */
export type Spending = (alpha: number, fraction: number) => number;

/** Very careful at first, almost the ordinary test at the end: O'Brien and Fleming's kind. */
export const lateSpending: Spending = (alpha, fraction) =>
  2 * upperTail(upperQuantile(alpha / 2) / Math.sqrt(Math.min(1, fraction)));

/** Nearly the same at each look, for what must be noticed early: Pocock's kind. */
export const evenSpending: Spending = (alpha, fraction) =>
  alpha * Math.log(1 + (Math.E - 1) * Math.min(1, fraction));

export type BoundsWish = {
  alpha: number;
  spending: Spending;
  /** 2: a difference in either direction; 1: upwards only. */
  sides: 1 | 2;
};

/** Points of the density between the bounds; an odd number, for Simpson's rule. */
const POINTS = 301;
/** Beyond so many standard deviations there is nothing worth counting. */
const FAR = 8;

/**
 * The bound of z at each look; `fractions` are the shares of the planned information at the
 * looks, rising, none above 1. Infinity where nothing may be spent yet.
 */
export function boundsOf(fractions: readonly number[], wish: BoundsWish): number[] {
  const bounds: number[] = [];
  let known: Held | null = null;
  let spent = 0;
  let before = 0;
  for (const fraction of fractions) {
    // Each side has a half of alpha of its own to spend, as in the published tables.
    const may = wish.spending(wish.alpha / wish.sides, fraction);
    const spread = Math.sqrt(Math.max(fraction - before, 1e-9));
    const share = Math.max(0, may - spent);
    const edge = edgeOf(known, spread, share, fraction);
    bounds.push(edge / Math.sqrt(fraction));
    known = hold(known, spread, heldBetween(edge, fraction, wish.sides));
    spent = may;
    before = fraction;
  }
  return bounds;
}

/** What is still undecided after a look: the density of the sum so far, on equal steps. */
type Held = { from: number; step: number; weights: Float64Array };

function heldBetween(edge: number, fraction: number, sides: 1 | 2): [number, number] {
  const far = FAR * Math.sqrt(fraction);
  const high = Math.min(edge, far);
  return [sides === 2 ? -high : -far, high];
}

/** Where the sum must lie so that just `share` of all paths leave upwards at this look. */
function edgeOf(known: Held | null, spread: number, share: number, fraction: number): number {
  if (share < 1e-14) return Infinity;
  let low = 0;
  let high = (FAR + 2) * Math.sqrt(fraction);
  for (let step = 0; step < 50; step += 1) {
    const middle = (low + high) / 2;
    if (leaving(known, spread, middle) > share) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function leaving(known: Held | null, spread: number, edge: number): number {
  if (known === null) return upperTail(edge / spread);
  let sum = 0;
  for (const [index, weight] of known.weights.entries()) {
    sum += weight * upperTail((edge - known.from - index * known.step) / spread);
  }
  return sum;
}

/** The density after the next look, already multiplied with Simpson's weights. */
function hold(known: Held | null, spread: number, [from, to]: [number, number]): Held {
  const step = (to - from) / (POINTS - 1);
  const weights = new Float64Array(POINTS);
  for (let index = 0; index < POINTS; index += 1) {
    const at = from + index * step;
    const simpson = index === 0 || index === POINTS - 1 ? 1 : index % 2 === 1 ? 4 : 2;
    weights[index] = ((step * simpson) / 3) * densityAt(known, spread, at);
  }
  return { from, step, weights };
}

function densityAt(known: Held | null, spread: number, at: number): number {
  if (known === null) return density(at / spread) / spread;
  let sum = 0;
  for (const [index, weight] of known.weights.entries()) {
    const away = (at - known.from - index * known.step) / spread;
    if (away > -FAR && away < FAR) sum += weight * density(away);
  }
  return sum / spread;
}
