import { useState, type ReactNode } from 'react';
import {
  useCampaign,
  useMoveCampaign,
  type CampaignMove,
  type CampaignView,
  type MemberFilter,
} from '../api/campaign-hooks.ts';
import { CopyCurl } from '../business/copy-curl.tsx';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { Chip } from '../ui/chip.tsx';
import { dayAndTime, inWords } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { ChangePace } from './change-pace.tsx';
import { paceText, peopleText, STATE_TONES } from './campaign-words.ts';
import { MembersCard } from './members-card.tsx';
import { PreviewPicture } from './preview-picture.tsx';
import { ProgressBar } from './progress-bar.tsx';

/** One campaign: what would come of it, how far it is, who was left out and why. */
export function CampaignCard(props: { id: string }) {
  const campaign = useCampaign(props.id);
  const [filter, setFilter] = useState<MemberFilter | null>(null);
  const { data } = campaign;
  if (campaign.error !== null) return <ProblemNote error={campaign.error} />;
  if (data === undefined) return <p className="text-sm text-muted">Loading…</p>;
  return (
    <>
      <Card
        title={data.name}
        aside={
          <Chip tone={STATE_TONES[data.state] ?? 'plain'} live={data.state === 'running'}>
            {data.state}
          </Chip>
        }
      >
        <div className="flex flex-col gap-3 text-sm">
          <p className="text-muted">
            {peopleText(data.people.total)}
            {data.gathering ? ' gathered so far' : ''} · made {dayAndTime(data.createdAt)}
          </p>
          {data.state !== 'draft' && (
            <>
              <ProgressBar people={data.people} name={data.name} />
              <p role="status">{paceText(data)}</p>
            </>
          )}
          {data.state === 'draft' && <PreviewPicture campaign={data} />}
          <Moves campaign={data} />
          {data.endedAt === null && <ChangePace campaign={data} />}
        </div>
      </Card>
      {data.state !== 'draft' && <WhyCard campaign={data} onPick={setFilter} />}
      {filter !== null && (
        <MembersCard
          key={`${filter.state} ${filter.reason}`}
          campaign={data}
          filter={filter}
          onClose={() => setFilter(null)}
        />
      )}
    </>
  );
}

/** What each state offers; what cannot be taken back asks once more. */
const MOVES: Readonly<Record<string, ReadonlyArray<readonly [CampaignMove, string]>>> = {
  draft: [['start', 'Start']],
  running: [['pause', 'Pause']],
  paused: [['resume', 'Go on']],
};

function Moves(props: { campaign: CampaignView }) {
  const { id, state, preview, people, gathering } = props.campaign;
  const move = useMoveCampaign(id);
  const [asks, setAsks] = useState(false);
  const offered = MOVES[state] ?? [];
  if (offered.length === 0) return null;
  // Nobody starts blind: the picture comes before the button.
  const isBlind = state === 'draft' && (preview?.state !== 'done' || gathering);
  return (
    <div className="flex flex-col gap-2">
      <div className="flex flex-wrap items-start gap-2">
        {offered.map(([name, words]) => (
          <Button
            key={name}
            look="primary"
            disabled={move.isPending}
            blocked={isBlind || (state === 'draft' && people.total === 0)}
            onClick={() => move.mutate(name)}
          >
            {words}
          </Button>
        ))}
        {asks ? (
          <Button look="danger" disabled={move.isPending} onClick={() => move.mutate('stop')}>
            Stop for good: {peopleText(people.waiting + people.running)} taken off
          </Button>
        ) : (
          <Button look="danger" onClick={() => setAsks(true)}>
            Stop…
          </Button>
        )}
        {offered[0] !== undefined && (
          <CopyCurl what={offered[0][1]} path={`/v1/campaigns/${id}/${offered[0][0]}`} body={{}} />
        )}
      </div>
      {isBlind && (
        <p className="text-xs text-muted">Look at what would come of it first; then start.</p>
      )}
      {state === 'paused' && (
        <p className="text-xs text-muted">
          Nothing of it is asked or dialled. Permissions that were given lapse at their own time;
          calls that wait go on after the pause, if their permission still lives.
        </p>
      )}
      {move.error !== null && <ProblemNote error={move.error} />}
    </div>
  );
}

/** How journeys ended, why people wait, who was left out; each number leads to its people. */
function WhyCard(props: { campaign: CampaignView; onPick: (filter: MemberFilter) => void }) {
  const { ends, waiting, skipped, people } = props.campaign;
  const { onPick } = props;
  return (
    <Card title="Why, and how it ended">
      <div className="flex flex-col gap-3 text-sm">
        {ends.length + waiting.length + skipped.length === 0 && (
          <p className="text-muted">Nobody is through yet, and nobody was left out.</p>
        )}
        {people.running > 0 && (
          <div>
            <Button onClick={() => onPick({ state: 'running' })}>
              {peopleText(people.running)} on the way
            </Button>
          </div>
        )}
        <Reasons title="Ended">
          {ends.map(({ end, people: many }) => (
            <Reason
              key={end}
              words={inWords(end)}
              people={many}
              fix={null}
              onPick={() => onPick({ state: 'done', reason: end })}
            />
          ))}
        </Reasons>
        <Reasons title="Left out by a rule">
          {skipped.map(({ code, people: many, fix }) => (
            <Reason
              key={code}
              words={inWords(code)}
              people={many}
              fix={fix}
              onPick={() => onPick({ state: 'skipped', reason: code })}
            />
          ))}
        </Reasons>
        <Reasons title="Waiting longer">
          {waiting.map(({ code, people: many, fix }) => (
            <Reason
              key={code}
              words={inWords(code)}
              people={many}
              fix={fix}
              onPick={() => onPick({ state: 'waiting', reason: code })}
            />
          ))}
        </Reasons>
      </div>
    </Card>
  );
}

function Reasons(props: { title: string; children: ReactNode[] }) {
  if (props.children.length === 0) return null;
  return (
    <section>
      <h3 className="text-sm font-bold">{props.title}</h3>
      <ul className="mt-1 flex flex-col gap-1.5">{props.children}</ul>
    </section>
  );
}

function Reason(props: { words: string; people: number; fix: string | null; onPick: () => void }) {
  return (
    <li className="flex flex-wrap items-baseline gap-x-3">
      <button
        type="button"
        className="min-h-9 font-semibold text-accent underline"
        onClick={props.onPick}
      >
        {peopleText(props.people)}
        <span className="sr-only">, {props.words}</span>
      </button>
      <span className="font-semibold">{props.words}</span>
      {props.fix !== null && <span className="min-w-60 flex-1 text-muted">{props.fix}</span>}
    </li>
  );
}
