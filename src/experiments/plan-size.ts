import { upperQuantile } from './normal.ts';

/** What an experiment is planned for; shares are fractions from 0 to 1. */
export type SizeWish = {
  /** The share that the control is expected to reach. */
  baseline: number;
  /** The smallest difference worth finding, as an absolute fraction: 0.05 is five points. */
  smallestEffect: number;
  /** How surely a difference of that size is to be found. */
  power: number;
  /** Arms together, the control among them. */
  arms: number;
};

export const ALPHA = 0.05;

/**
 * Looking daily costs this much more people than looking once, for the same power: Jennison and
 * Turnbull (2000), table 2.4, give 1.03 to 1.04 for O'Brien and Fleming's bounds and ten to
 * twenty looks.
 */
const LOOKING_COSTS = 1.04;

/**
 * How many people each arm needs (Fleiss, Levin and Paik, Statistical Methods for Rates and
 * Proportions, section 4.2, with the correction for continuity, of which the test makes a half).
 * Planned for the direction that needs more.
 */
export function peoplePerArm({ baseline, smallestEffect, power, arms }: SizeWish): number {
  const alpha = ALPHA / Math.max(1, arms - 1);
  const others = [baseline + smallestEffect, baseline - smallestEffect];
  const possible = others.filter((share) => share > 0 && share < 1);
  const sizes = possible.map((other) => plainSize(baseline, other, { alpha, power }));
  const plain = Math.max(...sizes);
  const corrected = (plain / 4) * (1 + Math.sqrt(1 + 4 / (plain * smallestEffect))) ** 2;
  return Math.ceil(corrected * LOOKING_COSTS);
}

/** For one look and without correction, as R's `power.prop.test` has it. */
export function plainSize(
  one: number,
  other: number,
  { alpha, power }: { alpha: number; power: number },
): number {
  const middle = (one + other) / 2;
  const underNone = upperQuantile(alpha / 2) * Math.sqrt(2 * middle * (1 - middle));
  const underSome = upperQuantile(1 - power) * Math.sqrt(one * (1 - one) + other * (1 - other));
  return ((underNone + underSome) / (one - other)) ** 2;
}
