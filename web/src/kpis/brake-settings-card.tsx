import { useState } from 'react';
import type { BrakeName } from '../../../src/brakes/brakes.ts';
import { useBrakes, useSetBrakes } from '../api/kpi-hooks.ts';
import { CopyCurl } from '../business/copy-curl.tsx';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { CheckBox } from '../ui/check-box.tsx';
import { TextField } from '../ui/field.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import {
  draftOf,
  RATES,
  RATE_NAMES,
  settingsOf,
  whatHappens,
  type BrakeDraft,
  type RateDraft,
  type Settings,
} from './brake-draft.ts';

/** When lines slow and pause by themselves: as it is set, and setting it. */
export function BrakeSettingsCard() {
  const brakes = useBrakes();
  const { settings, lines = [] } = brakes.data ?? {};
  return (
    <Card title="When lines slow or pause">
      {brakes.error !== null && <ProblemNote error={brakes.error} />}
      {settings === undefined && brakes.error === null && <p className="text-muted">Loading…</p>}
      {settings !== undefined && lines.length === 0 && (
        <p className="mb-3 text-sm text-muted">
          There is no line yet; this holds for every line you add.
        </p>
      )}
      {settings !== undefined && <SettingsForm settings={settings} />}
    </Card>
  );
}

function SettingsForm({ settings }: { settings: Settings }) {
  const [changes, setChanges] = useState<Partial<BrakeDraft>>({});
  const set = useSetBrakes();
  const draft = { ...draftOf(settings), ...changes };
  const wanted = settingsOf(draft);
  const isSame = JSON.stringify(wanted) === JSON.stringify(settingsOf(draftOf(settings)));
  const change = (more: Partial<BrakeDraft>): void => {
    set.reset();
    setChanges({ ...changes, ...more });
  };
  return (
    <form
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (!isSame) set.mutate(wanted, { onSuccess: () => setChanges({}) });
      }}
    >
      <CheckBox
        label="Lines slow and pause by themselves"
        checked={draft.enabled}
        onChange={(enabled) => change({ enabled })}
      />
      {draft.enabled && <CountingFields draft={draft} onChange={change} />}
      {draft.enabled &&
        RATE_NAMES.map((name) => (
          <RateFields
            key={name}
            name={name}
            rate={draft.rates[name]}
            onChange={(rate) => change({ rates: { ...draft.rates, [name]: rate } })}
          />
        ))}
      <ul className="list-disc rounded-xl bg-sunk p-3 pl-7 text-sm">
        {whatHappens(draft).map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
      <div className="flex flex-wrap gap-2">
        <Button type="submit" look="primary" blocked={isSame} disabled={set.isPending}>
          Save for all lines
        </Button>
        <CopyCurl
          what="when lines slow or pause"
          method="PUT"
          path="/v1/brakes/settings"
          body={wanted}
        />
      </div>
      <p role="status" className="text-sm text-muted">
        {set.isSuccess ? 'Saved. Every line was looked at with these settings at once.' : ''}
      </p>
      {set.error !== null && <ProblemNote error={set.error} />}
    </form>
  );
}

function CountingFields(props: {
  draft: BrakeDraft;
  onChange: (change: Partial<BrakeDraft>) => void;
}) {
  const { draft, onChange } = props;
  return (
    <div className="grid gap-2 sm:grid-cols-3">
      <TextField
        label="Hours to count"
        hint="1 to 168"
        inputMode="numeric"
        value={draft.windowHours}
        onChange={(windowHours) => onChange({ windowHours })}
      />
      <TextField
        label="Counts at least"
        hint="With fewer, a rate says nothing"
        inputMode="numeric"
        value={draft.minSample}
        onChange={(minSample) => onChange({ minSample })}
      />
      <TextField
        label="Slowed to, %"
        hint="Of the line’s busiest hour"
        inputMode="decimal"
        value={draft.slowFactor}
        onChange={(slowFactor) => onChange({ slowFactor })}
      />
    </div>
  );
}

function RateFields(props: {
  name: BrakeName;
  rate: RateDraft;
  onChange: (rate: RateDraft) => void;
}) {
  const { name, rate, onChange } = props;
  const { words, side } = RATES[name];
  return (
    <fieldset className="rounded-xl border border-edge p-3">
      <legend className="sr-only">{words}</legend>
      <CheckBox
        label={words}
        checked={rate.isOn}
        onChange={(isOn) => onChange({ ...rate, isOn })}
      />
      {rate.isOn && (
        <div className="mt-1 grid grid-cols-2 gap-2">
          <TextField
            label={`Slows ${side}, %`}
            inputMode="decimal"
            value={rate.slow}
            onChange={(slow) => onChange({ ...rate, slow })}
          />
          <TextField
            label={`Pauses ${side}, %`}
            inputMode="decimal"
            value={rate.pause}
            onChange={(pause) => onChange({ ...rate, pause })}
          />
        </div>
      )}
      {rate.isOn && rate.pause === '100' && (
        <p className="mt-1 text-xs text-muted">Above 100 % never comes: it never pauses a line.</p>
      )}
    </fieldset>
  );
}
