import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { Page } from '../../../src/http/api-types.ts';
import { useBusiness } from './business-context.tsx';
import { useBusinessQuery } from './business-hooks.ts';

export type SurveyRule = { enabled: boolean; minSeconds: number };
export type SurveySettings = SurveyRule & { lines: Array<SurveyRule & { lineId: string }> };
export type SurveyView = {
  id: string;
  callId: string;
  way: 'message' | 'key_press';
  status: 'requested' | 'sent' | 'failed' | 'answered';
  askedAt: string;
  answeredAt: string | null;
  score: number | null;
};

export function useSurveySettings() {
  return useQuery(useBusinessQuery<SurveySettings>('/v1/surveys/settings', {}));
}

export function useSurveys() {
  return useQuery(useBusinessQuery<Page<SurveyView>>('/v1/surveys', { limit: 10 }));
}

/** Sets it for all lines, or for one; a line that is given null follows the others again. */
export function useSetSurveys() {
  const { client } = useBusiness();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (wish: { lineId?: string; enabled: boolean | null; minSeconds?: number }) => {
      const { lineId, ...rule } = wish;
      const path = lineId === undefined ? '/v1/surveys/settings' : `/v1/lines/${lineId}/surveys`;
      return client.put<SurveySettings>(path, rule);
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['business'] }),
  });
}
