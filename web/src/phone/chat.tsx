import { useEffect, useMemo, useRef } from 'react';
import type { PersonAction, SimPerson } from '../../../simulator/control-types.ts';
import { Icon } from '../ui/icon.tsx';
import { shortTime } from '../ui/format.ts';
import { chatItems, pastCallText } from './chat-items.ts';
import { MessageBubble } from './message-bubble.tsx';

/** The chat with the business: messages and past calls, newest at the bottom and in view. */
export function Chat(props: { person: SimPerson; onAction: (action: PersonAction) => void }) {
  const items = useMemo(() => chatItems(props.person), [props.person]);
  const list = useRef<HTMLDivElement>(null);
  const newest = items.at(-1)?.id;
  useEffect(() => {
    list.current?.scrollTo({ top: list.current.scrollHeight });
  }, [newest]);
  return (
    <div
      ref={list}
      role="log"
      aria-label="Chat"
      // The log scrolls, so it must be reachable by keyboard (WCAG 2.1.1).
      tabIndex={0}
      className="flex min-h-0 flex-1 flex-col gap-2 overflow-y-auto bg-chat p-3 focus-visible:-outline-offset-3"
    >
      {items.length === 0 && (
        <p className="m-auto max-w-[80%] rounded-xl bg-bubble p-3 text-center text-sm text-muted">
          Nothing here yet. When the business asks for permission to call, the request shows up
          here.
        </p>
      )}
      {items.map((item) =>
        item.kind === 'message' ? (
          <MessageBubble key={item.id} message={item.message} onAction={props.onAction} />
        ) : (
          <p
            key={item.id}
            className="flex items-center gap-2 self-start rounded-2xl rounded-bl-md bg-bubble px-3 py-2 text-sm shadow-sm"
          >
            <Icon name={item.call.answeredAt === null ? 'hangUp' : 'phone'} size={16} />
            <span>{pastCallText(item.call)}</span>
            <time dateTime={item.at} className="text-[0.6875rem] text-muted">
              {shortTime(item.at)}
            </time>
          </p>
        ),
      )}
    </div>
  );
}
