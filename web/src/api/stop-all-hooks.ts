import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useBusiness } from './business-context.tsx';
import { useBusinessQuery } from './business-hooks.ts';

/** Whether the account is stopped, as `GET /v1/stop-all` says. */
export type StopView = { stopped: boolean; stoppedAt: string | null; reason: string | null };

const PATH = '/v1/stop-all';

export function useStopAll() {
  return useQuery(useBusinessQuery<StopView>(PATH, {}));
}

/** Stops everything of the account, or lets it go on. */
export function useSetStopAll() {
  const { client } = useBusiness();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (stop: boolean) =>
      stop
        ? client.post<StopView>(PATH, { reason: 'Stopped on the page.' })
        : client.delete<StopView>(PATH),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['business'] }),
  });
}
