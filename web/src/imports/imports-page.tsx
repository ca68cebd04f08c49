import { useState } from 'react';
import type { ContactImportView } from '../../../src/contacts/contact-import-commands.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { ImportForm } from './import-form.tsx';
import { ImportJobRow } from './import-job-row.tsx';
import { useImportJobs } from './import-jobs.ts';

const PAGE = 10;
const PAGE_MAX = 100;

/** Contacts from files: send one, watch it, and what became of those before. */
export function ImportsPage() {
  return (
    <main className="mx-auto grid max-w-360 gap-4 px-4 pb-10">
      <Card title="Import contacts">
        <p className="mb-3 text-sm text-muted">
          A file makes and completes contacts. It gives no right to call anybody: each of them is
          still asked first.
        </p>
        <ImportForm />
      </Card>
      <HistoryCard />
    </main>
  );
}

function HistoryCard() {
  const [limit, setLimit] = useState(PAGE);
  const imports = useImportJobs<ContactImportView>('/v1/contact-imports', limit);
  const jobs = imports.data?.items ?? [];
  return (
    <Card title="Imports so far">
      {imports.error !== null && <ProblemNote error={imports.error} />}
      {imports.isPending && (
        <p role="status" className="text-sm text-muted">
          Loading…
        </p>
      )}
      {imports.data !== undefined && jobs.length === 0 && (
        <p className="text-sm text-muted">
          No file yet. Choose one above and try it first: a trial counts, and changes nobody.
        </p>
      )}
      <ul className="flex flex-col gap-4">
        {jobs.map((job) => (
          <ImportJobRow
            key={job.id}
            job={job}
            path="/v1/contact-imports"
            name={job.tag}
            counts={countsOf(job)}
          />
        ))}
      </ul>
      {imports.data !== undefined && imports.data.next !== null && limit < PAGE_MAX && (
        <Button className="mt-3" onClick={() => setLimit(PAGE_MAX)}>
          Older imports
        </Button>
      )}
    </Card>
  );
}

function countsOf({ created, updated, unchanged, dryRun }: ContactImportView): string {
  const would = dryRun ? 'would be ' : '';
  return `${created} ${would}created, ${updated} ${would}updated, ${unchanged} unchanged`;
}
