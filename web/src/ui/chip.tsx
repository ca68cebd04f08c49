import type { ReactNode } from 'react';
import { classes } from './classes.ts';

export type Tone = 'good' | 'bad' | 'warn' | 'accent' | 'plain';

const TONES: Record<Tone, string> = {
  good: 'bg-good-soft text-good',
  bad: 'bg-bad-soft text-bad',
  warn: 'bg-warn-soft text-warn',
  accent: 'bg-accent-soft text-accent',
  plain: 'bg-sunk text-muted',
};

/** A word on a tint. The word alone carries the meaning; the colour only repeats it. */
export function Chip(props: { tone: Tone; live?: boolean; children: ReactNode }) {
  return (
    <span
      className={classes(
        'inline-flex items-center gap-1.5 rounded-full px-2.5 py-0.5 text-xs font-semibold',
        'whitespace-nowrap',
        TONES[props.tone],
      )}
    >
      {props.live === true && (
        <span aria-hidden className="size-1.5 animate-pulse rounded-full bg-current" />
      )}
      {props.children}
    </span>
  );
}
