import { useState } from 'react';
import { AGENTS_SHOWN, useAgents, type AgentWithToken } from '../api/agent-hooks.ts';
import { Card } from '../ui/card.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { AgentLink } from './agent-link.tsx';
import { AgentRow } from './agent-row.tsx';
import { DesksCard } from './desks-card.tsx';
import { NewAgentCard } from './new-agent-card.tsx';

/** Who answers in the browser, who of them is ready, and the links that let them in. */
export function AgentsPage() {
  const agents = useAgents();
  const [shown, setShown] = useState<AgentWithToken | null>(null);
  const items = agents.data?.items ?? [];
  const ready = items.filter(({ state }) => state === 'available').length;
  return (
    <main className="mx-auto grid max-w-360 grid-cols-1 items-start gap-4 px-4 pb-10 xl:grid-cols-2">
      <Card
        title="Agents"
        aside={
          agents.data !== undefined && (
            <p role="status" className="text-sm text-muted">
              {ready} of {items.length} ready
            </p>
          )
        }
      >
        {agents.error !== null && <ProblemNote error={agents.error} />}
        {agents.isPending && <p className="text-sm text-muted">Loading…</p>}
        {agents.data !== undefined && items.length === 0 && (
          <p className="text-sm text-muted">
            Nobody answers in the browser yet. Add somebody, and give them their link: they need no
            PBX, only a microphone.
          </p>
        )}
        {shown !== null && <AgentLink agent={shown} onClose={() => setShown(null)} />}
        <ul className="flex flex-col gap-2">
          {items.map((agent) => (
            <AgentRow
              key={agent.id}
              agent={agent}
              onToken={setShown}
              onRemoved={() => setShown((before) => (before?.id === agent.id ? null : before))}
            />
          ))}
        </ul>
        {typeof agents.data?.next === 'string' && (
          <p className="mt-2 text-xs text-muted">
            The first {AGENTS_SHOWN} are shown; GET /v1/agents lists all.
          </p>
        )}
      </Card>
      <div className="grid min-w-0 grid-cols-1 gap-4">
        <NewAgentCard onAdded={setShown} />
        <DesksCard agents={items} />
      </div>
    </main>
  );
}
