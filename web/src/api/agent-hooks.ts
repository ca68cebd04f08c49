import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { AgentView } from '../../../src/agents/agent-views.ts';
import type { EndpointView, Page } from '../../../src/http/api-types.ts';
import { useBusiness } from './business-context.tsx';
import { useBusinessQuery, useSending } from './business-hooks.ts';

export type AgentWithToken = AgentView & { token: string };
export type NewAgent = { name: string; groups: string[] };

/** Presence is no event of a call, so nobody tells us of it. */
const PRESENCE_MS = 3_000;
export const AGENTS_SHOWN = 100;

export function useAgents() {
  return useQuery({
    ...useBusinessQuery<Page<AgentView>>('/v1/agents', { limit: AGENTS_SHOWN }),
    refetchInterval: PRESENCE_MS,
  });
}

export function useAddAgent() {
  return useSending<NewAgent, AgentWithToken>('/v1/agents');
}

/** The old link opens nothing more. */
export function useNewToken(id: string) {
  return useSending<Record<string, never>, AgentWithToken>(`/v1/agents/${id}/token`);
}

export function useSetGroups(id: string) {
  return useAgentChange((client, groups: string[]) =>
    client.patch<AgentView>(`/v1/agents/${id}`, { groups }),
  );
}

export function useRemoveAgent(id: string) {
  return useAgentChange((client) => client.delete<null>(`/v1/agents/${id}`));
}

/** An endpoint whose calls ring at this group. */
export function useDeskFor() {
  return useAgentChange((client, group: string) =>
    client.post<EndpointView>('/v1/endpoints', { name: `Agents: ${group}`, agents: { group } }),
  );
}

type Client = ReturnType<typeof useBusiness>['client'];

function useAgentChange<Wish, Answer>(act: (client: Client, wish: Wish) => Promise<Answer>) {
  const { client } = useBusiness();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (wish: Wish) => act(client, wish),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['business'] }),
  });
}
