import type { PersonAction, SimMessage } from '../../../simulator/control-types.ts';
import { classes } from '../ui/classes.ts';
import { shortTime } from '../ui/format.ts';
import { tapOn } from './chat-items.ts';

const ANSWERED: Partial<Record<string, string>> = {
  allowed: 'You allowed calls',
  allowed_always: 'You always allow calls',
  declined: 'You said not now',
  lapsed: 'This request has lapsed',
};

/** One message as the customer sees it, with its buttons to tap. */
export function MessageBubble(props: { message: SimMessage; onAction: (a: PersonAction) => void }) {
  const { message } = props;
  if (message.from === 'whatsapp' || message.kind === 'system') {
    return (
      <p className="mx-auto max-w-[85%] rounded-lg bg-sunk px-3 py-1 text-center text-xs text-muted">
        {message.text}
      </p>
    );
  }
  const own = message.from === 'person';
  const answered = message.request === null ? undefined : ANSWERED[message.request.state];
  return (
    <div
      className={classes(
        'max-w-[85%] overflow-hidden rounded-2xl text-sm shadow-sm',
        own ? 'self-end rounded-br-md bg-bubble-own' : 'self-start rounded-bl-md bg-bubble',
      )}
    >
      <div className="px-3 pt-2 pb-1.5">
        <span className="sr-only">{own ? 'You wrote: ' : 'The business wrote: '}</span>
        {message.header !== null && <p className="font-bold">{message.header}</p>}
        <p className="wrap-break-word whitespace-pre-wrap">{message.text}</p>
        {message.footer !== null && <p className="mt-1 text-xs text-muted">{message.footer}</p>}
        <p className="mt-0.5 flex justify-end gap-2 text-[0.6875rem] text-muted">
          {answered !== undefined && <span className="mr-auto font-semibold">{answered}</span>}
          <time dateTime={message.at}>{shortTime(message.at)}</time>
        </p>
      </div>
      <MessageButtons {...props} />
    </div>
  );
}

function MessageButtons(props: { message: SimMessage; onAction: (a: PersonAction) => void }) {
  const { message } = props;
  if (message.buttons.length === 0) return null;
  return (
    <div className="flex flex-col">
      {message.buttons.map((button) => (
        <button
          key={button.text}
          type="button"
          disabled={!button.enabled}
          onClick={() => props.onAction(tapOn(button, message))}
          className={classes(
            'min-h-10 border-t border-edge px-3 font-semibold focus-visible:-outline-offset-3',
            button.enabled ? 'text-accent hover:bg-accent-soft' : 'cursor-default text-muted',
          )}
        >
          {button.text}
        </button>
      ))}
    </div>
  );
}
