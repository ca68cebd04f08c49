import { useState } from 'react';
import {
  isRunning,
  useCancelExport,
  useExports,
  useOrderExport,
  type ExportJob,
  type ExportWish,
} from '../api/record-hooks.ts';
import { CopyCurl } from '../business/copy-curl.tsx';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { Chip, type Tone } from '../ui/chip.tsx';
import { TextField } from '../ui/field.tsx';
import { dayAndTime, inWords } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { SelectField } from '../ui/select-field.tsx';
import { bytesText, recordsText, spanOf } from './record-words.ts';

const FORMATS = [
  ['csv', 'CSV, for spreadsheets'],
  ['jsonl', 'JSON Lines, for programs'],
] as const;

/** Orders files of call detail records, and shows how far they are. */
export function ExportsCard() {
  const exports = useExports();
  const items = exports.data?.items ?? [];
  return (
    <Card title="Call records as a file">
      <OrderForm />
      {exports.error !== null && <ProblemNote error={exports.error} />}
      {exports.data !== undefined && items.length === 0 && (
        <p className="mt-3 text-sm text-muted">
          No file yet. Order one above; it is made in the background, however long the span.
        </p>
      )}
      {items.length > 0 && (
        <ul className="mt-4 flex flex-col gap-3 border-t border-edge pt-3">
          {items.map((job) => (
            <ExportRow key={job.id} job={job} />
          ))}
        </ul>
      )}
    </Card>
  );
}

function OrderForm() {
  const [format, setFormat] = useState<ExportWish['format']>('csv');
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  const order = useOrderExport();
  const wish: ExportWish = { format, ...spanOf(from, to) };
  return (
    <form
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        order.mutate(wish);
      }}
    >
      <div className="grid gap-3 sm:grid-cols-3">
        <SelectField label="Form" value={format} options={FORMATS} onChange={setFormat} />
        <TextField
          label="From the day"
          type="date"
          value={from}
          hint="Empty: from the first call on"
          onChange={setFrom}
        />
        <TextField
          label="To the day"
          type="date"
          value={to}
          hint="Its end (UTC); empty: until now"
          onChange={setTo}
        />
      </div>
      <div className="flex flex-wrap items-start gap-2">
        <Button type="submit" look="primary" disabled={order.isPending}>
          {order.isPending ? 'Ordering…' : 'Make the file'}
        </Button>
        <CopyCurl what="make a file of call records" path="/v1/cdr-exports" body={wish} />
      </div>
      {order.error !== null && <ProblemNote error={order.error} />}
    </form>
  );
}

function ExportRow(props: { job: ExportJob }) {
  const { job } = props;
  const cancel = useCancelExport();
  const { url } = job;
  return (
    <li className="flex flex-col gap-1 text-sm">
      <p className="flex flex-wrap items-center gap-2">
        <Chip tone={toneOf(job)} live={isRunning(job)}>
          {inWords(job.state)}
        </Chip>
        <span className="font-semibold">{job.format === 'csv' ? 'CSV' : 'JSON Lines'}</span>
        <span role="status" className="tabular-nums">
          {recordsText(job)}
          {job.bytes > 0 && ` · ${bytesText(job.bytes)}`}
        </span>
        {url !== null && (
          <a className="font-semibold text-accent" href={url} download>
            Download<span className="sr-only"> the file ordered {dayAndTime(job.createdAt)}</span>
          </a>
        )}
        {(isRunning(job) || job.state === 'done') && (
          <Button look="quiet" disabled={cancel.isPending} onClick={() => cancel.mutate(job.id)}>
            {isRunning(job) ? 'Cancel' : 'Delete'}
            <span className="sr-only"> the file ordered {dayAndTime(job.createdAt)}</span>
          </Button>
        )}
      </p>
      <p className="text-xs text-muted">
        Ordered {dayAndTime(job.createdAt)}.
        {job.expiresAt !== null && ` The file is deleted ${dayAndTime(job.expiresAt)}.`}
      </p>
      {job.error !== null && (
        <p role="alert" className="text-bad">
          {job.error.message} <strong>{job.error.fix}</strong>
        </p>
      )}
      {cancel.error !== null && <ProblemNote error={cancel.error} />}
    </li>
  );
}

function toneOf(job: ExportJob): Tone {
  if (job.state === 'failed') return 'bad';
  if (isRunning(job)) return 'accent';
  return job.state === 'done' ? 'good' : 'plain';
}
