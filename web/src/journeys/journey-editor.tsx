import { useState } from 'react';
import {
  useJourneyCheck,
  useSaveJourney,
  type JourneyCheck,
  type JourneyView,
} from '../api/journey-hooks.ts';
import { CopyCurl } from '../business/copy-curl.tsx';
import { jsonFault, lineOfStep } from '../scripts/step-line.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { TextArea } from '../ui/text-area.tsx';
import { useSettled } from '../ui/use-settled.ts';
import { JourneyDrawing } from './journey-drawing.tsx';
import { VersionList } from './version-list.tsx';

const LENGTH_MAX = 100_000;

/** One journey as JSON, checked and drawn while it is written. */
export function JourneyEditor(props: {
  id: string | null;
  title: string;
  text: string;
  onSaved: (journey: JourneyView) => void;
}) {
  const [text, setText] = useState(props.text);
  const save = useSaveJourney();
  const written = useSettled(text);
  const fault = jsonFault(written);
  const check = useJourneyCheck(fault === null ? written : null);
  const isFaulty = fault !== null || check.data?.ok !== true;
  return (
    <Card title={props.title}>
      <form
        className="grid grid-cols-1 gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (isFaulty || jsonFault(text) !== null) return;
          const wish = { id: props.id, journey: JSON.parse(text) as unknown };
          save.mutate(wish, { onSuccess: props.onSaved });
        }}
      >
        <div role="status">
          {fault !== null && <p className="text-sm text-bad">Not JSON yet: {fault}</p>}
          {fault === null && check.data !== undefined && (
            <Verdict name={props.title} check={check.data} text={written} />
          )}
        </div>
        {check.error !== null && <ProblemNote error={check.error} />}
        <TextArea
          label="Journey"
          value={text}
          code
          rows={20}
          maxLength={LENGTH_MAX}
          onChange={setText}
        />
        <div className="flex flex-wrap items-start gap-2">
          <Button type="submit" look="primary" blocked={isFaulty} disabled={save.isPending}>
            {props.id === null ? 'Save the journey' : 'Save a new version'}
          </Button>
          {!isFaulty && (
            <CopyCurl
              what="save the journey"
              path="/v1/journeys"
              body={JSON.parse(written) as unknown}
            />
          )}
        </div>
      </form>
      {save.error !== null && <ProblemNote error={save.error} />}
      {props.id !== null && <VersionList id={props.id} />}
    </Card>
  );
}

/** What stands against it, each with the line of its step; else the drawing. */
function Verdict(props: { name: string; check: JourneyCheck; text: string }) {
  const { problems, drawing } = props.check;
  if (problems.length === 0) return <JourneyDrawing name={props.name} steps={drawing} />;
  return (
    <ul aria-label="Problems" className="flex flex-col gap-2">
      {problems.map(({ step, field, rule, fix }) => {
        const line = step === null ? null : lineOfStep(props.text, step);
        return (
          <li key={`${step ?? ''} ${field} ${rule}`} className="border-l-2 border-bad pl-3 text-sm">
            <code className="font-mono text-xs">
              {line === null ? '' : `line ${line}, `}
              {step === null ? '' : `${step} `}
              {field}
            </code>
            <p>
              {rule}. <strong>{fix}</strong>
            </p>
          </li>
        );
      })}
    </ul>
  );
}
