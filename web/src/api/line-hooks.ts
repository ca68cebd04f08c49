import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { Checklist } from '../../../src/golive/golive.ts';
import type { LineView } from '../../../src/http/api-types.ts';
import type { CallHours } from '../../../src/whatsapp/whatsapp.ts';
import type { BusinessClient } from './business-client.ts';
import { useBusiness } from './business-context.tsx';
import { useBusinessQuery } from './business-hooks.ts';

export type CallingView = {
  enabled: boolean;
  callback: boolean;
  hours: CallHours | null;
  sipEnabled: boolean;
  keyExchange: LineView['keyExchange'];
  restrictions: Array<{ type: string; reason: string | null; until: string | null }>;
};
export type CallingWish = Partial<Pick<CallingView, 'enabled' | 'callback' | 'hours'>>;
/** As `POST /v1/lines` takes it. */
export type LineWish = Record<string, string | null | undefined>;
export type LineChange = {
  name: string;
  defaultEndpointId: string | null;
  optOutKey: string | null;
};
export type SubmittedTemplate = {
  name: string;
  language: string;
  status: string;
  submitted: boolean;
  error: { code: string; message: string; fix: string } | null;
};

/** Meta is asked for each of these, so they are asked again only when somebody wants it. */
function useMetaQuery<T>(path: string) {
  const { queryKey, queryFn } = useBusinessQuery<T>(path, {});
  return useQuery({
    queryKey,
    queryFn,
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  });
}

export function useGoLive(lineId: string) {
  return useMetaQuery<Checklist>(`/v1/lines/${lineId}/go-live`);
}

export function useCalling(lineId: string) {
  return useMetaQuery<CallingView>(`/v1/lines/${lineId}/calling`);
}

export function useSetCalling(lineId: string) {
  return useLineAction((client, wish: CallingWish) =>
    client.post<CallingView>(`/v1/lines/${lineId}/calling`, wish),
  );
}

export function useSaveLine() {
  return useLineAction((client, wish: LineWish) => client.post<LineView>('/v1/lines', wish));
}

export function useChangeLine(lineId: string) {
  return useLineAction((client, change: LineChange) =>
    client.patch<LineView>(`/v1/lines/${lineId}`, change),
  );
}

/** The built-in templates that Meta does not have yet. */
export function useSubmitBuiltIn(lineId: string) {
  return useLineAction((client, languages: string[]) =>
    client.post<{ items: SubmittedTemplate[] }>(`/v1/lines/${lineId}/templates`, { languages }),
  );
}

/** Asks Meta first; the line follows. */
export function useSetKeyExchange() {
  return useLineAction(
    (client, { lineId, keyExchange }: { lineId: string } & Pick<LineView, 'keyExchange'>) =>
      client.post<LineView>(`/v1/lines/${lineId}/key-exchange`, { keyExchange }),
  );
}

function useLineAction<Wish, Answer>(act: (client: BusinessClient, wish: Wish) => Promise<Answer>) {
  const { client } = useBusiness();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (wish: Wish) => act(client, wish),
    // Not awaited: the list of checks may take Meta eight seconds.
    onSettled: () => void queryClient.invalidateQueries({ queryKey: ['business'] }),
  });
}
