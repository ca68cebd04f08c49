import { Icon, type IconName } from '../ui/icon.tsx';
import { classes } from '../ui/classes.ts';

const LOOKS = {
  green: 'bg-[#1d8a4a] text-white hover:bg-[#24a058]',
  red: 'bg-[#d3302f] text-white hover:bg-[#e2403f]',
  glass: 'bg-white/15 text-white hover:bg-white/25',
  lit: 'bg-white text-[#1d1b40]',
} as const;

/** The big round buttons of a call, with their word below. */
export function RoundButton(props: {
  label: string;
  icon: IconName;
  look: keyof typeof LOOKS;
  pressed?: boolean;
  disabled?: boolean;
  small?: boolean;
  onClick: () => void;
}) {
  return (
    <button
      type="button"
      aria-pressed={props.pressed}
      disabled={props.disabled}
      onClick={props.onClick}
      className="group flex flex-col items-center gap-1.5 text-xs focus-visible:outline-none"
    >
      <span
        className={classes(
          'flex items-center justify-center rounded-full transition',
          'outline-offset-3 outline-white group-focus-visible:outline-3',
          props.small === true ? 'size-12' : 'size-15',
          LOOKS[props.look],
        )}
      >
        <Icon name={props.icon} size={props.small === true ? 20 : 26} />
      </span>
      {props.label}
    </button>
  );
}
