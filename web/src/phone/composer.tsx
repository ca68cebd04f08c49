import { useId, useState } from 'react';
import { Icon } from '../ui/icon.tsx';

/** The line to type a message in; STOP is offered, because that is what people will try. */
export function Composer(props: { onWrite: (text: string) => void }) {
  const [text, setText] = useState('');
  const id = useId();
  const write = (): void => {
    const trimmed = text.trim();
    if (trimmed === '') return;
    props.onWrite(trimmed);
    setText('');
  };
  return (
    <form
      className="flex items-center gap-2 border-t border-edge bg-card p-2 pb-3"
      onSubmit={(event) => {
        event.preventDefault();
        write();
      }}
    >
      <button
        type="button"
        onClick={() => props.onWrite('STOP')}
        className="min-h-9 rounded-full border border-bad px-3 text-xs font-bold text-bad hover:bg-bad-soft"
      >
        <span className="sr-only">Send </span>STOP
      </button>
      <label htmlFor={id} className="sr-only">
        Type a message
      </label>
      <input
        id={id}
        value={text}
        autoComplete="off"
        maxLength={4096}
        placeholder="Type a message"
        onChange={(event) => setText(event.target.value)}
        className="min-h-9 min-w-0 flex-1 rounded-full border border-edge-strong bg-card px-3.5 text-sm placeholder:text-muted"
      />
      <button
        type="submit"
        aria-label="Send message"
        className="flex size-9 shrink-0 items-center justify-center rounded-full bg-accent text-on-accent"
      >
        <Icon name="send" size={18} />
      </button>
    </form>
  );
}
