import { useId } from 'react';

/** A box to tick, with its words beside it. */
export function CheckBox(props: {
  label: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
}) {
  const id = useId();
  return (
    <p className="flex min-h-9 items-center gap-2 text-sm">
      <input
        id={id}
        type="checkbox"
        checked={props.checked}
        onChange={(event) => props.onChange(event.target.checked)}
        className="size-5 shrink-0 accent-(--accent)"
      />
      <label htmlFor={id}>{props.label}</label>
    </p>
  );
}
