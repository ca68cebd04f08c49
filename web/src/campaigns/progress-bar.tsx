import type { CampaignView } from '../api/campaign-hooks.ts';

const PARTS = [
  ['done', 'through', 'bg-good'],
  ['running', 'on the way', 'bg-accent'],
  ['skipped', 'left out', 'bg-warn'],
  ['waiting', 'waiting', 'bg-edge-strong'],
] as const;

/** Where the people of a campaign stand: drawn as a bar, and said below it. */
export function ProgressBar(props: { people: CampaignView['people']; name: string }) {
  const { people } = props;
  const { total } = people;
  const through = people.done + people.skipped;
  return (
    <div>
      <div
        role="progressbar"
        aria-label={`People of ${props.name} who are through`}
        aria-valuemin={0}
        aria-valuemax={Math.max(1, total)}
        aria-valuenow={through}
        className="flex h-2.5 overflow-hidden rounded-full bg-sunk"
      >
        {PARTS.map(([part, , colour]) =>
          people[part] === 0 ? null : (
            <span
              key={part}
              className={colour}
              style={{ width: `${(people[part] / Math.max(1, total)) * 100}%` }}
            />
          ),
        )}
      </div>
      <ul className="mt-1 flex flex-wrap gap-x-4 gap-y-0.5 text-xs text-muted">
        {PARTS.map(([part, words, colour]) => (
          <li key={part} className="flex items-center gap-1.5">
            <span aria-hidden className={`size-2 rounded-full ${colour}`} />
            <span>
              <span className="font-semibold text-ink tabular-nums">
                {people[part].toLocaleString('en-GB')}
              </span>{' '}
              {words}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
