import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { Page } from '../../../src/http/api-types.ts';
import { useBusiness } from './business-context.tsx';
import { useBusinessQuery } from './business-hooks.ts';

export type ScriptView = {
  id: string;
  name: string;
  version: number;
  createdAt: string;
  script: Record<string, unknown>;
};
export type ProblemView = { step: string | null; field: string; rule: string; fix: string };
export type CheckView = {
  ok: boolean;
  problems: ProblemView[];
  dryRun: Array<{ atMs: number; what: string; text: string }>;
};
export type PromptView = { id: string; name: string; durationMs: number; createdAt: string };

export function useScripts() {
  return useQuery(useBusinessQuery<Page<ScriptView>>('/v1/scripts', { limit: 100 }));
}

export function useSamples() {
  const path = '/v1/scripts/samples';
  return useQuery(useBusinessQuery<{ items: Array<Record<string, unknown>> }>(path, {}));
}

/** What is wrong with a script while it is being written, or what a call would be like. */
export function useScriptCheck(wish: { script: string; entries: readonly string[] } | null) {
  const { client } = useBusiness();
  return useQuery({
    queryKey: ['script-check', client.apiKey, wish],
    enabled: wish !== null,
    queryFn: () =>
      client.post<CheckView>('/v1/scripts/check', {
        script: JSON.parse(wish?.script ?? '{}') as unknown,
        entries: wish?.entries ?? [],
      }),
    placeholderData: keepPreviousData,
  });
}

/** A script made of an 8x8 call flow, and what stays to be done by hand; nothing is kept. */
export function useImportScript() {
  const { client } = useBusiness();
  return useMutation({
    mutationFn: (wish: { name: string; document: unknown }) =>
      client.post<{ script: Record<string, unknown>; problems: ProblemView[] }>(
        '/v1/scripts/import',
        wish,
      ),
  });
}

/** Saves a new script, or a new version of one. */
export function useSaveScript() {
  const { client } = useBusiness();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: ({ id, script }: { id: string | null; script: unknown }) =>
      id === null
        ? client.post<ScriptView & { secret: string | null }>('/v1/scripts', script)
        : client.put<ScriptView & { secret: string | null }>(`/v1/scripts/${id}`, script),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['business'] }),
  });
}

export function usePrompts() {
  return useQuery(useBusinessQuery<Page<PromptView>>('/v1/prompts', {}));
}

export function useUploadPrompt() {
  const { client } = useBusiness();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: ({ name, file }: { name: string; file: File }) => {
      const type = /\.(ogg|opus)$/i.test(file.name) ? 'audio/ogg' : 'audio/wav';
      return client.upload<PromptView>('/v1/prompts', file, { name }, type);
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['business'] }),
  });
}

export function useDeletePrompt() {
  const { client } = useBusiness();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => client.delete<null>(`/v1/prompts/${id}`),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['business'] }),
  });
}
