import { useState } from 'react';
import { useLines } from '../api/business-hooks.ts';
import {
  useSetSurveys,
  useSurveys,
  useSurveySettings,
  type SurveySettings,
  type SurveyView,
} from '../api/survey-hooks.ts';
import { scoreWords } from '../business/after-call-words.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { CheckBox } from '../ui/check-box.tsx';
import { Chip } from '../ui/chip.tsx';
import { TextField } from '../ui/field.tsx';
import { dayAndTime, inWords } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';

/** Whether customers are asked how a call was, and what they have answered. */
export function SurveysCard() {
  const settings = useSurveySettings();
  const surveys = useSurveys();
  const items = surveys.data?.items ?? [];
  return (
    <Card title="How customers found their calls">
      {settings.error !== null && <ProblemNote error={settings.error} />}
      {settings.data !== undefined && <Settings stored={settings.data} />}
      {surveys.error !== null && <ProblemNote error={surveys.error} />}
      {surveys.data !== undefined && items.length === 0 && (
        <p className="mt-3 text-sm text-muted">
          Nobody was asked yet. Switched on, each answered call is followed by one message with five
          stars to choose from; never after a stop.
        </p>
      )}
      {items.length > 0 && (
        <ul className="mt-3 flex flex-col gap-1.5 border-t border-edge pt-3 text-sm">
          {items.map((survey) => (
            <SurveyRow key={survey.id} survey={survey} />
          ))}
        </ul>
      )}
    </Card>
  );
}

function Settings(props: { stored: SurveySettings }) {
  const { stored } = props;
  const [ticked, setTicked] = useState<boolean | null>(null);
  const [typed, setTyped] = useState<string | null>(null);
  const enabled = ticked ?? stored.enabled;
  const seconds = typed ?? String(stored.minSeconds);
  const save = useSetSurveys();
  return (
    <form
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate({ enabled, minSeconds: Number(seconds) });
      }}
    >
      <CheckBox label="Ask after each answered call" checked={enabled} onChange={setTicked} />
      <div className="flex flex-wrap items-end gap-3">
        <TextField
          label="Only after so many seconds of talk"
          type="number"
          min={0}
          max={3600}
          required
          value={seconds}
          onChange={setTyped}
        />
        <Button type="submit" look="primary" disabled={save.isPending}>
          {save.isPending ? 'Saving…' : 'Save'}
        </Button>
      </div>
      <p role="status" className="text-xs text-muted">
        {save.isSuccess ? 'Saved. It holds for calls that end from now on.' : ''}
      </p>
      {stored.lines.length > 1 && <LineList stored={stored} />}
      {save.error !== null && <ProblemNote error={save.error} />}
    </form>
  );
}

/** Lines may keep out of it, or join in alone. */
function LineList(props: { stored: SurveySettings }) {
  const lines = useLines();
  const save = useSetSurveys();
  return (
    <ul className="flex flex-col gap-1">
      {props.stored.lines.map(({ lineId, enabled }) => (
        <li key={lineId}>
          <CheckBox
            label={`Line ${lines.data?.items.find(({ id }) => id === lineId)?.name ?? lineId}`}
            checked={enabled}
            onChange={(wanted) => save.mutate({ lineId, enabled: wanted })}
          />
        </li>
      ))}
      {save.error !== null && <ProblemNote error={save.error} />}
    </ul>
  );
}

function SurveyRow(props: { survey: SurveyView }) {
  const { status, score, way, askedAt } = props.survey;
  return (
    <li className="flex flex-wrap items-center gap-2">
      <Chip tone={status === 'answered' ? 'good' : status === 'failed' ? 'bad' : 'plain'}>
        {status === 'answered' ? scoreWords(score) : inWords(status)}
      </Chip>
      <span className="text-muted">
        {way === 'key_press' ? 'by key press' : 'by message'}, asked {dayAndTime(askedAt)}
      </span>
    </li>
  );
}
