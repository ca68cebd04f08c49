import { useState } from 'react';
import type { BrakesView, LineBrakeView } from '../../../src/brakes/brake-schemas.ts';
import { useBrakes, useResume } from '../api/kpi-hooks.ts';
import { CopyCurl } from '../business/copy-curl.tsx';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { Chip, type Tone } from '../ui/chip.tsx';
import { TextField } from '../ui/field.tsx';
import { dayAndTime, inWords } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { RATES } from './brake-draft.ts';
import { count, valueText } from './kpi-words.ts';

const TONES: Record<LineBrakeView['state'], Tone> = { free: 'good', slowed: 'warn', paused: 'bad' };
const SAYS: Record<LineBrakeView['now'][number]['verdict'], string> = {
  good: 'good',
  unclear: 'on the bad side, but that may be bad luck',
  too_few: 'too few to say',
  slow: 'slows the line',
  pause: 'pauses the line',
};

/** Whether lines are slowed or paused by their own rates, why, and letting them go on. */
export function BrakesCard() {
  const brakes = useBrakes();
  const lines = brakes.data?.lines ?? [];
  return (
    <Card title="Brakes">
      {brakes.error !== null && <ProblemNote error={brakes.error} />}
      {brakes.data !== undefined && <SettingsLine settings={brakes.data.settings} />}
      {brakes.data !== undefined && lines.length === 0 && (
        <p className="text-sm text-muted">There is no line yet.</p>
      )}
      <ul className="grid grid-cols-1 gap-4">
        {lines.map((line) => (
          <li key={line.lineId} className="rounded-xl border border-edge p-3">
            <LineBrake line={line} />
          </li>
        ))}
      </ul>
    </Card>
  );
}

function SettingsLine({ settings }: { settings: BrakesView['settings'] }) {
  return (
    <p className="mb-3 text-xs text-muted">
      {settings.enabled
        ? `The brakes look at the last ${settings.windowHours} hours, from ` +
          `${count(settings.minSample)} counts on, and act only where bad luck is ruled out.`
        : 'The brakes are switched off: no line slows or pauses by itself.'}
    </p>
  );
}

function LineBrake({ line }: { line: LineBrakeView }) {
  return (
    <>
      <h3 className="flex flex-wrap items-center gap-2 font-semibold">
        {line.name}
        <Chip tone={TONES[line.state]}>{line.state}</Chip>
      </h3>
      {line.since !== null && (
        <p className="mt-1 text-xs text-muted">
          {inWords(line.state)} since {dayAndTime(line.since)}, by {line.actor}
          {line.reason !== null && `: ${line.reason}`}
        </p>
      )}
      {line.state === 'slowed' && line.callsPerSecond !== null && (
        <p className="mt-1 text-sm">
          At most {perMinute(line.callsPerSecond)} calls and{' '}
          {perMinute(line.requestsPerSecond ?? 0)} requests a minute. It goes on by itself once its
          rates are good again.
        </p>
      )}
      {line.state === 'paused' && (
        <p className="mt-1 text-sm">
          Nobody is asked or called. A pause does not end by itself: mend the cause, then let the
          line go on.
        </p>
      )}
      <table className="mt-2 w-full text-left text-sm">
        <thead className="text-xs text-muted">
          <tr>
            <th className="py-1 pr-3">Rate</th>
            <th className="py-1 pr-3 text-right">Now</th>
            <th className="py-1">Says</th>
          </tr>
        </thead>
        <tbody>
          {line.now.map((rate) => (
            <tr key={rate.brake} className="border-t border-edge align-top tabular-nums">
              <td className="py-1 pr-3">
                {RATES[rate.brake].words}
                <span className="block text-xs text-muted">{limitText(rate)}</span>
              </td>
              <td className="py-1 pr-3 text-right whitespace-nowrap">
                {valueText('share', rate.value)}
                <span className="block text-xs text-muted">
                  {count(rate.numerator)} of {count(rate.denominator)}
                </span>
              </td>
              <td className="w-28 py-1 sm:w-48">{SAYS[rate.verdict]}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {line.state !== 'free' && <Resume line={line} />}
    </>
  );
}

function Resume({ line }: { line: LineBrakeView }) {
  const [reason, setReason] = useState('');
  const resume = useResume(line.lineId);
  const isMissing = reason.trim() === '';
  return (
    <form
      className="mt-3 flex flex-col gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        if (!isMissing) resume.mutate({ reason }, { onSuccess: () => setReason('') });
      }}
    >
      <TextField
        label={`Why ${line.name} may go on`}
        hint="Kept in the audit trail."
        value={reason}
        maxLength={200}
        onChange={setReason}
      />
      <div className="flex flex-wrap gap-2">
        <Button type="submit" look="primary" blocked={isMissing} disabled={resume.isPending}>
          {line.state === 'paused' ? 'Go on slowly' : 'Go on freely'}
        </Button>
        <CopyCurl
          what={`letting ${line.name} go on`}
          path={`/v1/lines/${line.lineId}/brake/resume`}
          body={{ reason }}
        />
      </div>
      {resume.error !== null && <ProblemNote error={resume.error} />}
    </form>
  );
}

/** A share above all of them never comes, so a ceiling of 100 % brakes nothing. */
function limitText({ brake, slow, pause }: LineBrakeView['now'][number]): string {
  const { side } = RATES[brake];
  const isNever = side === 'above' && pause >= 1;
  const pausing = isNever ? 'never pauses' : `pauses ${side} ${valueText('share', pause)}`;
  return `slows ${side} ${valueText('share', slow)}, ${pausing}`;
}

function perMinute(perSecond: number): string {
  return String(Math.round(perSecond * 600) / 10);
}
