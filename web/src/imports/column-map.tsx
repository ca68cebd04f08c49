import { SelectField } from '../ui/select-field.tsx';
import { samplesText, type FieldName, type FileColumn } from './file-columns.ts';

/** Columns that somebody chose, by their place from 0; what is found by its name is not in it. */
export type Chosen = Partial<Record<FieldName, number>>;

const WORDS: Record<FieldName, string> = {
  number: 'Phone number or user id',
  name: 'Name',
  language: 'Language',
  timeZone: 'Time zone',
  externalId: 'Your own id',
};

const FIELD_NAMES = Object.keys(WORDS) as FieldName[];

/** Says for each field which column of the file it is, with what stands in that column. */
export function ColumnMapFields(props: {
  columns: readonly FileColumn[];
  chosen: Chosen;
  onChoose: (chosen: Chosen) => void;
}) {
  const { columns, chosen } = props;
  const used = FIELD_NAMES.map((field) => chosen[field] ?? placeOf(columns, field));
  const others = columns.filter((_column, index) => !used.includes(index));
  return (
    <fieldset className="rounded-lg border border-edge p-3">
      <legend className="px-1 text-sm font-semibold">Columns</legend>
      <div className="grid gap-3 sm:grid-cols-2 xl:grid-cols-3">
        {FIELD_NAMES.map((field) => (
          <OneField key={field} {...props} field={field} />
        ))}
      </div>
      <p className="mt-3 text-xs text-muted">
        {others.length === 0
          ? 'The file has no further columns.'
          : `Further columns, which become variables unless left out below: ${others.map(({ name }) => name).join(', ')}`}
      </p>
    </fieldset>
  );
}

function OneField(props: {
  columns: readonly FileColumn[];
  chosen: Chosen;
  field: FieldName;
  onChoose: (chosen: Chosen) => void;
}) {
  const { columns, chosen, field } = props;
  const found = placeOf(columns, field);
  const place = chosen[field] ?? found;
  const column = place === undefined ? undefined : columns[place];
  const names = columns.map(({ name }, index) => [String(index), name || `${index + 1}`] as const);
  const none = found === undefined ? ([['', 'not in the file']] as const) : [];
  const choose = (value: string): void => {
    const { [field]: _before, ...rest } = chosen;
    const at = value === '' ? undefined : Number(value);
    props.onChoose(at === undefined || at === found ? rest : { ...rest, [field]: at });
  };
  return (
    <div className="min-w-0">
      <SelectField<string>
        label={WORDS[field]}
        value={place === undefined ? '' : String(place)}
        options={[...none, ...names]}
        onChange={choose}
      />
      <p className="mt-0.5 truncate text-xs text-muted">
        {column === undefined ? '–' : samplesText(column)}
      </p>
    </div>
  );
}

/** Where the column stands that is taken for a field by its name. */
function placeOf(columns: readonly FileColumn[], field: FieldName): number | undefined {
  const at = columns.findIndex((column) => column.field === field);
  return at === -1 ? undefined : at;
}
