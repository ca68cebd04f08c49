import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { SelectField } from '../ui/select-field.tsx';
import { TextArea } from '../ui/text-area.tsx';
import type { AgentLink } from './use-agent.ts';

type Codes = { items: Array<{ code: string; label: string }> };

const NOTE_MAX = 2_000;

/** What came of the call: while it is talked in, and until the next one. */
export function AfterCallCard({ link, callId }: { link: AgentLink; callId: string }) {
  const { client } = link;
  const codes = useQuery({
    queryKey: ['agent', client.apiKey, 'outcomes'],
    queryFn: () => client.get<Codes>('/v1/agents/me/outcomes'),
  });
  const [outcome, setOutcome] = useState('');
  const [note, setNote] = useState('');
  const saving = useMutation({
    mutationFn: () =>
      client.put(`/v1/agents/me/calls/${callId}/outcome`, {
        outcome: outcome === '' ? null : outcome,
        note: note.trim() === '' ? null : note.trim(),
      }),
  });
  const changed = <T,>(set: (value: T) => void) => {
    return (value: T): void => {
      saving.reset();
      set(value);
    };
  };
  const options = (codes.data?.items ?? []).map(({ code, label }) => [code, label] as const);
  return (
    <Card title="What came of the call">
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          saving.mutate();
        }}
      >
        {codes.error !== null && <ProblemNote error={codes.error} />}
        <SelectField
          label="Outcome"
          value={outcome}
          options={[['', 'Not said'], ...options]}
          onChange={changed(setOutcome)}
        />
        <TextArea
          label="Note"
          value={note}
          maxLength={NOTE_MAX}
          rows={3}
          onChange={changed(setNote)}
        />
        {saving.error !== null && <ProblemNote error={saving.error} />}
        <div className="flex flex-wrap items-center gap-3">
          <Button
            type="submit"
            disabled={saving.isPending || (outcome === '' && note.trim() === '')}
          >
            Save
          </Button>
          <p role="status" className="text-sm text-good">
            {saving.isSuccess ? 'Saved.' : ''}
          </p>
        </div>
      </form>
    </Card>
  );
}
