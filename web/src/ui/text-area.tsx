import { useId } from 'react';

/** Several lines of text, labelled. */
export function TextArea(props: {
  label: string;
  value: string;
  maxLength: number;
  onChange: (value: string) => void;
}) {
  const id = useId();
  return (
    <div className="flex min-w-0 flex-col gap-1">
      <label htmlFor={id} className="text-sm font-semibold">
        {props.label}
      </label>
      <textarea
        id={id}
        dir="auto"
        rows={4}
        value={props.value}
        maxLength={props.maxLength}
        onChange={(event) => props.onChange(event.target.value)}
        className="rounded-lg border border-edge-strong bg-card px-3 py-1.5"
      />
    </div>
  );
}
