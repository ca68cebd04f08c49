import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type {
  CallView,
  ContactView,
  EligibilityView,
  EndpointView,
  EventView,
  LineView,
  Page,
  PermissionRequestView,
  TimelineEntry,
} from '../../../src/http/api-types.ts';
import type { Checklist } from '../../../src/practices/practices.ts';
import { useBusiness } from './business-context.tsx';
import { useIntentKey } from './intent-key.ts';

/** Every query of the business half starts with 'business': one invalidation refreshes all. */
export function useBusinessQuery<T>(
  path: string,
  query: Record<string, string | number | undefined>,
) {
  const { client, pollMs } = useBusiness();
  return {
    queryKey: ['business', client.apiKey, path, query],
    queryFn: () => client.get<T>(path, query),
    refetchInterval: pollMs,
  };
}

/** As `useBusinessQuery`, for a question that names a person: it goes in the body. */
export function usePersonQuery<T>(path: string, question: Record<string, string | undefined>) {
  const { client, pollMs } = useBusiness();
  return {
    queryKey: ['business', client.apiKey, path, question],
    queryFn: () => client.post<T>(path, question),
    refetchInterval: pollMs,
  };
}

export function useLines() {
  return useQuery(useBusinessQuery<Page<LineView>>('/v1/lines', {}));
}

export function useEndpoints() {
  return useQuery(useBusinessQuery<Page<EndpointView>>('/v1/endpoints', {}));
}

export function useContacts() {
  return useQuery(useBusinessQuery<Page<ContactView>>('/v1/contacts', {}));
}

/** The contact behind a number; null when the business has not met that person yet. */
export function useContact(number: string | null) {
  const options = usePersonQuery<Page<ContactView>>('/v1/contacts/search', {
    number: number ?? undefined,
  });
  return useQuery({
    ...options,
    enabled: number !== null,
    select: (page) => page.items[0] ?? null,
  });
}

export function useContactTimeline(contactId: string) {
  return useQuery(useBusinessQuery<Page<TimelineEntry>>(`/v1/contacts/${contactId}/timeline`, {}));
}

/** What the gate would say to a call right now, with every rule's verdict. */
export function useEligibility(wish: { to: string; purpose: string; lineId: string }) {
  return useQuery({
    ...usePersonQuery<EligibilityView>('/v1/eligibility', wish),
    enabled: wish.to !== '' && wish.purpose.trim() !== '',
    placeholderData: keepPreviousData,
  });
}

export function useCalls(contactId: string | null) {
  const query = { contactId: contactId ?? undefined, limit: 20 };
  return useQuery(useBusinessQuery<Page<CallView>>('/v1/calls', query));
}

export function useCall(callId: string) {
  return useQuery(useBusinessQuery<CallView>(`/v1/calls/${callId}`, {}));
}

export function useCallTimeline(callId: string) {
  return useQuery(useBusinessQuery<Page<TimelineEntry>>(`/v1/calls/${callId}/timeline`, {}));
}

/** What was told to the business's webhooks about a call. */
export function useCallEvents(callId: string) {
  return useQuery(useBusinessQuery<Page<EventView>>('/v1/events', { callId, limit: 100 }));
}

/** The call detail record; there is one exactly when the call has ended. */
export function useCdr(callId: string, ended: boolean) {
  return useQuery({
    ...useBusinessQuery<Record<string, unknown>>(`/v1/calls/${callId}/cdr`, {}),
    enabled: ended,
  });
}

export type AskWish = {
  to: string;
  purpose: string;
  /** How the request addresses them. */
  name: string;
  lineId: string;
};

export function useAsk() {
  return useSending<AskWish, PermissionRequestView>('/v1/permission-requests');
}

export type CallWish = {
  to: string;
  purpose: string;
  lineId: string;
  checklist?: Checklist;
};

export function useDial() {
  return useSending<CallWish, CallView>('/v1/calls');
}

/** Takes one permission back; whatever rings on it is called off. */
export function useRevoke(permissionId: string) {
  return useSending<{ reason: string }, object>(`/v1/permissions/${permissionId}/revoke`);
}

export type ButtonWish = {
  to: string;
  name: string;
  lineId: string;
  text?: string;
  template?: string;
  variables?: string[];
  label?: string;
  ttlMinutes: number;
};

/** A message by whose button the customer calls the business. */
export function useCallButton() {
  return useSending<ButtonWish, { id: string }>('/v1/call-buttons');
}

export function useMessage(id: string | null) {
  const options = useBusinessQuery<MessageView>(`/v1/messages/${id}`, {});
  return useQuery({ ...options, enabled: id !== null });
}

export type MessageView = {
  status: 'queued' | 'sending' | 'sent' | 'delivered' | 'read' | 'failed' | 'unknown';
  error: { code: string; message: string; fix: string } | null;
};

export function useHangUp(callId: string) {
  const { client } = useBusiness();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: () => client.post<CallView>(`/v1/calls/${callId}/hangup`, {}),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['business'] }),
  });
}

/** A POST that sends or dials: carries an Idempotency-Key, so that a repeat cannot ring twice. */
export function useSending<Wish, Answer>(path: string) {
  const { client } = useBusiness();
  const queryClient = useQueryClient();
  const intent = useIntentKey();
  return useMutation({
    mutationFn: (wish: Wish) => client.post<Answer>(path, wish, intent.keyFor(wish)),
    onSuccess: intent.settled,
    onError: intent.failed,
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['business'] }),
  });
}
