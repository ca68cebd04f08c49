import { useSyncExternalStore } from 'react';
import { classes } from '../ui/classes.ts';

/** The pages of the dashboard, by the name in the address after `#`, by what people come for. */
const GROUPS = {
  Talk: { calls: 'Ask and call', schedule: 'Schedule', agents: 'Agents' },
  Plan: {
    campaigns: 'Campaigns',
    journeys: 'Journeys',
    scripts: 'Scripts',
    templates: 'Templates',
    experiments: 'Experiments',
  },
  People: { imports: 'Import contacts', 'do-not-call': 'Do not call' },
  Look: { figures: 'Figures', records: 'Records and prices', audit: 'Audit' },
  Set: { rules: 'Rules', lines: 'Lines', endpoints: 'Endpoints', webhooks: 'Webhooks' },
} as const;
type PagesOf<Group> = Group extends object ? keyof Group : never;
export type PageName = PagesOf<(typeof GROUPS)[keyof typeof GROUPS]>;

/** The page that the address names; the first one when it names none. */
export function usePage(): PageName {
  const hash = useSyncExternalStore(follow, () => location.hash.slice(1));
  const isPage = Object.values(GROUPS).some((pages) => hash in pages);
  return isPage ? (hash as PageName) : 'calls';
}

function follow(onChange: () => void): () => void {
  addEventListener('hashchange', onChange);
  return () => removeEventListener('hashchange', onChange);
}

/** Plain links, so that back, forward and a bookmark do what they always do. */
export function PageNav(props: { page: PageName }) {
  return (
    <nav aria-label="Pages" className="mx-auto max-w-360 overflow-x-auto px-4 pb-3">
      <ul className="flex gap-x-5 gap-y-1 lg:flex-wrap">
        {Object.entries(GROUPS).map(([group, pages]) => (
          <li key={group} className="flex items-center gap-1">
            <span aria-hidden="true" className="text-xs text-muted">
              {group}
            </span>
            <ul aria-label={group} className="flex gap-1">
              {Object.entries(pages).map(([name, title]) => (
                <li key={name}>
                  <PageLink name={name} title={title} isHere={name === props.page} />
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function PageLink(props: { name: string; title: string; isHere: boolean }) {
  return (
    <a
      href={`#${props.name}`}
      aria-current={props.isHere ? 'page' : undefined}
      className={classes(
        'inline-flex min-h-9 items-center rounded-lg px-3 text-sm font-semibold',
        'whitespace-nowrap no-underline',
        props.isHere ? 'bg-accent text-on-accent' : 'text-accent hover:bg-accent-soft',
      )}
    >
      {props.title}
    </a>
  );
}
