import { useState } from 'react';
import { useCampaigns, type CampaignView } from '../api/campaign-hooks.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { Chip } from '../ui/chip.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { CampaignCard } from './campaign-card.tsx';
import { peopleText, STATE_TONES } from './campaign-words.ts';
import { NewCampaignCard } from './new-campaign-card.tsx';
import { ProgressBar } from './progress-bar.tsx';

/** Campaigns: many people on one journey, looked at before anything is sent. */
export function CampaignsPage() {
  const campaigns = useCampaigns();
  const [picked, setPicked] = useState<string | null>(null);
  const items = campaigns.data?.items ?? [];
  return (
    <main className="mx-auto grid max-w-360 grid-cols-1 items-start gap-4 px-4 pb-10 xl:grid-cols-2">
      <Card
        title="Campaigns"
        aside={<Button onClick={() => setPicked(null)}>Make a new one</Button>}
      >
        {campaigns.error !== null && <ProblemNote error={campaigns.error} />}
        {campaigns.isPending && <p className="text-sm text-muted">Loading…</p>}
        {campaigns.data !== undefined && items.length === 0 && (
          <p className="text-sm text-muted">
            No campaign yet. Make one beside: whom it is for, and what happens. You see what would
            come of it before anything is sent.
          </p>
        )}
        <ul className="flex flex-col gap-3">
          {items.map((campaign) => (
            <CampaignRow
              key={campaign.id}
              campaign={campaign}
              isPicked={campaign.id === picked}
              onPick={() => setPicked(campaign.id)}
            />
          ))}
        </ul>
      </Card>
      <div className="grid min-w-0 grid-cols-1 gap-4">
        {picked === null ? (
          <NewCampaignCard onCreated={({ id }) => setPicked(id)} />
        ) : (
          <CampaignCard key={picked} id={picked} />
        )}
      </div>
    </main>
  );
}

function CampaignRow(props: { campaign: CampaignView; isPicked: boolean; onPick: () => void }) {
  const { name, state, people, gathering } = props.campaign;
  return (
    <li className="flex flex-col gap-1.5 border-t border-edge pt-3 text-sm first:border-t-0 first:pt-0">
      <div className="flex flex-wrap items-center gap-3">
        <Button look={props.isPicked ? 'primary' : 'plain'} onClick={props.onPick}>
          {name}
        </Button>
        <Chip tone={STATE_TONES[state] ?? 'plain'} live={state === 'running'}>
          {state}
        </Chip>
        <span className="text-muted">
          {peopleText(people.total)}
          {gathering ? ' so far' : ''}
        </span>
      </div>
      {state !== 'draft' && <ProgressBar people={people} name={name} />}
    </li>
  );
}
