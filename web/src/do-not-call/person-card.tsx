import { useState } from 'react';
import type { StandingView } from '../../../src/do-not-call/do-not-call.ts';
import { useListing, useStanding, useUnlisting } from '../api/do-not-call-hooks.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { Chip } from '../ui/chip.tsx';
import { TextField } from '../ui/field.tsx';
import { dayAndTime, inWords } from '../ui/format.ts';
import { PersonForm } from '../ui/person-form.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';

/** One person: on a list or not, why, and both ways to change it. */
export function PersonCard() {
  const [asked, setAsked] = useState('');
  const standing = useStanding(asked);
  return (
    <Card title="One person">
      <PersonForm initial="" action="Look up" onAsk={setAsked} />
      <div className="mt-3" aria-live="polite">
        {asked !== '' && standing.error !== null && <ProblemNote error={standing.error} />}
        {asked !== '' && standing.data !== undefined && (
          <Standing key={asked} to={asked} standing={standing.data} />
        )}
      </div>
    </Card>
  );
}

function Standing(props: { to: string; standing: StandingView }) {
  const { to, standing } = props;
  return (
    <>
      <p className="flex flex-wrap items-center gap-2 text-sm">
        <Chip tone={standing.listed ? 'bad' : 'good'}>
          {standing.listed ? 'Do not call' : 'On no list'}
        </Chip>
        <span className="font-mono">{to}</span>
      </p>
      <ul className="mt-2 flex flex-col gap-1 text-sm">
        {standing.entries.map((entry) => (
          <li key={entry.list} className="border-l-2 border-edge pl-3">
            <strong>{inWords(entry.list)}</strong>: {entry.reason}
            <span className="block text-xs text-muted">
              by {entry.source}, {dayAndTime(entry.addedAt)}
            </span>
          </li>
        ))}
      </ul>
      <ChangeForm to={to} standing={standing} />
    </>
  );
}

/** Only what the business put on a list may the business take off; the API says so too. */
function ChangeForm(props: { to: string; standing: StandingView }) {
  const [reason, setReason] = useState('');
  const listing = useListing();
  const unlisting = useUnlisting();
  const own = props.standing.entries.find((entry) => entry.list === 'own');
  const error = listing.error ?? unlisting.error;
  const wish = { to: props.to, reason: reason.trim(), list: 'own' };
  const change = own === undefined ? listing : unlisting;
  return (
    <form
      className="mt-3 flex flex-wrap items-end gap-2 border-t border-edge pt-3"
      onSubmit={(event) => {
        event.preventDefault();
        change.mutate(wish, { onSuccess: () => setReason('') });
      }}
    >
      <div className="min-w-60 flex-1">
        <TextField label="Reason" value={reason} required maxLength={200} onChange={setReason} />
      </div>
      <Button
        type="submit"
        look={own === undefined ? 'danger' : 'plain'}
        disabled={wish.reason === '' || change.isPending}
      >
        {own === undefined ? 'Never call this person' : 'Take off our own list'}
      </Button>
      {error !== null && <ProblemNote error={error} />}
    </form>
  );
}
