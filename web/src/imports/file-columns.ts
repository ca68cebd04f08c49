import { useQuery } from '@tanstack/react-query';
import type { FileColumns } from '../../../src/contacts/contact-import-columns-routes.ts';
import type { FileEncoding } from '../../../src/imports/imports.ts';
import { useBusiness } from '../api/business-context.tsx';

export type FileColumn = FileColumns['columns'][number];
export type FieldName = NonNullable<FileColumn['field']>;

const HEAD_BYTES = 65_536;

/** The columns of a file as the server will read them; undefined until they are known. */
export function useFileColumns(file: File | null, encoding: FileEncoding) {
  const { client } = useBusiness();
  const key = file === null ? null : [file.name, file.size, file.lastModified];
  return useQuery({
    queryKey: ['file-columns', key, encoding],
    queryFn: async () => {
      const head = new File(file === null ? [] : [file.slice(0, HEAD_BYTES)], 'head.csv');
      const path = '/v1/contact-imports/columns';
      return (await client.upload<FileColumns>(path, head, { encoding })).columns;
    },
    enabled: file !== null && file.size > 0,
    retry: false,
  });
}

/** What stands in a column of the first rows, for whoever has to tell what it is. */
export function samplesText({ samples }: FileColumn): string {
  return samples.length === 0 ? 'empty in the first rows' : samples.join(', ');
}
