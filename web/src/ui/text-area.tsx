import { useId } from 'react';
import { classes } from './classes.ts';

/** Several lines of text, labelled. */
export function TextArea(props: {
  label: string;
  value: string;
  maxLength: number;
  rows?: number;
  /** For what people do not read as prose, such as JSON. */
  code?: boolean;
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
        dir={props.code === true ? 'ltr' : 'auto'}
        rows={props.rows ?? 4}
        spellCheck={props.code !== true}
        value={props.value}
        maxLength={props.maxLength}
        onChange={(event) => props.onChange(event.target.value)}
        className={classes(
          'rounded-lg border border-edge-strong bg-card px-3 py-1.5',
          props.code === true && 'font-mono text-xs',
        )}
      />
    </div>
  );
}
