import { useState } from 'react';
import {
  useSaveScript,
  useScriptCheck,
  type CheckView,
  type ScriptView,
} from '../api/script-hooks.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { TextField } from '../ui/field.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { TextArea } from '../ui/text-area.tsx';
import { useSettled } from '../ui/use-settled.ts';
import { jsonFault, lineOfStep } from './step-line.ts';

const LENGTH_MAX = 100_000;

/** One script as JSON, checked while it is written, with what a call with it would be like. */
export function ScriptEditor(props: {
  id: string | null;
  title: string;
  text: string;
  onSaved: (script: ScriptView) => void;
}) {
  const [text, setText] = useState(props.text);
  const [keys, setKeys] = useState('1');
  const save = useSaveScript();
  const script = useSettled(text);
  const fault = jsonFault(script);
  const entries = useSettled(keys)
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => /^[0-9*#]{0,32}$/.test(entry));
  const check = useScriptCheck(fault === null ? { script, entries } : null);
  const isFaulty = fault !== null || check.data?.ok !== true;
  return (
    <Card title={props.title}>
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (isFaulty || jsonFault(text) !== null) return;
          const wish = { id: props.id, script: JSON.parse(text) as unknown };
          save.mutate(wish, { onSuccess: props.onSaved });
        }}
      >
        <TextArea
          label="Script"
          value={text}
          code
          rows={24}
          maxLength={LENGTH_MAX}
          onChange={setText}
        />
        <TextField
          label="Try it with these keys"
          value={keys}
          hint="One entry per question, separated by commas"
          onChange={setKeys}
        />
        <div>
          <Button type="submit" look="primary" blocked={isFaulty} disabled={save.isPending}>
            {props.id === null ? 'Save the script' : 'Save a new version'}
          </Button>
        </div>
      </form>
      {save.error !== null && <ProblemNote error={save.error} />}
      {check.error !== null && <ProblemNote error={check.error} />}
      <div role="status" className="mt-3">
        {fault !== null && <p className="text-sm text-bad">Not JSON yet: {fault}</p>}
        {fault === null && check.data !== undefined && <Verdict check={check.data} text={script} />}
      </div>
    </Card>
  );
}

/** What stands against it, each with the line of its step; else the dry run. */
function Verdict(props: { check: CheckView; text: string }) {
  const { problems, dryRun } = props.check;
  if (problems.length > 0) {
    return (
      <ul aria-label="Problems" className="flex flex-col gap-2">
        {problems.map((problem) => {
          const line = problem.step === null ? null : lineOfStep(props.text, problem.step);
          return (
            <li
              key={`${problem.step ?? ''} ${problem.field} ${problem.rule}`}
              className="border-l-2 border-bad pl-3 text-sm"
            >
              <code className="font-mono text-xs">
                {line === null ? '' : `line ${line}, `}
                {problem.step === null ? '' : `${problem.step} `}
                {problem.field}
              </code>
              <p>
                {problem.rule}. <strong>{problem.fix}</strong>
              </p>
            </li>
          );
        })}
      </ul>
    );
  }
  return (
    <>
      <h3 className="text-sm font-bold">What the call would be like</h3>
      <ol className="mt-1 flex flex-col gap-1 text-sm">
        {dryRun.map((entry, index) => (
          <li key={`${index} ${entry.what}`} className="flex gap-2">
            <span className="w-12 shrink-0 text-muted">{(entry.atMs / 1_000).toFixed(1)} s</span>
            <span className="w-14 shrink-0 font-semibold">{entry.what}</span>
            <span className="min-w-0 break-words">{entry.text}</span>
          </li>
        ))}
      </ol>
    </>
  );
}
