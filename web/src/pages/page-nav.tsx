import { useSyncExternalStore } from 'react';
import { classes } from '../ui/classes.ts';

/** The pages of the dashboard, by the name in the address after `#`. */
export const PAGES = {
  calls: 'Ask and call',
  schedule: 'Schedule',
  rules: 'Rules',
  templates: 'Templates',
  scripts: 'Scripts',
  journeys: 'Journeys',
  campaigns: 'Campaigns',
  experiments: 'Experiments',
  records: 'Records and prices',
  endpoints: 'Endpoints',
  agents: 'Agents',
  figures: 'Figures',
  imports: 'Import contacts',
  'do-not-call': 'Do not call',
  audit: 'Audit',
} as const;
export type PageName = keyof typeof PAGES;

/** The page that the address names; the first one when it names none. */
export function usePage(): PageName {
  const hash = useSyncExternalStore(follow, () => location.hash.slice(1));
  return hash in PAGES ? (hash as PageName) : 'calls';
}

function follow(onChange: () => void): () => void {
  addEventListener('hashchange', onChange);
  return () => removeEventListener('hashchange', onChange);
}

/** Plain links, so that back, forward and a bookmark do what they always do. */
export function PageNav(props: { page: PageName }) {
  return (
    <nav aria-label="Pages" className="mx-auto max-w-360 overflow-x-auto px-4 pb-3">
      <ul className="flex gap-1">
        {Object.entries(PAGES).map(([name, title]) => (
          <li key={name}>
            <a
              href={`#${name}`}
              aria-current={name === props.page ? 'page' : undefined}
              className={classes(
                'inline-flex min-h-9 items-center rounded-lg px-3 text-sm font-semibold',
                'whitespace-nowrap no-underline',
                name === props.page
                  ? 'bg-accent text-on-accent'
                  : 'text-accent hover:bg-accent-soft',
              )}
            >
              {title}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
