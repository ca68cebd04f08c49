import { useMutation } from '@tanstack/react-query';
import { useId } from 'react';
import { useBusiness } from '../api/business-context.tsx';
import { Button } from '../ui/button.tsx';
import { Chip } from '../ui/chip.tsx';
import { dayAndTime } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { isRunning, type ImportJob } from './import-jobs.ts';

/** One import of any kind: how far it is, how fast, what became of it, failed rows to take away. */
export function ImportJobRow(props: {
  job: ImportJob;
  path: string;
  name: string;
  counts: string;
}) {
  const { job, path } = props;
  const { client } = useBusiness();
  const saving = useMutation({
    mutationFn: () => client.download(`${path}/${job.id}/failures`, 'failed-rows.csv'),
  });
  return (
    <li className="text-sm">
      <p className="flex flex-wrap items-center gap-2">
        <Chip tone={toneOf(job)} live={isRunning(job)}>
          {job.dryRun ? `Tried: ${job.state}` : job.state}
        </Chip>
        <span className="font-semibold break-all">{props.name}</span>
        <span className="text-xs text-muted">{dayAndTime(job.createdAt)}</span>
      </p>
      {isRunning(job) && <Progress job={job} name={props.name} />}
      <p role="status" className="mt-1 tabular-nums">
        {job.rows} rows: {props.counts}, {job.failed} failed
        {!isRunning(job) && job.rowsPerSecond !== null && ` · ${job.rowsPerSecond} rows/s`}
      </p>
      {job.failed > 0 && !isRunning(job) && (
        <Button look="quiet" disabled={saving.isPending} onClick={() => saving.mutate()}>
          Failed rows as CSV<span className="sr-only"> of {props.name}</span>
        </Button>
      )}
      {job.error !== null && (
        <p role="alert" className="mt-1 text-bad">
          {job.error.message} <strong>{job.error.fix}</strong>
        </p>
      )}
      {saving.error !== null && <ProblemNote error={saving.error} />}
    </li>
  );
}

function Progress(props: { job: ImportJob; name: string }) {
  const id = useId();
  const { bytes, readBytes, rowsPerSecond, secondsLeft } = props.job;
  const share = bytes === 0 ? 0 : Math.min(1, readBytes / bytes);
  return (
    <div className="mt-1 flex flex-wrap items-center gap-x-3 text-xs text-muted">
      <label htmlFor={id} className="sr-only">
        How far {props.name} is
      </label>
      <progress id={id} max={1} value={share} className="h-2 w-56 max-w-full accent-(--accent)" />
      <span className="tabular-nums">
        {Math.round(share * 100)} %{rowsPerSecond !== null && ` · ${rowsPerSecond} rows/s`}
        {secondsLeft !== null && ` · about ${secondsLeft} s left`}
      </span>
    </div>
  );
}

function toneOf(job: ImportJob): 'good' | 'bad' | 'accent' {
  if (job.state === 'failed') return 'bad';
  return isRunning(job) ? 'accent' : 'good';
}
