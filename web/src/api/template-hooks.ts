import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { Page } from '../../../src/http/api-types.ts';
import type { BusinessClient } from './business-client.ts';
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
  wabaId: string;
  name: string;
  language: string;
  category: 'UTILITY' | 'MARKETING';
  header: string | null;
  body: string;
  footer: string | null;
  samples: string[];
  buttons: Array<{
    kind: 'quick_reply' | 'call';
    text: string;
    means?: 'yes' | 'no' | 'other' | undefined;
  }>;
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

export type TemplateButtonView = TemplateView['buttons'][number];
/** What may change of a template; its name and language may not. */
export type ContentWish = Pick<
  TemplateView,
  'category' | 'header' | 'body' | 'footer' | 'samples' | 'buttons' | 'nativePermissionRequest'
>;
export type DraftWish = ContentWish & { name: string; language: string };
export type VersionView = ContentWish & { version: number; actor: string; createdAt: string };
export type TemplateUses = { journeys: string[]; campaigns: string[]; experiments: string[] };
export type SyncView = { listed: number; imported: number; changed: number; ignored: number };

/** Ten pages: Meta takes at most 250 names, each in a few languages. */
const PAGES_MAX = 10;

/** Every template of one WhatsApp Business account; without one, of all. */
export function useTemplates(wabaId?: string) {
  const { client } = useBusiness();
  const query = { limit: 100, wabaId };
  const options = useBusinessQuery<Page<TemplateView>>('/v1/templates', query);
  return useQuery({
    ...options,
    queryFn: async () => {
      const items: TemplateView[] = [];
      let after: string | undefined;
      for (let page = 0; page < PAGES_MAX; page += 1) {
        const found = await client.get<Page<TemplateView>>('/v1/templates', { ...query, after });
        items.push(...found.items);
        if (found.next === null) break;
        after = found.next;
      }
      return { items };
    },
  });
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

/** Every content it had, newest first; asked for when somebody looks. */
export function useTemplateVersions(id: string) {
  return useQuery(useBusinessQuery<Page<VersionView>>(`/v1/templates/${id}/versions`, {}));
}

export function useTemplateUses(id: string) {
  return useQuery(useBusinessQuery<TemplateUses>(`/v1/templates/${id}/uses`, {}));
}

/** Writes another one, or the next version of the one with this id. */
export function useSaveTemplate() {
  type Wish = { id: string | null; lineId: string | undefined; draft: DraftWish };
  return useTemplateAction((client, { id, lineId, draft }: Wish): Promise<TemplateView> => {
    if (id === null) return client.post('/v1/templates', { ...draft, lineId });
    const { name: _name, language: _language, ...content } = draft;
    return client.patch(`/v1/templates/${id}`, content);
  });
}

export function useDeleteTemplate() {
  return useTemplateAction((client, id: string) => client.delete<null>(`/v1/templates/${id}`));
}

export function useSubmitTemplate() {
  return useTemplateAction((client, id: string) =>
    client.post<TemplateView>(`/v1/templates/${id}/submit`, {}),
  );
}

export function useSyncTemplates() {
  return useTemplateAction((client, lineId: string) =>
    client.post<SyncView>('/v1/templates/sync', { lineId }),
  );
}

function useTemplateAction<Wish, Answer>(
  act: (client: BusinessClient, wish: Wish) => Promise<Answer>,
) {
  const { client } = useBusiness();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (wish: Wish) => act(client, wish),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['business'] }),
  });
}
