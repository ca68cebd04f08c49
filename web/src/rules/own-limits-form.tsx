import { useState } from 'react';
import type { OwnLimits } from '../../../src/policy/own-limits.ts';
import { CopyCurl } from '../business/copy-curl.tsx';
import { Button } from '../ui/button.tsx';
import { TextField } from '../ui/field.tsx';
import { inWords } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { useSaveLimits, type LimitsView } from '../api/rules-hooks.ts';
import { draftOf, limitsIn, type LimitsDraft } from './own-limits-draft.ts';

const FIELDS: ReadonlyArray<readonly [field: keyof LimitsDraft, label: string, hint: string]> = [
  ['hours', 'Calls only', 'Mo-Fr 09:00-17:30, Sa 10:00-14:00, by the customer’s clock'],
  ['closed', 'No calls on', '2026-12-24, 2026-12-25'],
  ['quiet', 'No requests between', '20:00-08:00'],
  ['calls', 'Calls to one person', '1 in 1 d, 3 in 7 d'],
  ['requests', 'Requests to one person', '1 in 1 d, 2 in 7 d; without a yes'],
  ['lockDays', 'Days of rest after a no', 'Without calls and requests'],
  ['withinMinutes', 'Minutes from yes to call', 'At most, where no time was promised'],
  [
    'unanswered',
    'Unanswered calls in a row',
    'Warn at, rest at, days of rest, stop at: 1, 2, 7, 3',
  ],
  ['lineCalls', 'Live calls of a line', 'At a time'],
];

/** What a business sets for itself; laws and pack hold besides, so it only ever narrows. */
export function OwnLimitsForm(props: { path: string; own: LimitsView }) {
  const { path, own } = props;
  const [draft, setDraft] = useState(draftOf(own as OwnLimits));
  const save = useSaveLimits(path);
  const read = limitsIn(draft);
  const unread = 'unread' in read ? read.unread : [];
  return (
    <form
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        if ('limits' in read) save.mutate(read.limits);
      }}
    >
      <p className="text-xs text-muted">
        An empty field sets nothing. These can only make the rules stricter.
      </p>
      <div className="grid gap-3 sm:grid-cols-2">
        {FIELDS.map(([field, label, hint]) => (
          <div key={field}>
            <TextField
              label={label}
              value={draft[field]}
              hint={hint}
              onChange={(text) => setDraft({ ...draft, [field]: text })}
            />
            {unread.includes(field) && (
              <p role="alert" className="text-xs text-bad">
                This cannot be read. Write it like the words below the field.
              </p>
            )}
          </div>
        ))}
      </div>
      {own.idle.map(({ field, because }) => (
        <p key={field} className="text-xs text-muted">
          {inWords(field)} changes nothing: {because}
        </p>
      ))}
      <div className="flex flex-wrap items-start gap-2">
        <Button type="submit" blocked={unread.length > 0} disabled={save.isPending}>
          Save the limits
        </Button>
        {'limits' in read && (
          <CopyCurl what="own limits" method="PATCH" path={path} body={read.limits} />
        )}
      </div>
      <p role="status" className="text-sm text-good">
        {save.isSuccess && 'Kept; it holds for every call and request from now on.'}
      </p>
      {save.error !== null && <ProblemNote error={save.error} />}
    </form>
  );
}
