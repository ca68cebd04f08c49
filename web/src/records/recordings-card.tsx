import { useState } from 'react';
import {
  useRecordingSettings,
  useSetRecordings,
  type RecordingSettings,
} from '../api/recording-hooks.ts';
import { usePrompts } from '../api/script-hooks.ts';
import { CopyCurl } from '../business/copy-curl.tsx';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { TextField } from '../ui/field.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { SelectField } from '../ui/select-field.tsx';

/** How people are told that they are recorded, and how long that is kept. */
export function RecordingsCard() {
  const settings = useRecordingSettings();
  return (
    <Card title="Recordings">
      {settings.error !== null && <ProblemNote error={settings.error} />}
      {settings.data !== undefined && <Settings stored={settings.data} />}
    </Card>
  );
}

function Settings(props: { stored: RecordingSettings }) {
  const { stored } = props;
  const prompts = usePrompts();
  const save = useSetRecordings();
  const [picked, setPicked] = useState<string | null>(null);
  const [typed, setTyped] = useState<string | null>(null);
  const prompt = picked ?? stored.announcementPrompt ?? '';
  const days = typed ?? String(stored.retentionDays);
  const known = (prompts.data?.items ?? []).map(({ name }) => name);
  const names = [...new Set([...known, ...(prompt === '' ? [] : [prompt])])];
  const wish = {
    announcementPrompt: prompt === '' ? null : prompt,
    retentionDays: Number(days),
  };
  return (
    <form
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate(wish);
      }}
    >
      <div className="grid gap-3 sm:grid-cols-2">
        <SelectField
          label="What customers hear before it begins"
          value={prompt}
          options={[
            ['', 'Our words, in their language'],
            ...names.map((name) => [name, `Your prompt “${name}”`] as const),
          ]}
          onChange={setPicked}
        />
        <TextField
          label="Days that recordings are kept"
          type="number"
          min={1}
          max={3650}
          required
          value={days}
          hint="Holds for those that there are as well"
          onChange={setTyped}
        />
      </div>
      <div className="flex flex-wrap items-start gap-2">
        <Button type="submit" look="primary" disabled={save.isPending}>
          {save.isPending ? 'Saving…' : 'Save'}
          <span className="sr-only"> how recordings are announced and kept</span>
        </Button>
        <CopyCurl
          what="how recordings are announced and kept"
          path="/v1/recording-settings"
          method="PATCH"
          body={wish}
        />
      </div>
      <p role="status" className="text-xs text-muted">
        {save.isSuccess
          ? 'Saved.'
          : 'Nobody is recorded untold: where the words cannot be played, there is no recording.'}
      </p>
      {save.error !== null && <ProblemNote error={save.error} />}
    </form>
  );
}
