import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { ContactImportView } from '../../../src/contacts/contact-import-commands.ts';
import type { FileEncoding } from '../../../src/imports/imports.ts';
import type { Query } from '../api/business-client.ts';
import { useBusiness } from '../api/business-context.tsx';
import { CopyCurl } from '../business/copy-curl.tsx';
import { Button } from '../ui/button.tsx';
import { CheckBox } from '../ui/check-box.tsx';
import { TextField } from '../ui/field.tsx';
import { FileDrop } from '../ui/file-drop.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { SelectField } from '../ui/select-field.tsx';
import { ColumnMapFields, type Chosen } from './column-map.tsx';
import { useFileColumns } from './file-columns.ts';

const PATH = '/v1/contact-imports';

/** A file of contacts: its columns are told, it is tried, and then it is imported. */
export function ImportForm() {
  const { client } = useBusiness();
  const queryClient = useQueryClient();
  const [file, setFile] = useState<File | null>(null);
  const [chosen, setChosen] = useState<Chosen>({});
  const [options, setOptions] = useState(PLAIN);
  const columns = useFileColumns(file, options.encoding);
  const query = queryOf(chosen, options);
  const sending = useMutation({
    mutationFn: (given: File) => client.upload<ContactImportView>(PATH, given, query),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['business'] }),
  });
  return (
    <form
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (file !== null) sending.mutate(file);
      }}
    >
      <FileDrop
        label="CSV file"
        accept=".csv,.txt,.tsv,text/csv"
        file={file}
        onFile={(given) => {
          setFile(given);
          setChosen({});
        }}
      />
      {columns.error !== null && <ProblemNote error={columns.error} />}
      {columns.data !== undefined && (
        <ColumnMapFields columns={columns.data} chosen={chosen} onChoose={setChosen} />
      )}
      <OptionFields options={options} onChange={setOptions} />
      <div className="flex flex-wrap items-center gap-3">
        <Button type="submit" look="primary" disabled={file === null || sending.isPending}>
          {sending.isPending ? 'Sending…' : options.dryRun ? 'Try the file' : 'Import the file'}
        </Button>
        <CopyCurl
          what="send the file"
          path={`${PATH}?${new URLSearchParams(query as Record<string, string>).toString()}`}
          csvFile={file?.name ?? 'contacts.csv'}
        />
      </div>
      {sending.error !== null && <ProblemNote error={sending.error} />}
    </form>
  );
}

/** Those of ours that spreadsheets of some country write; UTF-16 is told by the file itself. */
const ENCODINGS: readonly FileEncoding[] = [
  ...(['utf-8', 'windows-1252', 'iso-8859-15', 'windows-1250', 'windows-1251'] as const),
  ...(['windows-1253', 'windows-1254', 'windows-1255', 'windows-1256'] as const),
  ...(['gb18030', 'big5', 'shift_jis', 'euc-kr'] as const),
];

type Options = {
  tag: string;
  country: string;
  encoding: FileEncoding;
  keepsOthers: boolean;
  dryRun: boolean;
};
const PLAIN: Options = { tag: '', country: '', encoding: 'utf-8', keepsOthers: true, dryRun: true };

function OptionFields(props: { options: Options; onChange: (options: Options) => void }) {
  const { options } = props;
  const set = (part: Partial<Options>): void => props.onChange({ ...options, ...part });
  return (
    <>
      <div className="grid gap-3 sm:grid-cols-3">
        <TextField
          label="Tag for these people"
          value={options.tag}
          maxLength={63}
          hint="Such as spring-2026; empty for one of its own"
          onChange={(tag) => set({ tag: tag.trim() })}
        />
        <TextField
          label="Country of numbers without +"
          value={options.country}
          maxLength={2}
          hint="Such as GB; empty when all have their country code"
          onChange={(text) => set({ country: text.trim().toUpperCase() })}
        />
        <SelectField<FileEncoding>
          label="Letters of the file"
          value={options.encoding}
          options={ENCODINGS.map((name) => [name, name.toUpperCase()] as const)}
          onChange={(encoding) => set({ encoding })}
        />
      </div>
      <div className="flex flex-wrap gap-x-5">
        <CheckBox
          label="Keep further columns as variables"
          checked={options.keepsOthers}
          onChange={(keepsOthers) => set({ keepsOthers })}
        />
        <CheckBox
          label="Try only: change nobody"
          checked={options.dryRun}
          onChange={(dryRun) => set({ dryRun })}
        />
      </div>
    </>
  );
}

/** Columns are counted, for a name may stand twice in a first line. */
function queryOf(chosen: Chosen, options: Options): Query {
  const columns = Object.entries(chosen).map(([field, at]) => [field, String(at + 1)]);
  return {
    ...Object.fromEntries(columns),
    dryRun: String(options.dryRun),
    ...(options.keepsOthers ? {} : { others: 'drop' }),
    ...(options.tag === '' ? {} : { tag: options.tag }),
    ...(options.country === '' ? {} : { country: options.country }),
    ...(options.encoding === 'utf-8' ? {} : { encoding: options.encoding }),
  };
}
