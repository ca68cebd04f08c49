import { useId } from 'react';
import type { LineView } from '../../../src/http/api-types.ts';

/** From which business number; a plain text while there is only one. */
export function LinePicker(props: {
  lines: readonly LineView[];
  lineId: string;
  onPick: (lineId: string) => void;
}) {
  const id = useId();
  const only = props.lines.length === 1 ? props.lines[0] : undefined;
  if (only !== undefined) {
    return (
      <p className="flex min-w-0 flex-col">
        <span className="text-sm font-semibold">Calling as</span>
        <span className="flex min-h-9 items-center gap-2 text-sm">
          {only.name} <span className="font-mono text-xs text-muted">{only.displayNumber}</span>
        </span>
      </p>
    );
  }
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="text-sm font-semibold">
        Calling as
      </label>
      <select
        id={id}
        value={props.lineId}
        onChange={(event) => props.onPick(event.target.value)}
        className="min-h-9 rounded-lg border border-edge-strong bg-card px-2.5 text-sm"
      >
        {props.lines.map((line) => (
          <option key={line.id} value={line.id}>
            {line.name} · {line.displayNumber}
          </option>
        ))}
      </select>
    </div>
  );
}
