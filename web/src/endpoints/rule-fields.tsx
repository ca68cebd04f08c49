import type { EndpointView } from '../../../src/http/api-types.ts';
import { Button } from '../ui/button.tsx';
import { TextField } from '../ui/field.tsx';
import { SelectField } from '../ui/select-field.tsx';
import { spansIn } from './opening-hours.ts';
import type { RuleDraft } from './rule-draft.ts';

/** One rule: its conditions and the endpoint that takes the call. */
export function RuleFields(props: {
  number: number;
  rule: RuleDraft;
  endpoints: readonly EndpointView[];
  onChange: (rule: RuleDraft) => void;
  onEarlier: (() => void) | null;
  onRemove: () => void;
}) {
  const { rule, number } = props;
  const change = (part: Partial<RuleDraft>): void => props.onChange({ ...rule, ...part });
  const isReadable = rule.hours.trim() === '' || spansIn(rule.hours) !== null;
  return (
    <fieldset className="flex min-w-0 flex-col gap-3 rounded-xl border border-edge p-3">
      <legend className="px-1 text-sm font-semibold">Rule {number}</legend>
      <div className="grid gap-3 sm:grid-cols-2">
        <TextField
          label="Rule’s name"
          value={rule.name}
          required
          maxLength={100}
          onChange={(name) => change({ name })}
        />
        <SelectField
          label="Goes to"
          value={rule.endpointId}
          options={props.endpoints.map(({ id, name }) => [id, name] as const)}
          onChange={(endpointId) => change({ endpointId })}
        />
        <TextField
          label="Purposes"
          value={rule.purposes}
          placeholder="your order *"
          hint="Separated by commas; * is anything"
          onChange={(purposes) => change({ purposes })}
        />
        <TextField
          label="Languages"
          value={rule.languages}
          placeholder="es, pt"
          onChange={(languages) => change({ languages })}
        />
        <TextField
          label="Countries"
          value={rule.countries}
          placeholder="GB, IE"
          onChange={(countries) => change({ countries })}
        />
        <TextField
          label="Hours"
          value={rule.hours}
          placeholder="Mo-Fr 09:00-18:00, Sa 10:00-14:00"
          onChange={(hours) => change({ hours })}
        />
        {rule.hours.trim() !== '' && (
          <TextField
            label="Time zone of the hours"
            value={rule.zone}
            required
            placeholder="Europe/Berlin"
            onChange={(zone) => change({ zone })}
          />
        )}
      </div>
      {!isReadable && (
        <p role="alert" className="text-sm text-bad">
          The hours cannot be read. Write them like <code>Mo-Fr 09:00-18:00, Sa 10:00-14:00</code>.
        </p>
      )}
      <div className="flex flex-wrap gap-2">
        {props.onEarlier !== null && (
          <Button look="quiet" onClick={props.onEarlier}>
            Ask rule {number} earlier
          </Button>
        )}
        <Button look="quiet" onClick={props.onRemove}>
          Remove rule {number}
        </Button>
      </div>
    </fieldset>
  );
}
