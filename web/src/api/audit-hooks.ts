import { useQuery } from '@tanstack/react-query';
import { useBusinessQuery, usePersonQuery } from './business-hooks.ts';

export type CheckpointView = { size: number; root: string; at: string; note: string };

/** The newest signed checkpoint; an account has none in its first minute. */
export function useLatestCheckpoint() {
  const options = useBusinessQuery<CheckpointView>('/v1/ledger/checkpoints/latest', {});
  return useQuery({ ...options, retry: false });
}

export function useVerifierKey() {
  const path = '/v1/ledger/checkpoints/key';
  return useQuery(useBusinessQuery<{ origin: string; verifierKey: string }>(path, {}));
}

export const PROBLEMS = [
  ['call_denied', 'A call is denied'],
  ['request_not_received', 'A request is not received'],
  ['low_grant_rate', 'Few people say yes'],
  ['high_opt_out_rate', 'Many people say stop'],
] as const;
export type ProblemName = (typeof PROBLEMS)[number][0];

export type CheckView = {
  id: string;
  title: string;
  result: 'ok' | 'fault' | 'hint' | 'unknown';
  detail: string;
  fix: string | null;
};
export type DiagnosisView = { problem: ProblemName; cause: CheckView | null; checks: CheckView[] };

/** Asked anew for each question, never by itself: it looks at Meta too. */
export function useDiagnosis(question: { problem: ProblemName; to: string } | null) {
  const to = question?.to === '' ? undefined : question?.to;
  const options = usePersonQuery<DiagnosisView>('/v1/diagnose', {
    problem: question?.problem,
    to,
  });
  return useQuery({ ...options, enabled: question !== null, refetchInterval: false, retry: false });
}
