import type { Checklist } from '../../../src/practices/practices.ts';
import { CheckBox } from '../ui/check-box.tsx';

export const UNCHECKED: Checklist = {
  tooComplexForMessage: false,
  needsImmediateHelp: false,
  savesTime: false,
  actionable: false,
};

const QUESTIONS: ReadonlyArray<readonly [keyof Checklist, string]> = [
  ['tooComplexForMessage', 'It is too complex for a message'],
  ['needsImmediateHelp', 'They need help right now'],
  ['savesTime', 'Talking saves time for both'],
  ['actionable', 'There is something to act on'],
];

/** Why a call and not a message: asked of whoever calls by hand, and kept in the ledger. */
export function ValueChecklist(props: {
  answers: Checklist;
  required: boolean;
  onChange: (answers: Checklist) => void;
}) {
  const { answers } = props;
  return (
    <fieldset className="rounded-lg border border-edge px-3 py-2">
      <legend className="px-1 text-sm font-semibold">Why a call, not a message?</legend>
      <div className="grid sm:grid-cols-2">
        {QUESTIONS.map(([question, words]) => (
          <CheckBox
            key={question}
            label={words}
            checked={answers[question]}
            onChange={(yes) => props.onChange({ ...answers, [question]: yes })}
          />
        ))}
      </div>
      {props.required && !Object.values(answers).includes(true) && (
        <p className="text-xs text-muted">Your account wants at least one of them.</p>
      )}
    </fieldset>
  );
}
