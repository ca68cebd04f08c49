import { useState } from 'react';
import { useAddWebhook } from '../api/webhook-hooks.ts';
import { CopyCurl } from '../business/copy-curl.tsx';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { SecretNote } from './secret-note.tsx';
import { WebhookFields } from './webhook-fields.tsx';

/** Another address that is told; its secret is shown here and nowhere else. */
export function NewWebhookCard(props: {
  /** Null where there is nothing else to see. */
  onClose: (() => void) | null;
  onSend: () => void;
}) {
  const [url, setUrl] = useState('');
  const [eventTypes, setEventTypes] = useState<string[]>([]);
  const add = useAddWebhook();
  const body = { url: url.trim(), eventTypes };
  return (
    <Card
      title="New webhook endpoint"
      aside={props.onClose !== null && <Button onClick={props.onClose}>Close</Button>}
    >
      {add.data === undefined ? (
        <form
          className="flex flex-col gap-3"
          onSubmit={(event) => {
            event.preventDefault();
            props.onSend();
            add.mutate(body);
          }}
        >
          <WebhookFields
            url={url}
            eventTypes={eventTypes}
            onUrl={setUrl}
            onEventTypes={setEventTypes}
          />
          <div className="flex flex-wrap items-start gap-2">
            <Button type="submit" look="primary" disabled={add.isPending}>
              Add the endpoint
            </Button>
            <CopyCurl what="add a webhook endpoint" path="/v1/webhook-endpoints" body={body} />
          </div>
          {add.error !== null && <ProblemNote error={add.error} />}
        </form>
      ) : (
        <SecretNote secret={add.data} />
      )}
    </Card>
  );
}
