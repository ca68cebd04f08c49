import type { AgentView } from '../../../src/agents/agent-views.ts';
import { useDeskFor } from '../api/agent-hooks.ts';
import { useEndpoints } from '../api/business-hooks.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';

/** Which endpoint rings which group, and how many of it could take a call now. */
export function DesksCard({ agents }: { agents: readonly AgentView[] }) {
  const endpoints = useEndpoints();
  const making = useDeskFor();
  const items = endpoints.data?.items ?? [];
  const groups = [...new Set(agents.flatMap((agent) => agent.groups))].toSorted();
  return (
    <Card title="Groups">
      {endpoints.error !== null && <ProblemNote error={endpoints.error} />}
      {making.error !== null && <ProblemNote error={making.error} />}
      {groups.length === 0 && (
        <p className="text-sm text-muted">A group is there as soon as somebody is in it.</p>
      )}
      <ul className="flex flex-col gap-2 text-sm">
        {groups.map((group) => {
          const desks = items.filter((endpoint) => endpoint.agents?.group === group);
          const free = agents.filter(
            ({ state, groups: own }) => own.includes(group) && state === 'available',
          );
          return (
            <li key={group} className="flex flex-wrap items-center gap-x-3 gap-y-1">
              <strong>{group}</strong>
              <span className="text-muted">{free.length} ready</span>
              {desks.length > 0 ? (
                <span>rung by {desks.map(({ name }) => name).join(', ')}</span>
              ) : (
                <Button disabled={making.isPending} onClick={() => making.mutate(group)}>
                  Make an endpoint<span className="sr-only"> for {group}</span>
                </Button>
              )}
            </li>
          );
        })}
      </ul>
      <p className="mt-3 text-xs text-muted">
        While nobody of a group is ready, calls to its endpoint wait and no customer is rung.
      </p>
    </Card>
  );
}
