import { useState } from 'react';
import { Button } from './button.tsx';
import { TextField } from './field.tsx';

/** Asks for a person; `onAsk` is told when the words are complete, not for each letter. */
export function PersonForm(props: {
  initial: string;
  action: string;
  onAsk: (person: string) => void;
}) {
  const [typed, setTyped] = useState(props.initial);
  return (
    <form
      className="flex flex-wrap items-end gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        props.onAsk(typed.trim());
      }}
    >
      <div className="min-w-60 flex-1">
        <TextField
          label="Number or user id"
          value={typed}
          required
          maxLength={100}
          placeholder="+447700900100"
          onChange={setTyped}
        />
      </div>
      <Button type="submit" look="primary">
        {props.action}
      </Button>
    </form>
  );
}
