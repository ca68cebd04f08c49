import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { Page } from '../../../src/http/api-types.ts';
import { useBusiness } from './business-context.tsx';
import type { BusinessClient } from './business-client.ts';
import { useBusinessQuery } from './business-hooks.ts';

export type WebhookEndpointView = {
  id: string;
  url: string;
  /** Empty: all. */
  eventTypes: string[];
  enabled: boolean;
  disabledReason: string | null;
  createdAt: string;
};
export type SecretView = { secret: string; previousUntil?: string };
export type DeliveryView = {
  id: string;
  eventId: string;
  eventType: string | null;
  eventAt: string | null;
  status: 'pending' | 'delivered' | 'failed' | 'held';
  attempts: number;
  nextAttemptAt: string | null;
  lastStatus: number | null;
  lastError: string | null;
  deliveredAt: string | null;
};
export type TryoutView = {
  delivered: boolean;
  status: number | null;
  error: string | null;
  ms: number;
};
export type EventTypeView = { type: string; when: string };
export type EndpointWish = { url: string; eventTypes: string[] };

/** How a try ended is told to nobody; whoever watches the list wants to see it soon. */
const LOOK_MS = 4_000;
const ALL = '/v1/webhook-endpoints';

export function useWebhookEndpoints() {
  return useQuery(useBusinessQuery<Page<WebhookEndpointView>>(ALL, {}));
}

/** These change with a release only. */
export function useEventTypes() {
  const options = useBusinessQuery<Page<EventTypeView>>('/v1/events/types', {});
  return useQuery({ ...options, refetchInterval: false, staleTime: Infinity });
}

export function useDeliveries(id: string, status: string, after: string | undefined) {
  const query = { limit: 10, status: status === '' ? undefined : status, after };
  const options = useBusinessQuery<Page<DeliveryView>>(`${ALL}/${id}/deliveries`, query);
  return useQuery({ ...options, refetchInterval: LOOK_MS });
}

export function useAddWebhook() {
  return useWebhookAction((client, wish: EndpointWish) =>
    client.post<WebhookEndpointView & SecretView>(ALL, wish),
  );
}

export function useChangeWebhook(id: string) {
  return useWebhookAction((client, wish: EndpointWish) =>
    client.patch<WebhookEndpointView>(`${ALL}/${id}`, wish),
  );
}

export function useSwitchWebhook(id: string) {
  return useWebhookAction((client, to: 'enable' | 'disable') =>
    client.post<WebhookEndpointView>(`${ALL}/${id}/${to}`, {}),
  );
}

export function useRotateSecret(id: string) {
  return useWebhookAction((client, _wish: null) =>
    client.post<SecretView>(`${ALL}/${id}/rotate-secret`, {}),
  );
}

export function useRemoveWebhook(id: string) {
  return useWebhookAction((client, _wish: null) => client.delete<null>(`${ALL}/${id}`));
}

/** One signed event, sent now and kept nowhere. */
export function useTryWebhook(id: string) {
  return useWebhookAction((client, _wish: null) =>
    client.post<TryoutView>(`${ALL}/${id}/test`, {}),
  );
}

export function useRecover(id: string) {
  return useWebhookAction((client, since: string) =>
    client.post<{ queued: number }>(`${ALL}/${id}/recover`, { since }),
  );
}

export function useRedeliver(webhookEndpointId: string) {
  return useWebhookAction((client, eventId: string) =>
    client.post<{ queued: number }>(`/v1/events/${eventId}/redeliver`, { webhookEndpointId }),
  );
}

function useWebhookAction<Wish, Answer>(
  act: (client: BusinessClient, wish: Wish) => Promise<Answer>,
) {
  const { client } = useBusiness();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (wish: Wish) => act(client, wish),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['business'] }),
  });
}
