import { useState } from 'react';
import { useWebhookEndpoints } from '../api/webhook-hooks.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { DeliveriesCard } from './deliveries-card.tsx';
import { NewWebhookCard } from './new-webhook-card.tsx';
import { WebhookRow } from './webhook-row.tsx';

/** Who is told what happens here: their addresses, what arrived there, and sending it again. */
export function WebhooksPage() {
  const endpoints = useWebhookEndpoints();
  const [isAdding, setAdding] = useState(false);
  const [shown, setShown] = useState<string | null>(null);
  const items = endpoints.data?.items ?? [];
  const isEmpty = endpoints.data !== undefined && items.length === 0;
  const watched = items.find(({ id }) => id === shown) ?? items[0];
  return (
    <main className="mx-auto grid max-w-360 grid-cols-1 items-start gap-4 px-4 pb-10 xl:grid-cols-2">
      <div className="grid min-w-0 grid-cols-1 gap-4">
        {(isAdding || isEmpty) && (
          // Stays when the list is no longer empty: it has the secret.
          <NewWebhookCard
            onSend={() => setAdding(true)}
            onClose={isAdding ? () => setAdding(false) : null}
          />
        )}
        <Card
          title="Webhook endpoints"
          aside={!isAdding && !isEmpty && <Button onClick={() => setAdding(true)}>Add one</Button>}
        >
          {endpoints.error !== null && <ProblemNote error={endpoints.error} />}
          {endpoints.isPending && <p className="text-sm text-muted">Loading…</p>}
          {isEmpty && (
            <p className="text-sm text-muted">
              None yet: your own programs are told nothing. They can still ask, by{' '}
              <code className="font-mono">GET /v1/events</code>.
            </p>
          )}
          <ul className="flex flex-col gap-3">
            {items.map((endpoint) => (
              <WebhookRow
                key={endpoint.id}
                endpoint={endpoint}
                isShown={endpoint.id === watched?.id}
                onShow={() => setShown(endpoint.id)}
              />
            ))}
          </ul>
        </Card>
      </div>
      {watched !== undefined && <DeliveriesCard key={watched.id} endpoint={watched} />}
    </main>
  );
}
