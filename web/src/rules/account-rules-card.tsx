import { useAccountPolicy, useLawChoice } from '../api/rules-hooks.ts';
import { Card } from '../ui/card.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { SelectField } from '../ui/select-field.tsx';
import { OwnLimitsForm } from './own-limits-form.tsx';

/** What the account adds to every pack; it can only be stricter. */
export function AccountRulesCard() {
  const policy = useAccountPolicy();
  const choose = useLawChoice();
  if (policy.error !== null) return <ProblemNote error={policy.error} />;
  if (policy.data === undefined) return <p className="text-muted">Loading…</p>;
  const { lawOverlays } = policy.data;
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
      <OwnLimitsForm path="/v1/policy" own={policy.data} />
    </Card>
  );
}
