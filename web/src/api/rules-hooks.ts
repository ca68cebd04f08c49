import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { LineView } from '../../../src/http/api-types.ts';
import type { OwnLimits } from '../../../src/policy/own-limits.ts';
import type { ReportView } from '../../../src/rulebook/rulebook-views.ts';
import { useBusiness } from './business-context.tsx';
import { useBusinessQuery } from './business-hooks.ts';

export type PackView = {
  name: string;
  kind: 'pack' | 'law';
  title: string;
  date: string;
  source: { title: string; url: string };
  values: Record<string, unknown>;
  rules: Record<string, { section: string; sentence: string; seen: string }>;
  remarks: string[];
  usedByLines: string[];
};
export type LimitsView = Record<keyof OwnLimits, unknown> & {
  idle: Array<{ field: string; because: string }>;
};
export type AccountPolicyView = LimitsView & { lawOverlays: string | string[] };

export function usePacks() {
  return useQuery(useBusinessQuery<{ items: PackView[] }>('/v1/policy/packs', {}));
}

export type PackDiff = {
  differences: Array<{
    path: string;
    change: 'added' | 'removed' | 'changed';
    from?: unknown;
    to?: unknown;
  }>;
};

/** What differs between two packs, value by value. */
export function usePackDiff(from: string, to: string) {
  return useQuery({
    ...useBusinessQuery<PackDiff>('/v1/policy/diff', { from, to }),
    enabled: from !== to,
  });
}

export function useAccountPolicy() {
  return useQuery(useBusinessQuery<AccountPolicyView>('/v1/policy', {}));
}

export function useLinePolicy(lineId: string) {
  return useQuery(useBusinessQuery<LimitsView>(`/v1/lines/${lineId}/policy`, {}));
}

/** Of the account (`/v1/policy`) or of a line. */
export function useSaveLimits(path: string) {
  const { client } = useBusiness();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (limits: OwnLimits) => client.patch<LimitsView>(path, limits),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['business'] }),
  });
}

/** Reads every contact and queued call of the line; changes nothing. */
export function useSwitchReport() {
  const { client } = useBusiness();
  return useMutation({
    mutationFn: (wish: { lineId: string; policyPack: string }) =>
      client.post<ReportView>('/v1/policy/switch-report', wish),
  });
}

/** Puts a line under another pack; the report proves that somebody looked. */
export function useSwitchPack() {
  const { client } = useBusiness();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: ({ lineId, ...body }: { lineId: string; policyPack: string; reportId: string }) =>
      client.post<LineView>(`/v1/lines/${lineId}/policy-pack`, body),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['business'] }),
  });
}

export function useLawChoice() {
  const { client } = useBusiness();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (lawOverlays: 'automatic' | 'off') =>
      client.patch<AccountPolicyView>('/v1/policy', { lawOverlays }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['business'] }),
  });
}
