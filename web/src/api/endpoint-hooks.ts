import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { EndpointView } from '../../../src/http/api-types.ts';
import { useBusiness } from './business-context.tsx';
import { useBusinessQuery } from './business-hooks.ts';

export type TargetHealthView = {
  uri: string;
  state: 'up' | 'down' | 'unknown';
  since: string | null;
  checkedAt: string | null;
  status: number | null;
  reason: string | null;
  roundTripMs: number | null;
};
export type HealthView = { checked: boolean; targets: TargetHealthView[] };
export type TestReport = {
  ok: boolean;
  targets: Array<{
    uri: string;
    ok: boolean;
    code: string;
    what: string;
    fix: string | null;
    sipStatus: number | null;
  }>;
};
export type RouteRuleView = {
  name: string;
  when: {
    purposes?: string[];
    languages?: string[];
    countries?: string[];
    hours?: { zone: string; open: Array<{ days: number[]; from: string; to: string }> };
  };
  endpointId: string;
};
export type RoutingView = { rules: RouteRuleView[]; defaultEndpointId: string | null };
export type RouteQuestion = {
  purpose: string;
  language: string | null;
  country: string | null;
  at?: string;
};
export type RouteAnswer = {
  endpointId: string | null;
  rule: string | null;
  verdicts: Array<{ rule: string; matched: boolean; why: string }>;
};

export function useEndpointHealth(id: string) {
  return useQuery(useBusinessQuery<HealthView>(`/v1/endpoints/${id}/health`, {}));
}

export function useSaveEndpoint() {
  return useEndpointAction(
    ({ client }, { id, body }: { id: string | null; body: object }): Promise<EndpointView> =>
      id === null ? client.post('/v1/endpoints', body) : client.put(`/v1/endpoints/${id}`, body),
  );
}

export function useRemoveEndpoint() {
  return useEndpointAction(({ client }, id: string) => client.delete<null>(`/v1/endpoints/${id}`));
}

/** A real call to each target; takes up to half a minute. */
export function useTestCall() {
  return useEndpointAction(({ client }, id: string) =>
    client.post<TestReport>(`/v1/endpoints/${id}/test`, {}),
  );
}

export function useRouting() {
  return useQuery(useBusinessQuery<RoutingView>('/v1/routing', {}));
}

export function useSaveRouting() {
  return useEndpointAction(({ client }, routing: RoutingView) =>
    client.put<RoutingView>('/v1/routing', routing),
  );
}

export function useRouteCheck() {
  return useEndpointAction(({ client }, question: RouteQuestion) =>
    client.post<RouteAnswer>('/v1/routing/check', question),
  );
}

function useEndpointAction<Wish, Answer>(
  act: (business: Pick<ReturnType<typeof useBusiness>, 'client'>, wish: Wish) => Promise<Answer>,
) {
  const { client } = useBusiness();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (wish: Wish) => act({ client }, wish),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['business'] }),
  });
}
