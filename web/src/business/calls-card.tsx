import { useState } from 'react';
import { useCalls } from '../api/business-hooks.ts';
import { Card } from '../ui/card.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { CallDetail } from './call-detail.tsx';
import { CallList } from './call-list.tsx';
import { ExampleStart, type Example } from './example-start.tsx';

/** The calls of one contact or of everybody, and the chosen one in detail beside them. */
export function CallsCard(props: {
  contactId: string | null;
  chosenId: string | null;
  nameOf: (contactId: string) => string;
  example: Example | null;
  lineId: string;
  onChoose: (callId: string) => void;
  onExample: (number: string) => void;
}) {
  const [onlyThis, setOnlyThis] = useState(false);
  const calls = useCalls(onlyThis ? props.contactId : null);
  const items = calls.data?.items ?? [];
  const chosenId = items.find((call) => call.id === props.chosenId)?.id ?? items[0]?.id ?? null;
  return (
    <Card
      title="Calls"
      aside={
        <label className="flex min-h-6 items-center gap-2 text-sm">
          <input
            type="checkbox"
            checked={onlyThis}
            disabled={props.contactId === null}
            onChange={(event) => setOnlyThis(event.target.checked)}
            className="size-4 accent-accent"
          />
          Only this contact
        </label>
      }
    >
      {calls.error !== null && <ProblemNote error={calls.error} />}
      {calls.data !== undefined && items.length === 0 && (
        <ExampleStart example={props.example} lineId={props.lineId} onStart={props.onExample} />
      )}
      {chosenId !== null && (
        <div className="grid gap-4 lg:grid-cols-[minmax(15rem,19rem)_minmax(0,1fr)]">
          <div className="max-h-96 overflow-y-auto lg:max-h-160">
            <CallList
              calls={items}
              nameOf={props.nameOf}
              chosenId={chosenId}
              onChoose={props.onChoose}
            />
          </div>
          <CallDetail key={chosenId} callId={chosenId} nameOf={props.nameOf} />
        </div>
      )}
    </Card>
  );
}
