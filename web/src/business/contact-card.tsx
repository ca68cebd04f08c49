import type { ConsentView, ContactView } from '../../../src/http/api-types.ts';
import { useContactTimeline } from '../api/business-hooks.ts';
import { Card } from '../ui/card.tsx';
import { Chip } from '../ui/chip.tsx';
import { countdown, dayAndTime } from '../ui/format.ts';
import { useNow } from '../ui/use-now.ts';
import { consentWords } from './consent-words.ts';
import { historyOf } from './history.ts';
import { TakeBack } from './take-back.tsx';
import { TimelineList } from './timeline-list.tsx';

/** Who this is, what they allow, for how long still, and whether they said stop. */
export function ContactCard(props: {
  number: string;
  name: string | null;
  contact: ContactView | null;
  consent: ConsentView | null;
}) {
  const { contact, consent } = props;
  const words = consentWords(consent?.status ?? 'none');
  const expiresAt = consent?.status === 'granted' ? consent.expiresAt : null;
  return (
    <Card
      title={contact?.name ?? props.name ?? props.number}
      aside={
        <span className="flex flex-wrap gap-2">
          {contact?.doNotCall === true && <Chip tone="bad">Do not call</Chip>}
          <Chip tone={words.tone} live={consent?.status === 'requested'}>
            {words.label}
          </Chip>
        </span>
      }
    >
      <div className="flex flex-wrap items-start justify-between gap-4">
        <div className="min-w-0 flex-1">
          <p className="font-mono text-sm text-muted">{props.number}</p>
          <p className="mt-1 text-sm">
            {contact?.doNotCall === true ? <OptedOut contact={contact} /> : words.meaning}
          </p>
          {consent !== null && <ConsentFacts consent={consent} />}
          {consent?.status === 'granted' && consent.permissionId !== null && (
            <TakeBack key={consent.permissionId} permissionId={consent.permissionId} />
          )}
        </div>
        {expiresAt !== null && <Expiry expiresAt={expiresAt} />}
      </div>
      {contact !== null && <History contactId={contact.id} />}
    </Card>
  );
}

function OptedOut(props: { contact: ContactView }) {
  const { optedOutAt } = props.contact;
  return (
    <>
      Said stop{optedOutAt === null ? '' : ` on ${dayAndTime(optedOutAt)}`}. Nobody may call this
      person; every pending call was cancelled.
    </>
  );
}

function ConsentFacts(props: { consent: ConsentView }) {
  const { consent } = props;
  return (
    <p className="mt-1 text-xs text-muted">
      Asked {consent.requestsSent === 1 ? 'once' : `${consent.requestsSent} times`}
      {consent.lastRequestAt !== null && `, last on ${dayAndTime(consent.lastRequestAt)}`}
      {consent.purpose !== null && ` · for “${consent.purpose}”`}
    </p>
  );
}

/** The promise of 24 hours, running. */
function Expiry(props: { expiresAt: string }) {
  const left = Date.parse(props.expiresAt) - useNow();
  return (
    <div className="text-right">
      <p className="text-xs text-muted">Permission ends in</p>
      <p
        role="timer"
        aria-label="Time left to call"
        className="font-mono text-2xl font-bold text-good tabular-nums"
      >
        {countdown(left)}
      </p>
      <p className="text-xs text-muted">{dayAndTime(props.expiresAt)}</p>
    </div>
  );
}

function History(props: { contactId: string }) {
  const timeline = useContactTimeline(props.contactId);
  const entries = timeline.data?.items ?? [];
  if (entries.length === 0) return null;
  return (
    <details className="mt-3 border-t border-edge pt-2">
      <summary className="text-sm font-semibold text-accent">
        Evidence: {entries.length} {entries.length === 1 ? 'entry' : 'entries'} in the ledger
      </summary>
      <TimelineList entries={historyOf(entries, [])} startMs={null} />
    </details>
  );
}
