import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { Page } from '../../../src/http/api-types.ts';
import { useBusiness } from './business-context.tsx';
import { useBusinessQuery } from './business-hooks.ts';

export type FindingView = {
  rule: string;
  severity: 'error' | 'warning' | 'hint';
  where: string;
  message: string;
  fix: string;
  source: string;
};

export type TemplateView = {
  id: string;
  name: string;
  language: string;
  category: 'UTILITY' | 'MARKETING';
  header: string | null;
  body: string;
  footer: string | null;
  samples: string[];
  buttons: Array<{ kind: 'quick_reply' | 'call'; text: string }>;
  nativePermissionRequest: boolean;
  version: number;
  metaVersion: number | null;
  status: string;
  sendable: boolean;
  reason: string | null;
  advice: string | null;
  quality: string | null;
  origin: 'built_in' | 'own' | 'meta';
  findings: FindingView[];
};

export type DraftWish = {
  name: string;
  language: string;
  category: 'UTILITY' | 'MARKETING';
  body: string;
  samples: string[];
  nativePermissionRequest: boolean;
};

export function useTemplates() {
  return useQuery(useBusinessQuery<Page<TemplateView>>('/v1/templates', { limit: 100 }));
}

/** What the linter says of a text while it is being written; `draft` is a `DraftWish` as JSON. */
export function useLint(draft: string) {
  const { client } = useBusiness();
  return useQuery({
    queryKey: ['lint', client.apiKey, draft],
    queryFn: () =>
      client.post<{ findings: FindingView[] }>('/v1/templates/lint', JSON.parse(draft)),
    placeholderData: keepPreviousData,
  });
}

export function useAddTemplate() {
  return useTemplateAction((wish: DraftWish) => ['/v1/templates', wish]);
}

export function useSubmitTemplate() {
  return useTemplateAction((id: string) => [`/v1/templates/${id}/submit`, {}]);
}

export function useSyncTemplates() {
  return useTemplateAction((lineId: string) => ['/v1/templates/sync', { lineId }]);
}

function useTemplateAction<Wish>(request: (wish: Wish) => [path: string, body: unknown]) {
  const { client } = useBusiness();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (wish: Wish) => client.post<unknown>(...request(wish)),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['business'] }),
  });
}
