import { useState } from 'react';
import { useCostEstimate, type CostView } from '../api/record-hooks.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { TextField } from '../ui/field.tsx';
import { inWords } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { SelectField } from '../ui/select-field.tsx';

const EMPTY = { country: 'DE', calls: '100', seconds: '180', requests: '200', minutesBefore: '0' };
const FIELDS: ReadonlyArray<readonly [field: keyof typeof EMPTY, label: string, hint: string]> = [
  ['country', 'Country', 'Two letters, such as DE'],
  ['calls', 'Calls that are answered', ''],
  ['seconds', 'Seconds of each', 'Counted in pulses of 6'],
  ['requests', 'Messages that ask', ''],
  ['minutesBefore', 'Minutes so far this month', 'There; for the tier'],
];

/** Before anything is sent: what it would cost by the price file. Meta's bill is Meta's. */
export function EstimateCard() {
  const [draft, setDraft] = useState(EMPTY);
  const [category, setCategory] = useState<'UTILITY' | 'MARKETING'>('UTILITY');
  const [asked, setAsked] = useState<Record<string, string> | null>(null);
  const cost = useCostEstimate(asked);
  return (
    <Card title="What would it cost?">
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          setAsked({ ...draft, country: draft.country.trim().toUpperCase(), category });
        }}
      >
        <div className="grid gap-3 sm:grid-cols-3">
          {FIELDS.map(([field, label, hint]) => (
            <TextField
              key={field}
              label={label}
              value={draft[field]}
              required
              inputMode={field === 'country' ? 'text' : 'numeric'}
              {...(hint === '' ? {} : { hint })}
              onChange={(value) => setDraft({ ...draft, [field]: value.trim() })}
            />
          ))}
          <SelectField
            label="Kind of the messages"
            value={category}
            options={[
              ['UTILITY', 'Utility'],
              ['MARKETING', 'Marketing'],
            ]}
            onChange={setCategory}
          />
        </div>
        <div>
          <Button type="submit" disabled={cost.isFetching}>
            Estimate
          </Button>
        </div>
      </form>
      <div className="mt-3" aria-live="polite">
        {cost.error !== null && <ProblemNote error={cost.error} />}
        {cost.data !== undefined && <Answer cost={cost.data} />}
      </div>
    </Card>
  );
}

function Answer({ cost }: { cost: CostView }) {
  const rows = [
    ['One call', cost.perCall],
    ['All calls', cost.calls],
    ['All messages', cost.requests],
  ] as const;
  const money = (amount: string): string => `${amount} ${cost.currency ?? ''}`;
  return (
    <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1 text-sm">
      {rows.map(([what, { amount, reason }]) => (
        <div key={what} className="contents">
          <dt className="text-muted">{what}</dt>
          <dd className="tabular-nums">
            {amount === null ? `not known: ${inWords(reason ?? 'no price')}` : money(amount)}
          </dd>
        </div>
      ))}
      <dt className="font-semibold">Together</dt>
      <dd className="font-semibold tabular-nums">
        {cost.total === null ? 'not known' : money(cost.total)}
      </dd>
    </dl>
  );
}
