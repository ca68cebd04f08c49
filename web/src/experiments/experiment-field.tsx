import { useExperiments } from '../api/experiment-hooks.ts';
import { SelectField } from '../ui/select-field.tsx';

/** By which experiment people are asked and called; nothing where there is none to choose. */
export function ExperimentField(props: { value: string; onChange: (id: string) => void }) {
  const experiments = useExperiments();
  // A draft lets nobody in, and one that was stopped gives all the control.
  const usable = (experiments.data?.items ?? []).filter(
    ({ state }) => state === 'running' || state === 'decided',
  );
  if (usable.length === 0) return null;
  return (
    <SelectField
      label="Asked and called as an experiment says"
      value={props.value}
      options={[['', 'no experiment'], ...usable.map(({ id, name }) => [id, name] as const)]}
      onChange={props.onChange}
    />
  );
}
