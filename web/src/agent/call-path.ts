import type { AgentMeView } from '../../../src/agents/agent-views.ts';

export type AgentCall = NonNullable<AgentMeView['call']>;

/** Where the agent's own routes for a call begin. */
export function pathOf({ id }: Pick<AgentCall, 'id'>): string {
  return `/v1/agents/me/calls/${id}`;
}
