import type { ExperimentView } from '../api/experiment-hooks.ts';
import { Chip, type Tone } from '../ui/chip.tsx';

const STATES: Readonly<Record<ExperimentView['state'], readonly [tone: Tone, words: string]>> = {
  draft: ['plain', 'Draft'],
  running: ['accent', 'Running'],
  stopped: ['warn', 'Stopped'],
  decided: ['good', 'Decided'],
};

export function StateChip(props: { state: ExperimentView['state'] }) {
  const [tone, words] = STATES[props.state];
  return (
    <Chip tone={tone} live={props.state === 'running'}>
      {words}
    </Chip>
  );
}
