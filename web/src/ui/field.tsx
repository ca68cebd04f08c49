import { useId, type InputHTMLAttributes } from 'react';

/** A labelled line of text, with suggestions when there are any. */
export function TextField(
  props: Omit<InputHTMLAttributes<HTMLInputElement>, 'onChange' | 'id' | 'list'> & {
    label: string;
    hint?: string;
    suggestions?: readonly string[];
    onChange: (value: string) => void;
  },
) {
  const { label, hint, suggestions, onChange, ...input } = props;
  const id = useId();
  return (
    <div className="flex min-w-0 flex-col gap-1">
      <label htmlFor={id} className="text-sm font-semibold">
        {label}
      </label>
      <input
        {...input}
        id={id}
        list={suggestions === undefined ? undefined : `${id}-list`}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={(event) => onChange(event.target.value)}
        className="min-h-9 rounded-lg border border-edge-strong bg-card px-3 py-1.5"
      />
      {hint !== undefined && (
        <p id={`${id}-hint`} className="text-xs text-muted">
          {hint}
        </p>
      )}
      {suggestions !== undefined && (
        <datalist id={`${id}-list`}>
          {suggestions.map((text) => (
            <option key={text} value={text} />
          ))}
        </datalist>
      )}
    </div>
  );
}
