import { callDeniedChecks, type CallDeniedFacts } from './call-denied.ts';
import { requestNotReceivedChecks, type RequestNotReceivedFacts } from './request-not-received.ts';
import { lowGrantRateChecks, type GrantRateFacts } from './low-grant-rate.ts';
import { highOptOutRateChecks, type OptOutRateFacts } from './high-opt-out-rate.ts';

/**
 * The page's four problems ("Troubleshooting"), each with the checks that the page lists and those
 * that it could not know of. Pure: facts in, every check's result, the cause and its fix out. What
 * could not be found out is `unknown`, never `ok`.
 */
export const PROBLEMS = [
  'call_denied',
  'request_not_received',
  'low_grant_rate',
  'high_opt_out_rate',
] as const;
export type Problem = (typeof PROBLEMS)[number];

export type Check = {
  id: string;
  /** What is looked at; where the page lists it, in the page's sense. */
  title: string;
  /** `fault` explains the problem; `hint` may add to it. */
  result: 'ok' | 'fault' | 'hint' | 'unknown';
  detail: string;
  /** What to do; null where nothing is to be done. */
  fix: string | null;
  /** Ids, codes, counts and times; nothing that names a person. */
  evidence: Record<string, unknown>;
};

export type Diagnosis = {
  problem: Problem;
  /** The first fault, else the first hint, in the order of the checks; null when none was found. */
  cause: Check | null;
  checks: Check[];
};

export type DiagnosisFacts =
  | ({ problem: 'call_denied' } & CallDeniedFacts)
  | ({ problem: 'request_not_received' } & RequestNotReceivedFacts)
  | ({ problem: 'low_grant_rate' } & GrantRateFacts)
  | ({ problem: 'high_opt_out_rate' } & OptOutRateFacts);

export function diagnose(facts: DiagnosisFacts): Diagnosis {
  const checks = checksOf(facts);
  const first = (result: Check['result']): Check | undefined =>
    checks.find((check) => check.result === result);
  return { problem: facts.problem, cause: first('fault') ?? first('hint') ?? null, checks };
}

function checksOf(facts: DiagnosisFacts): Check[] {
  switch (facts.problem) {
    case 'call_denied':
      return callDeniedChecks(facts);
    case 'request_not_received':
      return requestNotReceivedChecks(facts);
    case 'low_grant_rate':
      return lowGrantRateChecks(facts);
    case 'high_opt_out_rate':
      return highOptOutRateChecks(facts);
  }
}
