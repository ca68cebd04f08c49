import { useState } from 'react';
import type { EndpointView } from '../../../src/http/api-types.ts';
import { useEndpoints } from '../api/business-hooks.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { draftOf, emptyDraft, type EndpointDraft } from './endpoint-draft.ts';
import { EndpointForm } from './endpoint-form.tsx';
import { EndpointRow } from './endpoint-row.tsx';
import { GuardCard } from './guard-card.tsx';
import { RoutingCard } from './routing-card.tsx';

type Picked = { id: string | null; title: string; draft: EndpointDraft; turn: number };

/** Where the business answers: its endpoints, how they are, and which call goes to which. */
export function EndpointsPage() {
  const endpoints = useEndpoints();
  const [picked, setPicked] = useState<Picked | null>(null);
  const items = endpoints.data?.items ?? [];
  const turn = (picked?.turn ?? 0) + 1;
  const edit = (view: EndpointView): void =>
    setPicked({ id: view.id, title: view.name, draft: draftOf(view), turn });
  const add = (): void => setPicked({ id: null, title: 'New endpoint', draft: emptyDraft(), turn });
  return (
    <main className="mx-auto grid max-w-360 grid-cols-1 items-start gap-4 px-4 pb-10 xl:grid-cols-2">
      <div className="grid min-w-0 grid-cols-1 gap-4">
        <Card title="Endpoints" aside={<Button onClick={add}>Add one</Button>}>
          {endpoints.error !== null && <ProblemNote error={endpoints.error} />}
          {endpoints.isPending && <p className="text-sm text-muted">Loading…</p>}
          {endpoints.data !== undefined && items.length === 0 && (
            <p className="text-sm text-muted">
              No endpoint yet: nobody could answer a call. Add your PBX, or people in their
              browsers.
            </p>
          )}
          <ul className="flex flex-col gap-2">
            {items.map((endpoint) => (
              <EndpointRow
                key={endpoint.id}
                endpoint={endpoint}
                onEdit={() => edit(endpoint)}
                onRemoved={() => setPicked(null)}
              />
            ))}
          </ul>
        </Card>
        <RoutingCard endpoints={items} />
        <GuardCard />
      </div>
      {picked !== null && (
        <EndpointForm
          key={`${picked.id ?? ''} ${picked.turn}`}
          id={picked.id}
          title={picked.title}
          draft={picked.draft}
          taken={items.filter(({ id }) => id !== picked.id).map(({ name }) => name)}
          onSaved={edit}
          onClose={() => setPicked(null)}
        />
      )}
    </main>
  );
}
