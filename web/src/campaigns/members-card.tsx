import { useState } from 'react';
import {
  useMembers,
  type CampaignView,
  type MemberFilter,
  type MemberView,
} from '../api/campaign-hooks.ts';
import { useRun } from '../api/journey-hooks.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { clockTime, dayAndTime, inWords } from '../ui/format.ts';
import { PageButtons, usePages } from '../ui/page-buttons.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';

/** The people behind a number, each with their journey, its steps and its call. */
export function MembersCard(props: {
  campaign: CampaignView;
  filter: MemberFilter;
  onClose: () => void;
}) {
  const { campaign, filter } = props;
  const pages = usePages();
  const members = useMembers(campaign.id, filter, pages.after);
  const next = members.data?.next ?? null;
  const what = inWords(filter.reason ?? filter.state ?? 'everybody');
  return (
    <Card title={`People: ${what}`} aside={<Button onClick={props.onClose}>Close</Button>}>
      {members.error !== null && <ProblemNote error={members.error} />}
      {members.isPending && <p className="text-sm text-muted">Loading…</p>}
      {members.data?.items.length === 0 && (
        <p className="text-sm text-muted">{nobodyText(campaign.peopleForgottenAt)}</p>
      )}
      <ul className="flex flex-col gap-2 text-sm">
        {(members.data?.items ?? []).map((member) => (
          <MemberRow key={member.contactId} member={member} />
        ))}
      </ul>
      <PageButtons pages={pages} next={next} />
    </Card>
  );
}

function nobodyText(forgottenAt: string | null): string {
  if (forgottenAt === null) return 'Nobody any more.';
  return `Who they were is known no more since ${dayAndTime(forgottenAt)}; how many they were is.`;
}

function MemberRow(props: { member: MemberView }) {
  const { contactId, runId, reason, updatedAt, dueAt } = props.member;
  const [open, setOpen] = useState(false);
  return (
    <li className="border-t border-edge pt-2 first:border-t-0 first:pt-0">
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary className="flex flex-wrap gap-x-3">
          <code className="font-mono text-xs break-all">{contactId}</code>
          <span>{inWords(reason ?? 'begins at its turn')}</span>
          <span className="text-muted">{dayAndTime(updatedAt)}</span>
        </summary>
        {dueAt !== null && <p className="pl-4">Looked at again {dayAndTime(dueAt)}.</p>}
        {runId === null && <p className="pl-4 text-muted">No journey was begun.</p>}
        {open && runId !== null && <RunSteps runId={runId} />}
      </details>
    </li>
  );
}

function RunSteps(props: { runId: string }) {
  const run = useRun(props.runId);
  if (run.error !== null) return <ProblemNote error={run.error} />;
  if (run.data === undefined) return <p className="pl-4 text-muted">Loading…</p>;
  const { steps, callId, id } = run.data;
  return (
    <div className="pl-4">
      <ol aria-label="Steps taken" className="mt-1 flex flex-col gap-1">
        {steps.length === 0 && <li className="text-muted">No step taken yet.</li>}
        {steps.map((step, index) => (
          <li key={`${index} ${step.step}`} className="flex flex-wrap gap-2">
            <span className="w-18 shrink-0 text-muted">{clockTime(step.at)}</span>
            <span className="font-semibold">{step.step}</span>
            <span>{inWords(step.outcome)}</span>
          </li>
        ))}
      </ol>
      <p className="mt-1 text-xs text-muted">
        <code className="font-mono break-all">{id}</code>
        {callId !== null && (
          <>
            {' '}
            · call <code className="font-mono break-all">{callId}</code>
          </>
        )}
      </p>
    </div>
  );
}
