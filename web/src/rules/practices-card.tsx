import type { Practices } from '../../../src/practices/practices.ts';
import { usePractices, useSetPractices } from '../api/practice-hooks.ts';
import { CopyCurl } from '../business/copy-curl.tsx';
import { Card } from '../ui/card.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { SelectField } from '../ui/select-field.tsx';

const GAPS = [15, 60, 240, 1_440] as const;

/** Good practice beyond the rules: on unless somebody here says otherwise. */
export function PracticesCard() {
  const practices = usePractices();
  const saving = useSetPractices();
  const error = practices.error ?? saving.error;
  const set = practices.data;
  return (
    <Card
      title="Good practice"
      aside={<CopyCurl what="good practice" path="/v1/practices" method="PUT" body={set ?? {}} />}
    >
      {error !== null && <ProblemNote error={error} />}
      {set !== undefined && <Fields set={set} onSet={(wanted) => saving.mutate(wanted)} />}
    </Card>
  );
}

function Fields(props: { set: Practices; onSet: (wanted: Practices) => void }) {
  const { set, onSet } = props;
  const { longGapMinutes: gap } = set;
  const gaps = [...new Set([...GAPS, ...(gap === null ? [] : [gap])])].sort((a, b) => a - b);
  return (
    <div className="grid gap-3">
      <SelectField<Practices['specificPurpose']>
        label="A purpose such as “future calls”"
        value={set.specificPurpose}
        options={[
          ['refuse', 'is refused'],
          ['warn', 'is warned of'],
          ['off', 'is let pass'],
        ]}
        onChange={(specificPurpose) => onSet({ ...set, specificPurpose })}
      />
      <SelectField<string>
        label="Warn when between permission and call lie more than"
        value={gap === null ? '' : String(gap)}
        options={[
          ...gaps.map((minutes) => [String(minutes), `${minutes} minutes`] as const),
          ['', 'never warn'],
        ]}
        onChange={(text) => onSet({ ...set, longGapMinutes: text === '' ? null : Number(text) })}
      />
      <SelectField<Practices['checklist']>
        label="The four questions before a call by hand"
        value={set.checklist}
        options={[
          ['ask', 'are asked on the page'],
          ['require', 'must be answered, also by API'],
          ['off', 'are not asked'],
        ]}
        onChange={(checklist) => onSet({ ...set, checklist })}
      />
    </div>
  );
}
