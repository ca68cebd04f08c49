import { useAccountPolicy, useLawChoice } from '../api/rules-hooks.ts';
import { Card } from '../ui/card.tsx';
import { inWords } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { SelectField } from '../ui/select-field.tsx';

/** What the account adds to every pack; it can only be stricter. */
export function AccountRulesCard() {
  const policy = useAccountPolicy();
  const choose = useLawChoice();
  if (policy.error !== null) return <ProblemNote error={policy.error} />;
  if (policy.data === undefined) return <p className="text-muted">Loading…</p>;
  const { lawOverlays, ...limits } = policy.data;
  const set = Object.entries(limits).filter(([, value]) => value !== null);
  return (
    <Card title="For all lines">
      {Array.isArray(lawOverlays) ? (
        <p className="text-sm">Laws: {lawOverlays.join(', ')}</p>
      ) : (
        <SelectField
          label="Laws on calling hours and frequency"
          value={lawOverlays === 'off' ? 'off' : 'automatic'}
          options={[
            ['automatic', 'Those of the customer’s place'],
            ['off', 'None: only for tests with yourself'],
          ]}
          onChange={(value) => choose.mutate(value)}
        />
      )}
      {lawOverlays === 'off' && (
        <p className="mt-2 rounded-xl bg-warn-soft p-3 text-sm text-warn">
          No law is checked. That is right for simulated people, who are awake at all hours, and
          wrong for anybody else.
        </p>
      )}
      {choose.error !== null && <ProblemNote error={choose.error} />}
      <h3 className="mt-3 text-sm font-semibold">Own limits</h3>
      {set.length === 0 ? (
        <p className="text-sm text-muted">
          None. <code className="font-mono">PATCH /v1/policy</code> sets calling hours, caps and
          more; they can only make the rules stricter.
        </p>
      ) : (
        <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1 text-sm">
          {set.map(([name, value]) => (
            <div key={name} className="contents">
              <dt className="text-muted">{inWords(name)}</dt>
              <dd className="font-mono text-xs break-all">{JSON.stringify(value)}</dd>
            </div>
          ))}
        </dl>
      )}
    </Card>
  );
}
