import type { ButtonHTMLAttributes } from 'react';
import { classes } from './classes.ts';

type Look = 'primary' | 'plain' | 'quiet' | 'danger';

const LOOKS: Record<Look, string> = {
  primary: 'bg-accent text-on-accent border-transparent hover:brightness-110',
  plain: 'bg-card text-ink border-edge-strong hover:bg-sunk',
  quiet: 'bg-transparent text-accent border-transparent hover:bg-accent-soft',
  danger: 'bg-card text-bad border-bad hover:bg-bad-soft',
};

export type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & {
  look?: Look;
  /** Not usable now, yet reachable by keyboard, so that the reason beside it can be read. */
  blocked?: boolean;
};

/** A button with a target of at least 36 px and a visible state for each way it can be. */
export function Button({ look = 'plain', blocked = false, onClick, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      aria-disabled={blocked || undefined}
      onClick={blocked ? (event) => event.preventDefault() : onClick}
      className={classes(
        'inline-flex min-h-9 items-center justify-center gap-2 rounded-lg border px-3.5 py-1.5',
        'text-sm font-semibold transition disabled:cursor-default',
        blocked || rest.disabled === true
          ? 'cursor-not-allowed border-edge bg-sunk text-muted'
          : LOOKS[look],
        rest.className,
      )}
    />
  );
}
