import { useState } from 'react';
import { isWrongKey } from './api/business-client.ts';
import { useBusiness } from './api/business-context.tsx';
import { useLines } from './api/business-hooks.ts';
import { useSimulator, useSimulatorState } from './api/simulator-hooks.tsx';
import { AgentsPage } from './agents/agents-page.tsx';
import { AuditPage } from './audit/audit-page.tsx';
import { BusinessHalf } from './business/business-half.tsx';
import { CampaignsPage } from './campaigns/campaigns-page.tsx';
import { DoNotCallPage } from './do-not-call/do-not-call-page.tsx';
import { ExperimentsPage } from './experiments/experiments-page.tsx';
import { ImportsPage } from './imports/imports-page.tsx';
import { JourneysPage } from './journeys/journeys-page.tsx';
import { EndpointsPage } from './endpoints/endpoints-page.tsx';
import { KpisPage } from './kpis/kpis-page.tsx';
import { LinesPage } from './lines/lines-page.tsx';
import { PageNav, usePage } from './pages/page-nav.tsx';
import { RecordsPage } from './records/records-page.tsx';
import { RulesPage } from './rules/rules-page.tsx';
import { SchedulePage } from './schedule/schedule-page.tsx';
import { ScriptsPage } from './scripts/scripts-page.tsx';
import { TemplatesPage } from './templates/templates-page.tsx';
import { WebhooksPage } from './webhooks/webhooks-page.tsx';
import { PersonPicker } from './phone/person-picker.tsx';
import { Phone } from './phone/phone.tsx';
import { Button } from './ui/button.tsx';
import { classes } from './ui/classes.ts';
import { ProblemNote } from './ui/problem-note.tsx';

/** Ends in 100 in the simulator's scheme: allows, answers and talks by herself. */
const EXAMPLE_SUFFIX = '100';

/** The two halves. One number is in the middle of both: the phone and the contact agree. */
export function Workspace(props: { onLeave: () => void }) {
  const simulator = useSimulator();
  const state = useSimulatorState();
  const lines = useLines();
  const [picked, setPicked] = useState<string | null>(null);
  const people = (state.data?.people ?? []).toSorted((a, b) => order(a) - order(b));
  // Kept from the start, so that the first one is followed as well.
  if (picked === null && people[0] !== undefined) setPicked(people[0].number);
  const person =
    people.find((one) => one.number === picked) ??
    // Whoever has moved to another number is followed.
    people.find((one) => picked !== null && one.formerNumbers.includes(picked)) ??
    null;
  const number = person?.number ?? picked;
  const example = people.find((one) => one.number.endsWith(EXAMPLE_SUFFIX)) ?? null;
  const page = usePage();
  if (isWrongKey(lines.error)) return <WrongKey error={lines.error} onLeave={props.onLeave} />;
  return (
    <>
      <PageNav page={page} />
      {page === 'schedule' && <SchedulePage number={number} />}
      {page === 'rules' && <RulesPage />}
      {page === 'templates' && <TemplatesPage />}
      {page === 'scripts' && <ScriptsPage />}
      {page === 'journeys' && <JourneysPage number={number} />}
      {page === 'campaigns' && <CampaignsPage />}
      {page === 'lines' && <LinesPage />}
      {page === 'endpoints' && <EndpointsPage />}
      {page === 'webhooks' && <WebhooksPage />}
      {page === 'figures' && <KpisPage />}
      {page === 'experiments' && <ExperimentsPage />}
      {page === 'records' && <RecordsPage />}
      {page === 'imports' && <ImportsPage />}
      {page === 'do-not-call' && <DoNotCallPage />}
      {page === 'agents' && <AgentsPage />}
      {page === 'audit' && <AuditPage number={number} />}
      {page === 'calls' && (
        <main
          className={classes(
            'mx-auto grid max-w-360 gap-5 px-4 pb-10',
            simulator !== null && 'lg:grid-cols-[23.75rem_minmax(0,1fr)]',
          )}
        >
          {simulator !== null && (
            <section
              aria-label="The customer"
              className="flex flex-col gap-3 lg:sticky lg:top-3 lg:self-start"
            >
              {people.length > 0 && number !== null && (
                <PersonPicker people={people} number={number} onPick={setPicked} />
              )}
              {person !== null && (
                <Phone key={person.number} person={person} lines={state.data?.lines ?? []} />
              )}
              {person === null && <PhoneMissing loading={state.isPending} error={state.error} />}
            </section>
          )}
          <section aria-label="The business" className="min-w-0">
            <BusinessHalf number={number} people={people} example={example} onPick={setPicked} />
            <StreamState />
          </section>
        </main>
      )}
    </>
  );
}

/** People who wait for a hand on their phone first, each group by number. */
function order(person: { interactive: boolean; number: string }): number {
  return (person.interactive ? 0 : 1e12) + (Number(person.number.slice(-9)) || 0);
}

function WrongKey(props: { error: unknown; onLeave: () => void }) {
  return (
    <main className="mx-auto flex max-w-130 flex-col items-start gap-3 p-4 sm:p-8">
      <ProblemNote error={props.error} />
      <Button look="primary" onClick={props.onLeave}>
        Use another key
      </Button>
    </main>
  );
}

function PhoneMissing(props: { loading: boolean; error: Error | null }) {
  const text = props.loading
    ? 'Loading the phone…'
    : (props.error?.message ?? 'This number is not on a simulated phone. Pick a person above.');
  return (
    <p
      role="status"
      className="rounded-2xl border border-dashed border-edge-strong p-6 text-sm text-muted"
    >
      {text}
    </p>
  );
}

/** Says whether what is on the screen is fresh, without getting in the way. */
function StreamState() {
  const { live } = useBusiness();
  return (
    <p role="status" className="mt-3 text-xs text-muted">
      {live ? 'Live: changes show at once.' : 'Not live: looking every 5 seconds.'}
    </p>
  );
}
