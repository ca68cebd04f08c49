import type { ResultView, WithResult } from '../api/experiment-hooks.ts';

/** How the figures of a running experiment are said; the verdict itself is in the API's words. */
type ArmResult = ResultView['arms'][number];

export const VERDICT_WORDS: Readonly<Record<ArmResult['verdict'], string>> = {
  control: 'Control',
  too_early: 'Too early',
  no_difference: 'No difference',
  better: 'Better',
  worse: 'Worse',
};

export function percent(share: number | null): string {
  return share === null ? '–' : `${(share * 100).toFixed(1)} %`;
}

/** Points against the control, as from the lowest to the highest that may be true. */
export function intervalWords({ low, high }: Pick<ArmResult, 'low' | 'high'>): string {
  if (low === null || high === null) return '–';
  return `${signed(low)} to ${signed(high)} points`;
}

/** How far it is, and when was counted last. */
export function progressWords({ plannedPeople, result }: WithResult): string {
  const counted = result.arms.reduce((sum, arm) => sum + arm.counted, 0);
  const exposed = result.arms.reduce((sum, arm) => sum + arm.exposed, 0);
  return `${exposed} people are in it, ${counted} of ${plannedPeople} are counted.`;
}

function signed(share: number): string {
  const points = Math.round(share * 1_000) / 10;
  return points < 0 ? `−${Math.abs(points)}` : `+${points}`;
}
