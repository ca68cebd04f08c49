import type { FailureSide, Verdict } from '../platform/failure.ts';

/**
 * Meta's error codes as data: what each means for us, and what a person can do about it.
 * docs/reference/errors.md is generated from this table. `error.code` decides, never the HTTP
 * status: 138000 (calling not enabled) and 138006 (no call permission) come as 401 although the
 * token is fine, and only 190 means that the token is not.
 */
export type MetaErrorRow = {
  /** Meta's `error.code`s that mean this; empty for what happens below them. */
  metaCodes: readonly number[];
  /** Our stable code. */
  code: string;
  verdict: Verdict;
  side: FailureSide;
  message: string;
  fix: string;
};

type Spec = readonly [verdict: Verdict, side: FailureSide];
export const REFUSED: Spec = ['terminal', 'client'];
export const NOT_REACHED: Spec = ['terminal', 'upstream'];
export const LATER: Spec = ['retryable', 'upstream'];

/** One row of the catalogue. */
export function row(
  metaCodes: MetaErrorRow['metaCodes'],
  code: string,
  [verdict, side]: Spec,
  message: string,
  fix: string,
): MetaErrorRow {
  return { metaCodes, code, verdict, side, message, fix };
}
