import { useState } from 'react';
import { Button } from './button.tsx';

/** The cursors of the pages that were opened, the shown one last; none is the first page. */
export type Pages = { after: string | undefined; opened: readonly string[]; open: Open };
type Open = (opened: readonly string[]) => void;

/** Where somebody is in a list that comes page by page. */
export function usePages(): Pages {
  const [opened, open] = useState<readonly string[]>([]);
  return { after: opened.at(-1), opened, open };
}

/** To the page before and the one after; nothing where all is on one page. */
export function PageButtons(props: {
  pages: Pages;
  next: string | null;
  back?: string;
  on?: string;
}) {
  const { next, back = 'Back', on = 'More' } = props;
  const { opened, open } = props.pages;
  if (opened.length === 0 && next === null) return null;
  return (
    <div className="mt-3 flex gap-2">
      <Button blocked={opened.length === 0} onClick={() => open(opened.slice(0, -1))}>
        {back}
      </Button>
      <Button blocked={next === null} onClick={() => next !== null && open([...opened, next])}>
        {on}
      </Button>
    </div>
  );
}
