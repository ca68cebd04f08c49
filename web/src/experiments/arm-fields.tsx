import { useScripts } from '../api/script-hooks.ts';
import { useTemplates } from '../api/template-hooks.ts';
import { Button } from '../ui/button.tsx';
import { TextField } from '../ui/field.tsx';
import { SelectField } from '../ui/select-field.tsx';
import type { ArmDraft } from './plan-draft.ts';

/** One arm: its name, its weight, and what it changes. The first is what the others differ from. */
export function ArmFields(props: {
  arm: ArmDraft;
  isControl: boolean;
  onChange: (arm: ArmDraft) => void;
  onRemove: (() => void) | null;
}) {
  const { arm, isControl, onRemove } = props;
  const templates = useTemplates();
  const scripts = useScripts();
  const set = (field: keyof ArmDraft) => (text: string) =>
    props.onChange({ ...arm, [field]: text });
  const names = [...new Set((templates.data?.items ?? []).map(({ name }) => name))];
  const known = (scripts.data?.items ?? []).map(({ id, name }) => [id, name] as const);
  return (
    <fieldset className="rounded-xl border border-edge p-3">
      <legend className="px-1 text-sm font-bold">
        Arm {arm.name} {isControl && <span className="font-normal text-muted">(the control)</span>}
      </legend>
      <div className="grid gap-3 sm:grid-cols-2">
        <TextField
          label="Name of the arm"
          value={arm.name}
          required
          maxLength={40}
          onChange={set('name')}
        />
        <TextField
          label="Weight"
          type="number"
          min={1}
          max={100}
          required
          value={arm.weight}
          hint="1 and 1 is half and half"
          onChange={set('weight')}
        />
        <TextField
          label="Template"
          value={arm.template}
          suggestions={names}
          placeholder="as it is"
          onChange={set('template')}
        />
        <TextField
          label="Wording of the purpose"
          value={arm.purpose}
          maxLength={250}
          placeholder="as it is"
          onChange={set('purpose')}
        />
        <SelectField
          label="Script of the call"
          value={arm.scriptId}
          options={[['', 'as it is'], ...known]}
          onChange={set('scriptId')}
        />
        <TextField
          label="Ask at the customer's hour"
          type="number"
          min={0}
          max={23}
          value={arm.askAtHour}
          placeholder="as it is"
          hint="Requests, journeys and campaigns wait for it"
          onChange={set('askAtHour')}
        />
        <TextField
          label="Minutes between yes and call"
          type="number"
          min={0}
          max={1440}
          value={arm.gapMinutes}
          placeholder="as it is"
          onChange={set('gapMinutes')}
        />
        {onRemove !== null && (
          <div className="flex items-end">
            <Button look="quiet" onClick={onRemove}>
              Take arm {arm.name} away
            </Button>
          </div>
        )}
      </div>
    </fieldset>
  );
}
