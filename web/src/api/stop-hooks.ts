import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useBusiness } from './business-context.tsx';

/** What an agent's button does: the customer said stop in this call, so it ends for good. */
export function useStop(callId: string) {
  const { client } = useBusiness();
  const queryClient = useQueryClient();
  const body = { reason: 'said so in the call' };
  return useMutation({
    mutationFn: () => client.post<object>(`/v1/calls/${callId}/opt-out`, body),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['business'] }),
  });
}
