import { useId, type ReactNode } from 'react';
import { classes } from './classes.ts';

/** A titled part of the page; its heading names the region for screen readers. */
export function Card(props: {
  title: string;
  aside?: ReactNode;
  className?: string;
  children: ReactNode;
}) {
  const titleId = useId();
  return (
    <section
      aria-labelledby={titleId}
      className={classes('rounded-2xl border border-edge bg-card p-4 shadow-sm', props.className)}
    >
      <div className="mb-3 flex flex-wrap items-center justify-between gap-x-3 gap-y-1">
        <h2 id={titleId} className="text-base font-bold">
          {props.title}
        </h2>
        {props.aside}
      </div>
      {props.children}
    </section>
  );
}
