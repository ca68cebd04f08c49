import { z } from 'zod';
import { isNumberCountry } from '../contacts/phone-number.ts';
import { OWN_LIST } from '../contacts/do-not-call-store.ts';
import type { ApiContext } from '../http/api-context.ts';
import { oneLine } from '../http/api-schemas.ts';
import { RefusalError } from '../http/problem.ts';
import type { HttpServer } from '../http/server.ts';
import { registerImports } from '../imports/import-routes.ts';
import { encodingField } from '../imports/imports.ts';
import type { AccountId } from '../platform/ids.ts';
import { LISTS_MAX, importSchema, importView, listName, type ListImport } from './do-not-call.ts';
import { countLists, isKnownList, saveList } from './list-store.ts';

const importQuery = z.object({
  list: listName.default(OWN_LIST),
  dryRun: z.enum(['true', 'false']).default('false').describe('Count only; add nobody.'),
  column: oneLine(100).optional().describe('Name of the column, or its number from 1.'),
  country: z
    .string()
    .refine(isNumberCountry, 'is the code of a country in capitals, such as GB')
    .optional()
    .describe('Whose national form numbers without a plus may have, such as GB.'),
  encoding: encodingField,
  source: oneLine(200).default('import').describe('Where the list comes from.'),
  datedOn: z.iso.date().optional().describe('The day that the list is of.'),
});

/** Lists from files: the upload is stored piece by piece, a worker reads it, the job tells. */
export function registerImportRoutes(app: HttpServer, context: ApiContext): void {
  const { database, clock } = context;
  registerImports<typeof importQuery, ListImport>(app, context, {
    kind: 'do_not_call',
    path: '/v1/do-not-call/imports',
    tag: 'do-not-call',
    summary: 'Import a list from CSV; the body is the file itself',
    query: importQuery,
    view: importSchema,
    viewOf: importView,
    async wishOf(accountId, { list, column = null, country = null, encoding, dryRun }) {
      await refuseTooManyLists(accountId, list);
      return { wish: { list, column, country, encoding }, dryRun: dryRun === 'true' };
    },
    async received(tx, accountId, { list, source, datedOn = null }) {
      await saveList(tx, accountId, { name: list, source, datedOn, now: clock.now() });
    },
  });

  async function refuseTooManyLists(accountId: AccountId, list: string): Promise<void> {
    if (await isKnownList(database, accountId, list)) return;
    if ((await countLists(database, accountId)) < LISTS_MAX) return;
    throw new RefusalError({
      code: 'do_not_call_list_limit',
      message: `An account has at most ${LISTS_MAX} imported lists.`,
      fix: 'Import into a list that exists.',
    });
  }
}
