import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useBusiness } from './business-context.tsx';
import { useBusinessQuery } from './business-hooks.ts';

export type OutcomeView = {
  callId: string;
  version: number;
  outcome: string | null;
  note: string | null;
  setBy: string | null;
  setAt: string | null;
};
export type OutcomeCode = { code: string; label: string };
export type OutcomeWish = { outcome: string | null; note: string | null; version: number };

export function useOutcome(callId: string) {
  return useQuery(useBusinessQuery<OutcomeView>(`/v1/calls/${callId}/outcome`, {}));
}

export function useOutcomeCodes() {
  return useQuery(useBusinessQuery<{ items: OutcomeCode[] }>('/v1/call-outcomes', {}));
}

/** Writes what came of a call, unless somebody has written since the version that was seen. */
export function useSetOutcome(callId: string) {
  const { client } = useBusiness();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (wish: OutcomeWish) => client.put<OutcomeView>(`/v1/calls/${callId}/outcome`, wish),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['business'] }),
  });
}
