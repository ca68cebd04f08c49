import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useBusiness } from './business-context.tsx';
import { useBusinessQuery } from './business-hooks.ts';

/** Where calls may go; null is any host, or no cap. */
export type GuardWish = {
  allowedHosts: string[] | null;
  pstnPrefixes: string[];
  keyMaxCalls: number | null;
  keyMinutesPerDay: number | null;
};
export type GuardView = GuardWish & { operatorHosts: string[] | null };

export function useGuard() {
  return useQuery(useBusinessQuery<GuardView>('/v1/voip-guard', {}));
}

export function useSaveGuard() {
  const { client } = useBusiness();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (wish: GuardWish) => client.put<GuardView>('/v1/voip-guard', wish),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['business'] }),
  });
}
