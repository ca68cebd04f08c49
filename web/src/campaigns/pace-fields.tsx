import { TextField } from '../ui/field.tsx';
import type { PaceDraft } from './campaign-draft.ts';

/** How fast, at which hours and until when a campaign may go on. */
export function PaceFields(props: {
  draft: PaceDraft;
  onChange: (part: Partial<PaceDraft>) => void;
}) {
  const { draft, onChange } = props;
  return (
    <>
      <div className="grid gap-3 sm:grid-cols-3">
        <TextField
          label="People who begin a minute"
          type="number"
          min={1}
          max={60_000}
          required
          value={draft.startsPerMinute}
          onChange={(startsPerMinute) => onChange({ startsPerMinute })}
        />
        <TextField
          label="From (empty: any hour)"
          type="time"
          value={draft.from}
          onChange={(from) => onChange({ from })}
        />
        <TextField
          label="Until"
          type="time"
          value={draft.until}
          hint="Monday to Friday by this computer's clock, unless the API said otherwise."
          onChange={(until) => onChange({ until })}
        />
      </div>
      <Limits {...props} />
    </>
  );
}

function Limits(props: { draft: PaceDraft; onChange: (part: Partial<PaceDraft>) => void }) {
  const { draft, onChange } = props;
  return (
    <details className="text-sm">
      <summary className="cursor-pointer font-semibold">Limits of its calls, and its end</summary>
      <div className="mt-3 grid gap-3 sm:grid-cols-2">
        <TextField
          label="Calls at a time"
          type="number"
          min={1}
          max={100_000}
          value={draft.concurrentCalls}
          placeholder="no limit of its own"
          onChange={(concurrentCalls) => onChange({ concurrentCalls })}
        />
        <TextField
          label="Calls a second"
          type="number"
          min={0.001}
          max={10_000}
          step={0.001}
          value={draft.callsPerSecond}
          placeholder="no limit of its own"
          onChange={(callsPerSecond) => onChange({ callsPerSecond })}
        />
        <TextField
          label="Priority of its calls"
          type="number"
          min={0}
          max={9}
          value={draft.priority}
          placeholder="the journey's own"
          hint="9 goes first"
          onChange={(priority) => onChange({ priority })}
        />
        <TextField
          label="Nobody begins after"
          type="datetime-local"
          value={draft.endAt}
          onChange={(endAt) => onChange({ endAt })}
        />
      </div>
    </details>
  );
}
