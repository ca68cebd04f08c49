import { useId, useState, type DragEvent } from 'react';
import { classes } from './classes.ts';

/** A file by the chooser of the browser, or dropped upon it; the chooser works by keyboard. */
export function FileDrop(props: {
  label: string;
  accept: string;
  file: File | null;
  onFile: (file: File | null) => void;
}) {
  const id = useId();
  const [over, setOver] = useState(false);
  /** Counted, so that a chooser does not go on naming a file that another one was dropped upon. */
  const [drops, setDrops] = useState(0);
  const onDrop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    const [dropped] = event.dataTransfer.files;
    if (dropped === undefined) return;
    setDrops(drops + 1);
    props.onFile(dropped);
  };
  return (
    <div
      className={classes(
        'flex min-w-0 flex-col gap-1 rounded-lg border border-dashed p-3',
        over ? 'border-accent bg-accent-soft' : 'border-edge-strong',
      )}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={onDrop}
    >
      <label htmlFor={id} className="text-sm font-semibold">
        {props.label}
      </label>
      <input
        key={drops}
        id={id}
        type="file"
        accept={props.accept}
        className="min-h-9 w-full min-w-0 rounded-lg border border-edge-strong bg-card px-3 py-1.5 text-sm"
        onChange={(event) => props.onFile(event.target.files?.[0] ?? null)}
      />
      <p className="text-xs text-muted">
        {props.file === null
          ? 'Choose a file, or drop it here.'
          : `${props.file.name}, ${Math.max(1, Math.round(props.file.size / 1024))} kB`}
      </p>
    </div>
  );
}
