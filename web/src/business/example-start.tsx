import { useAsk } from '../api/business-hooks.ts';
import { Button } from '../ui/button.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { PURPOSES } from './ask-card.tsx';

/** A person of the simulator who answers by script, so that one press shows something. */
export type Example = { number: string; name: string };

/** The empty list of calls: says what to do, and does it at one press in the simulator. */
export function ExampleStart(props: {
  example: Example | null;
  lineId: string;
  onStart: (number: string) => void;
}) {
  const ask = useAsk();
  const { example } = props;
  const start = (): void => {
    if (example === null) return;
    props.onStart(example.number);
    ask.mutate({
      to: example.number,
      purpose: PURPOSES[0],
      lineId: props.lineId,
      name: example.name,
    });
  };
  return (
    <div className="flex flex-col items-center gap-3 rounded-xl bg-sunk p-6 text-center text-sm">
      <p className="max-w-100 text-muted">
        No calls yet. Ask somebody for permission; once they allow it, “Call now” opens.
      </p>
      {example !== null && (
        <Button look="primary" disabled={ask.isPending} onClick={start}>
          Make an example: ask {example.name}
        </Button>
      )}
      {ask.error !== null && <ProblemNote error={ask.error} />}
    </div>
  );
}
