import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ImportView, StandingView } from '../../../src/do-not-call/do-not-call.ts';
import type { Page } from '../../../src/http/api-types.ts';
import { useBusiness } from './business-context.tsx';
import { useBusinessQuery, usePersonQuery, useSending } from './business-hooks.ts';

export type ListView = {
  name: string;
  entries: number;
  source: string | null;
  datedOn: string | null;
  importedAt: string | null;
};

/** Whether a person is on a list, and why; asked only for a number that was entered. */
export function useStanding(to: string) {
  return useQuery({
    ...usePersonQuery<StandingView>('/v1/do-not-call/check', { to }),
    enabled: to !== '',
    retry: false,
  });
}

export function useLists() {
  return useQuery(useBusinessQuery<Page<ListView>>('/v1/do-not-call/lists', {}));
}

export type ListWish = { to: string; reason: string; list: string };

export function useListing() {
  return useSending<ListWish, StandingView>('/v1/do-not-call');
}

export function useUnlisting() {
  return useSending<ListWish, StandingView>('/v1/do-not-call/remove');
}

export type ImportWish = { file: File; list: string; dryRun: boolean; country: string };

export function useImport() {
  const { client } = useBusiness();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: ({ file, list, dryRun, country }: ImportWish) =>
      client.upload<ImportView>('/v1/do-not-call/imports', file, {
        list,
        dryRun: String(dryRun),
        country: country === '' ? undefined : country,
        source: file.name.slice(0, 200),
      }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['business'] }),
  });
}
