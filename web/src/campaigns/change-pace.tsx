import { useState } from 'react';
import { useChangeCampaign, type CampaignView } from '../api/campaign-hooks.ts';
import { CopyCurl } from '../business/copy-curl.tsx';
import { Button } from '../ui/button.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { paceDraftOf, paceOf } from './campaign-draft.ts';
import { PaceFields } from './pace-fields.tsx';

/** Changes the pace and the hours of a campaign that is not over, also while it runs. */
export function ChangePace(props: { campaign: CampaignView }) {
  const [open, setOpen] = useState(false);
  if (!open) {
    return (
      <div>
        <Button onClick={() => setOpen(true)}>Change pace and hours</Button>
      </div>
    );
  }
  return <PaceForm campaign={props.campaign} onDone={() => setOpen(false)} />;
}

function PaceForm(props: { campaign: CampaignView; onDone: () => void }) {
  const { campaign, onDone } = props;
  const [draft, setDraft] = useState(() => paceDraftOf(campaign));
  const save = useChangeCampaign(campaign.id);
  const pace = paceOf(draft, campaign.window);
  return (
    <form
      className="flex flex-col gap-3 border-t border-edge pt-3"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate(pace, { onSuccess: onDone });
      }}
    >
      <PaceFields draft={draft} onChange={(part) => setDraft({ ...draft, ...part })} />
      <div className="flex flex-wrap items-start gap-2">
        <Button type="submit" look="primary" disabled={save.isPending}>
          {save.isPending ? 'Saving…' : 'Save the pace'}
        </Button>
        <Button onClick={onDone}>Leave it as it is</Button>
        <CopyCurl
          what="change the pace"
          path={`/v1/campaigns/${campaign.id}`}
          method="PATCH"
          body={pace}
        />
      </div>
      {save.error !== null && <ProblemNote error={save.error} />}
    </form>
  );
}
