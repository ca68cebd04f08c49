import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { ContactView } from '../../../src/http/api-types.ts';
import { useBusiness } from '../api/business-context.tsx';
import { useContact } from '../api/business-hooks.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { TextField } from '../ui/field.tsx';
import { dayAndTime } from '../ui/format.ts';
import { PersonForm } from '../ui/person-form.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';

/** One person's file: what shows how they were treated, a copy for them, and its end. */
export function PersonFileCard(props: { number: string | null }) {
  const [asked, setAsked] = useState(props.number);
  const contact = useContact(asked);
  return (
    <Card title="One person's file">
      <PersonForm initial={props.number ?? ''} action="Open" onAsk={setAsked} />
      <div className="mt-3" aria-live="polite">
        {contact.error !== null && <ProblemNote error={contact.error} />}
        {contact.data === null && (
          <p className="text-sm text-muted">Nobody was ever asked or called at {asked}.</p>
        )}
        {contact.data !== undefined && contact.data !== null && (
          <FileOf key={contact.data.id} contact={contact.data} />
        )}
      </div>
    </Card>
  );
}

function FileOf(props: { contact: ContactView }) {
  const { contact } = props;
  const { client } = useBusiness();
  const path = `/v1/contacts/${contact.id}`;
  const saving = useMutation({
    mutationFn: (file: { path: string; name: string }) => client.download(file.path, file.name),
  });
  const link = useMutation({
    mutationFn: () =>
      client.post<{ url: string; expiresAt: string }>(`${path}/self-service-link`, {}),
  });
  const save = (part: string, name: string): void =>
    saving.mutate({ path: `${path}/${part}`, name });
  return (
    <>
      <p className="text-sm">
        <strong>{contact.name ?? contact.number ?? contact.userId ?? 'Erased person'}</strong>,
        known since {dayAndTime(contact.createdAt)}: {words(contact.history)}.
      </p>
      <div className="mt-3 flex flex-wrap gap-2">
        <Button onClick={() => save('evidence.html', 'evidence.html')}>Evidence, to read</Button>
        <Button onClick={() => save('evidence', 'evidence.json')}>Evidence, to verify</Button>
        <Button onClick={() => save('export', 'person.json')}>Copy for the person</Button>
        <Button onClick={() => link.mutate()}>Link to stop calls</Button>
      </div>
      {link.data !== undefined && (
        <p className="mt-2 text-sm">
          <a
            className="break-all text-accent"
            href={link.data.url}
            target="_blank"
            rel="noreferrer"
          >
            {link.data.url}
          </a>
          <span className="block text-xs text-muted">Until {dayAndTime(link.data.expiresAt)}</span>
        </p>
      )}
      {saving.error !== null && <ProblemNote error={saving.error} />}
      {link.error !== null && <ProblemNote error={link.error} />}
      {contact.erasedAt === null && <EndForms contactId={contact.id} contact={contact} />}
    </>
  );
}

/** A stop that was said to an agent, and erasure: neither can be taken back from here. */
function EndForms(props: { contactId: string; contact: ContactView }) {
  const { contactId, contact } = props;
  const { client } = useBusiness();
  const queryClient = useQueryClient();
  const [reason, setReason] = useState('');
  const [typedId, setTypedId] = useState('');
  const refresh = { onSettled: () => queryClient.invalidateQueries({ queryKey: ['business'] }) };
  const stop = useMutation({
    mutationFn: () => client.post(`/v1/contacts/${contactId}/opt-out`, { reason: reason.trim() }),
    ...refresh,
  });
  const erase = useMutation({
    mutationFn: () => client.post(`/v1/contacts/${contactId}/erase`, { confirm: typedId }),
    ...refresh,
  });
  return (
    <details className="mt-3 border-t border-edge pt-2">
      <summary className="text-sm font-semibold text-bad">Stop or erase</summary>
      <div className="mt-2 flex flex-col gap-3">
        <TextField
          label="What the person said"
          value={reason}
          maxLength={200}
          hint="Kept sealed, in this person's file"
          onChange={setReason}
        />
        {contact.optedOutAt === null && (
          <Button
            look="danger"
            disabled={reason.trim() === '' || stop.isPending}
            onClick={() => stop.mutate()}
          >
            They said stop: never call again
          </Button>
        )}
        <TextField
          label={`To erase, write ${contactId}`}
          value={typedId}
          maxLength={100}
          onChange={setTypedId}
        />
        <Button
          look="danger"
          disabled={typedId !== contactId || erase.isPending}
          onClick={() => erase.mutate()}
        >
          Erase for good; do-not-call stays
        </Button>
        {stop.error !== null && <ProblemNote error={stop.error} />}
        {erase.error !== null && <ProblemNote error={erase.error} />}
      </div>
    </details>
  );
}

function words({ requestsSent, callsPlaced, callsConnected }: ContactView['history']): string {
  return `asked ${requestsSent}×, called ${callsPlaced}×, spoken ${callsConnected}×`;
}
