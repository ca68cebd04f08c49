/** The two distributions that the tests of experiments need, to about seven digits. */

/** P(Z > z) of a standard normal Z; its relative error is below 1.2e-7 far into the tail. */
export function upperTail(z: number): number {
  const x = z / Math.SQRT2;
  const tail = erfcOfPositive(Math.abs(x));
  return (x >= 0 ? tail : 2 - tail) / 2;
}

/** The z with P(Z > z) = `probability`, which lies between 0 and 1. */
export function upperQuantile(probability: number): number {
  let low = -40;
  let high = 40;
  for (let step = 0; step < 80; step += 1) {
    const middle = (low + high) / 2;
    if (upperTail(middle) > probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

export function density(z: number): number {
  return Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
}

/** P(X > x) of a chi-square X; by the recursion from 1 or 2 degrees of freedom upwards. */
export function chiSquareTail(x: number, degrees: number): number {
  const half = x / 2;
  const isOdd = degrees % 2 === 1;
  let tail = isOdd ? 2 * upperTail(Math.sqrt(x)) : Math.exp(-half);
  // Q(k + 2) = Q(k) + (x/2)^(k/2) e^(-x/2) / gamma(k/2 + 1): Abramowitz and Stegun 26.4.8.
  let term = isOdd ? (2 * Math.sqrt(half) * Math.exp(-half)) / Math.sqrt(Math.PI) : half * tail;
  for (let k = isOdd ? 1 : 2; k < degrees; k += 2) {
    tail += term;
    term *= half / (k / 2 + 1);
  }
  return tail;
}

/** Coefficients of the Chebyshev fit in Numerical Recipes, section 6.2, highest power first. */
const FIT = [
  0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196,
  1.00002368, -1.26551223,
];

function erfcOfPositive(x: number): number {
  const t = 1 / (1 + x / 2);
  return t * Math.exp(-x * x + FIT.reduce((sum, coefficient) => sum * t + coefficient, 0));
}
