import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { BrakesView, LineBrakeView } from '../../../src/brakes/brake-schemas.ts';
import type { Page } from '../../../src/http/api-types.ts';
import type { KpiItemView, KpiView, RebuildView } from '../../../src/kpis/kpi-schemas.ts';
import { useBusiness } from './business-context.tsx';
import { useBusinessQuery, useSending } from './business-hooks.ts';

/** What the page asks of the figures, as the query of `GET /v1/kpis`. */
export type KpiAsk = Record<string, string | undefined>;

export function useKpis(ask: KpiAsk) {
  return useQuery({
    ...useBusinessQuery<KpiView>('/v1/kpis', ask),
    placeholderData: keepPreviousData,
  });
}

export type Part = 'numerator' | 'denominator';

/** The requests or calls behind a number. */
export function useKpiItems(metric: string, ask: KpiAsk & { part: Part }, after: string | null) {
  const query = { ...ask, limit: 20, after: after ?? undefined };
  return useQuery({
    ...useBusinessQuery<Page<KpiItemView>>(`/v1/kpis/${metric}/items`, query),
    placeholderData: keepPreviousData,
  });
}

/** How counting anew goes; looked at closely while it runs. */
export function useRebuild() {
  const options = useBusinessQuery<RebuildView>('/v1/kpis/rebuild', {});
  return useQuery({
    ...options,
    refetchInterval: (query) =>
      query.state.data?.state === 'running' ? 1_000 : options.refetchInterval,
  });
}

export function useAskRebuild() {
  return useSending<object, RebuildView>('/v1/kpis/rebuild');
}

export function useBrakes() {
  return useQuery(useBusinessQuery<BrakesView>('/v1/brakes', {}));
}

export function useSetBrakes() {
  const { client } = useBusiness();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (settings: BrakesView['settings']) =>
      client.put<BrakesView>('/v1/brakes/settings', settings),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['business'] }),
  });
}

export function useResume(lineId: string) {
  return useSending<{ reason: string }, LineBrakeView>(`/v1/lines/${lineId}/brake/resume`);
}
