import { useId, useState } from 'react';
import { Button } from '../ui/button.tsx';

export type Choice = { number: string; name: string | null };

const OTHER = 'other';

/** Whom the business is dealing with: somebody known, or any other number. */
export function ContactPicker(props: {
  choices: readonly Choice[];
  number: string | null;
  onPick: (number: string) => void;
}) {
  const id = useId();
  const [typing, setTyping] = useState(false);
  const [typed, setTyped] = useState('+');
  const known = props.choices.some((choice) => choice.number === props.number);
  const showsForm = typing || props.choices.length === 0;
  return (
    <div className="flex flex-wrap items-end gap-2">
      <div className="flex min-w-0 flex-1 basis-56 flex-col gap-1">
        <label htmlFor={id} className="text-sm font-semibold">
          Contact
        </label>
        <select
          id={id}
          value={typing ? OTHER : (props.number ?? OTHER)}
          onChange={(event) => {
            setTyping(event.target.value === OTHER);
            if (event.target.value !== OTHER) props.onPick(event.target.value);
          }}
          className="min-h-9 w-full rounded-lg border border-edge-strong bg-card px-2.5 text-sm"
        >
          {!known && props.number !== null && <option value={props.number}>{props.number}</option>}
          {props.choices.map((choice) => (
            <option key={choice.number} value={choice.number}>
              {choice.name === null ? choice.number : `${choice.name} · ${choice.number}`}
            </option>
          ))}
          <option value={OTHER}>Another number…</option>
        </select>
      </div>
      {showsForm && (
        <form
          className="flex items-end gap-2"
          onSubmit={(event) => {
            event.preventDefault();
            props.onPick(typed.replace(/[\s().-]/g, ''));
            setTyping(false);
          }}
        >
          <label className="flex flex-col gap-1 text-sm font-semibold">
            Number with country code
            <input
              type="tel"
              value={typed}
              required
              pattern="\+[0-9 ().\-]{6,20}"
              title="A plus, the country code and the number, such as +44 7700 900001"
              onChange={(event) => setTyped(event.target.value)}
              className="min-h-9 rounded-lg border border-edge-strong bg-card px-3 font-normal"
            />
          </label>
          <Button type="submit">Use</Button>
        </form>
      )}
    </div>
  );
}
