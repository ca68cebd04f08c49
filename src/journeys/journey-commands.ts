import type { Attribution } from '../attribution/attribution.ts';
import type { ContactUnit } from '../ledger/contact-unit.ts';
import type { StoredLine } from '../lines/line-store.ts';
import type { Refused } from '../platform/refusal.ts';
import type { JourneyId, Run } from './run.ts';

export type StartRun = {
  journeyId: JourneyId;
  line: StoredLine;
  /** What the journey declares; unknown names are refused. */
  variables: Readonly<Record<string, string>>;
  /** A campaign's or an experiment's; the run adds its own ids. */
  attribution: Attribution | null;
  /** When its first step begins; null for now. */
  startAt: number | null;
  actor: string;
};

/**
 * Puts a contact on a journey: one row and one ledger entry; the worker takes the first step. One
 * live run per journey and contact. Nothing is asked or said here, so it costs little.
 */
export function startRun(_unit: ContactUnit, _wish: StartRun): Promise<Run | Refused> {
  throw new TypeError('journeys are being built');
}

/** Ends every live run of the unit's contact, in the unit; tells how many. */
export function cancelRuns(_unit: ContactUnit, _reason: string): Promise<number> {
  return Promise.resolve(0);
}
