import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { Page, PermissionRequestView } from '../../../src/http/api-types.ts';
import { useBusiness } from './business-context.tsx';
import { useBusinessQuery, useSending } from './business-hooks.ts';

export type PlanWish = {
  to: string;
  name: string;
  purpose: string;
  lineId?: string;
  sendAt: string;
};

/** Questions that wait for their time. */
export function usePlannedRequests() {
  const filter = { status: 'planned', limit: 50 };
  return useQuery(useBusinessQuery<Page<PermissionRequestView>>('/v1/planned-requests', filter));
}

export function usePlanRequest() {
  return useSending<PlanWish, PermissionRequestView>('/v1/permission-requests');
}

export function useCancelPlanned() {
  const { client } = useBusiness();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      client.post<PermissionRequestView>(`/v1/planned-requests/${id}/cancel`, {}),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['business'] }),
  });
}
