import { useId } from 'react';

/** One of a few, labelled. */
export function SelectField<Value extends string>(props: {
  label: string;
  value: Value;
  options: ReadonlyArray<readonly [value: Value, words: string]>;
  onChange: (value: Value) => void;
}) {
  const id = useId();
  const chosen = (text: string): Value | undefined =>
    props.options.find(([value]) => value === text)?.[0];
  return (
    <div className="flex min-w-0 flex-col gap-1">
      <label htmlFor={id} className="text-sm font-semibold">
        {props.label}
      </label>
      <select
        id={id}
        value={props.value}
        onChange={(event) => props.onChange(chosen(event.target.value) ?? props.value)}
        className="min-h-9 min-w-0 rounded-lg border border-edge-strong bg-card px-2.5 text-sm"
      >
        {props.options.map(([value, words]) => (
          <option key={value} value={value}>
            {words}
          </option>
        ))}
      </select>
    </div>
  );
}
