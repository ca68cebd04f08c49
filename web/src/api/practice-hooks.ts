import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { Practices } from '../../../src/practices/practices.ts';
import { useBusiness } from './business-context.tsx';
import { useBusinessQuery } from './business-hooks.ts';

/** What the account holds its own people to. */
export function usePractices() {
  return useQuery(useBusinessQuery<Practices>('/v1/practices', {}));
}

export function useSetPractices() {
  const { client } = useBusiness();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (wanted: Practices) => client.put<Practices>('/v1/practices', wanted),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['business'] }),
  });
}
