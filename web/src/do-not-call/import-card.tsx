import { useState } from 'react';
import type { ImportView } from '../../../src/do-not-call/do-not-call.ts';
import { useImport } from '../api/do-not-call-hooks.ts';
import { ImportJobRow } from '../imports/import-job-row.tsx';
import { useImportJobs } from '../imports/import-jobs.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { CheckBox } from '../ui/check-box.tsx';
import { TextField } from '../ui/field.tsx';
import { FileDrop } from '../ui/file-drop.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';

const SHOWN = 5;

/** A list from a file: tried first, watched while it runs, failed rows to take away. */
export function ImportCard() {
  const imports = useImportJobs<ImportView>('/v1/do-not-call/imports', SHOWN);
  const jobs = imports.data?.items ?? [];
  return (
    <Card title="Import a list" className="xl:col-span-2">
      <ImportForm />
      {imports.error !== null && <ProblemNote error={imports.error} />}
      {jobs.length > 0 && (
        <ul className="mt-4 flex flex-col gap-3 border-t border-edge pt-3">
          {jobs.map((job) => (
            <ImportJobRow
              key={job.id}
              job={job}
              path="/v1/do-not-call/imports"
              name={job.list}
              counts={countsOf(job)}
            />
          ))}
        </ul>
      )}
    </Card>
  );
}

function ImportForm() {
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
        <FileDrop label="CSV file" accept=".csv,text/csv" file={file} onFile={setFile} />
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

function countsOf({ added, already, dryRun }: ImportView): string {
  return `${added} ${dryRun ? 'would be added' : 'added'}, ${already} there before`;
}
