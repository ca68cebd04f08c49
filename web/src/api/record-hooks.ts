import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { PriceTable } from '../../../src/costs/price-table.ts';
import type { Page } from '../../../src/http/api-types.ts';
import { useBusiness } from './business-context.tsx';
import { useBusinessQuery, useSending } from './business-hooks.ts';

export type { PriceTable };
export type ExportJob = {
  id: string;
  format: 'csv' | 'jsonl';
  from: string | null;
  to: string;
  state: 'queued' | 'running' | 'done' | 'failed' | 'canceled' | 'expired';
  records: number;
  total: number | null;
  bytes: number;
  url: string | null;
  error: { code: string; message: string; fix: string } | null;
  createdAt: string;
  expiresAt: string | null;
};
export type ExportWish = { format: 'csv' | 'jsonl'; from?: string; to?: string };

export function usePrices() {
  return useQuery(useBusinessQuery<{ prices: PriceTable | null }>('/v1/costs/prices', {}));
}

type EstimateView = {
  amount: string | null;
  unitPrice: string | null;
  reason: string | null;
};
export type CostView = {
  country: string | null;
  pulsesPerCall: number;
  perCall: EstimateView;
  calls: EstimateView;
  requests: EstimateView;
  total: string | null;
  currency: string | null;
};

/** What calls and requests would cost; null asks nothing yet. */
export function useCostEstimate(query: Record<string, string> | null) {
  const options = useBusinessQuery<CostView>('/v1/costs/estimate', query ?? {});
  return useQuery({ ...options, enabled: query !== null });
}

export function useExports() {
  const options = useBusinessQuery<Page<ExportJob>>('/v1/cdr-exports', { limit: 10 });
  return useQuery({
    ...options,
    // A running export is watched closely: its records move.
    refetchInterval: (query) =>
      query.state.data?.items.some(isRunning) === true ? 700 : options.refetchInterval,
  });
}

export function isRunning({ state }: ExportJob): boolean {
  return state === 'queued' || state === 'running';
}

export function useOrderExport() {
  return useSending<ExportWish, ExportJob>('/v1/cdr-exports');
}

export function useCancelExport() {
  const { client } = useBusiness();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => client.delete<ExportJob>(`/v1/cdr-exports/${id}`),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['business'] }),
  });
}
