import { useState } from 'react';
import type { PersonAction, SimPerson } from '../../../simulator/control-types.ts';
import { Button } from '../ui/button.tsx';
import { TextField } from '../ui/field.tsx';

/** Gives the person another number or user id; consent and stops must go along. */
export function NamesForm(props: { person: SimPerson; onAction: (action: PersonAction) => void }) {
  const [number, setNumber] = useState('');
  return (
    <form
      className="flex flex-col gap-2 border-t border-edge pt-2"
      onSubmit={(event) => {
        event.preventDefault();
        props.onAction({ action: 'change_number', newNumber: number.trim() });
      }}
    >
      <p className="text-xs break-all text-muted">
        {props.person.number} · {props.person.userId}
      </p>
      <TextField
        label="New number of this person"
        value={number}
        required
        maxLength={20}
        pattern="\+[1-9][0-9]{6,14}"
        placeholder="+447700900990"
        onChange={setNumber}
      />
      <div className="flex flex-wrap gap-2">
        <Button type="submit">Change number</Button>
        <Button onClick={() => props.onAction({ action: 'change_user_id' })}>Change user id</Button>
      </div>
    </form>
  );
}
