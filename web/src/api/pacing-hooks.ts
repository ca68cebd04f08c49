import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { Page } from '../../../src/http/api-types.ts';
import type { PacedId, Pace, PaceSetter } from '../../../src/schedule/schedule.ts';
import { useBusiness } from './business-context.tsx';
import { useBusinessQuery } from './business-hooks.ts';

export type LimitView = PacedId &
  Pace & {
    setBy: PaceSetter;
    reason: string | null;
    updatedAt: string;
    liveCalls: number | null;
    hasRoom: boolean;
  };

export function usePacingLimits() {
  return useQuery(useBusinessQuery<Page<LimitView>>('/v1/pacing-limits', { limit: 100 }));
}

/** Sets a limit, or takes it away where neither number is given. */
export function useSetPace() {
  const { client } = useBusiness();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: async ({ scope, id, ...pace }: PacedId & Pace): Promise<void> => {
      const path = `/v1/pacing-limits/${scope}/${id}`;
      const isNone = pace.callsPerSecond === null && pace.concurrentCalls === null;
      await (isNone ? client.delete(path) : client.put(path, pace));
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['business'] }),
  });
}
