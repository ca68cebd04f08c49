import { useMutation } from '@tanstack/react-query';
import { useId, useState } from 'react';
import type { ImportView } from '../../../src/do-not-call/do-not-call.ts';
import { useBusiness } from '../api/business-context.tsx';
import { isRunning, useImport, useImports } from '../api/do-not-call-hooks.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { CheckBox } from '../ui/check-box.tsx';
import { Chip } from '../ui/chip.tsx';
import { TextField } from '../ui/field.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';

/** A list from a file: tried first, watched while it runs, failed rows to take away. */
export function ImportCard() {
  const imports = useImports();
  const jobs = imports.data?.items ?? [];
  return (
    <Card title="Import a list" className="xl:col-span-2">
      <ImportForm />
      {imports.error !== null && <ProblemNote error={imports.error} />}
      {jobs.length > 0 && (
        <ul className="mt-4 flex flex-col gap-3 border-t border-edge pt-3">
          {jobs.map((job) => (
            <ImportRow key={job.id} job={job} />
          ))}
        </ul>
      )}
    </Card>
  );
}

function ImportForm() {
  const fileId = useId();
  const [file, setFile] = useState<File | null>(null);
  const [list, setList] = useState('own');
  const [country, setCountry] = useState('');
  const [dryRun, setDryRun] = useState(true);
  const sending = useImport();
  return (
    <form
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (file !== null) sending.mutate({ file, list: list.trim(), country, dryRun });
      }}
    >
      <div className="grid gap-3 sm:grid-cols-3">
        <div className="flex min-w-0 flex-col gap-1">
          <label htmlFor={fileId} className="text-sm font-semibold">
            CSV file
          </label>
          <input
            id={fileId}
            type="file"
            accept=".csv,text/csv"
            className="min-h-9 rounded-lg border border-edge-strong bg-card px-3 py-1.5 text-sm"
            onChange={(event) => setFile(event.target.files?.[0] ?? null)}
          />
        </div>
        <TextField label="Into list" value={list} required maxLength={63} onChange={setList} />
        <TextField
          label="Country of numbers without +"
          value={country}
          maxLength={2}
          hint="Such as GB; empty when all have their country code"
          onChange={(text) => setCountry(text.toUpperCase())}
        />
      </div>
      <div className="flex flex-wrap items-center gap-4">
        <CheckBox label="Try only: add nobody" checked={dryRun} onChange={setDryRun} />
        <Button type="submit" look="primary" disabled={file === null || sending.isPending}>
          {sending.isPending ? 'Sending…' : dryRun ? 'Try the file' : 'Import the file'}
        </Button>
      </div>
      {sending.error !== null && <ProblemNote error={sending.error} />}
    </form>
  );
}

function ImportRow(props: { job: ImportView }) {
  const { job } = props;
  const { client } = useBusiness();
  const saving = useMutation({
    mutationFn: () => client.download(`/v1/do-not-call/imports/${job.id}/failures`, 'failures.csv'),
  });
  return (
    <li className="text-sm">
      <p className="flex flex-wrap items-center gap-2">
        <Chip tone={toneOf(job)} live={isRunning(job)}>
          {job.dryRun ? `Tried: ${job.state}` : job.state}
        </Chip>
        <span className="font-semibold">{job.list}</span>
        <span role="status" className="tabular-nums">
          {job.rows} rows: {job.added} {job.dryRun ? 'would be added' : 'added'}, {job.already}{' '}
          there before, {job.failed} failed
          {job.rowsPerSecond !== null && isRunning(job) && ` · ${job.rowsPerSecond} rows/s`}
        </span>
        {job.failed > 0 && !isRunning(job) && (
          <Button look="quiet" onClick={() => saving.mutate()}>
            Failed rows as CSV
          </Button>
        )}
      </p>
      {job.error !== null && (
        <p role="alert" className="mt-1 text-bad">
          {job.error.message} <strong>{job.error.fix}</strong>
        </p>
      )}
      {saving.error !== null && <ProblemNote error={saving.error} />}
    </li>
  );
}

function toneOf(job: ImportView): 'good' | 'bad' | 'accent' {
  if (job.state === 'failed') return 'bad';
  return isRunning(job) ? 'accent' : 'good';
}
