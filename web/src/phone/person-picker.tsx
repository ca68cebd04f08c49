import { useId } from 'react';
import type { SimPerson } from '../../../simulator/control-types.ts';

/** Whose phone is on the screen, and what that person does without being helped. */
export function PersonPicker(props: {
  people: readonly SimPerson[];
  number: string;
  onPick: (number: string) => void;
}) {
  const id = useId();
  const byHand = byNumber(props.people.filter((person) => person.interactive));
  const byScript = byNumber(props.people.filter((person) => !person.interactive));
  const about = props.people.find((person) => person.number === props.number)?.about;
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="text-sm font-semibold">
        Whose phone
      </label>
      <select
        id={id}
        value={props.number}
        aria-describedby={`${id}-about`}
        onChange={(event) => props.onPick(event.target.value)}
        className="min-h-9 w-full rounded-lg border border-edge-strong bg-card px-2.5 text-sm"
      >
        <PersonOptions label="You play them" people={byHand} />
        <PersonOptions label="They act by themselves" people={byScript} />
      </select>
      <p id={`${id}-about`} className="min-h-10 text-xs text-muted">
        {about}
      </p>
    </div>
  );
}

function PersonOptions(props: { label: string; people: readonly SimPerson[] }) {
  if (props.people.length === 0) return null;
  return (
    <optgroup label={props.label}>
      {props.people.map((person) => (
        <option key={person.number} value={person.number}>
          {person.name} · {person.number}
        </option>
      ))}
    </optgroup>
  );
}

/** The simulator lists the busiest first; a list to pick from must stand still. */
function byNumber(people: readonly SimPerson[]): SimPerson[] {
  return people.toSorted((a, b) => (a.number < b.number ? -1 : 1));
}
