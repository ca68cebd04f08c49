import { z } from 'zod';
import type { ApiContext } from '../http/api-context.ts';
import { oneLine } from '../http/api-schemas.ts';
import type { HttpServer } from '../http/server.ts';
import { registerImports } from '../imports/import-routes.ts';
import { encodingField } from '../imports/imports.ts';
import { registerFileColumnsRoute } from './contact-import-columns-routes.ts';
import { contactTag } from './contact-fields.ts';
import {
  contactImportSchema,
  contactImportView,
  type ContactImport,
} from './contact-import-commands.ts';
import { isNumberCountry } from './phone-number.ts';

const column = (what: string) =>
  oneLine(100)
    .optional()
    .describe(`Column of ${what}: its name, or its number from 1. Found by its name if unset.`);

const importQuery = z.object({
  dryRun: z.enum(['true', 'false']).default('false').describe('Count only; change nobody.'),
  number: column('the phone number or user id'),
  name: column('the name'),
  language: column('the language, such as de or pt_BR'),
  timeZone: column('the time zone (IANA)'),
  externalId: column('your own id of the person'),
  others: z
    .enum(['keep', 'drop'])
    .default('keep')
    .describe('Further columns become variables, or are left out.'),
  country: z
    .string()
    .refine(isNumberCountry, 'is the code of a country in capitals, such as GB')
    .optional()
    .describe('Whose national form numbers without a plus may have, such as GB.'),
  encoding: encodingField,
  tag: contactTag.optional().describe('A name for these people; unset: the id of the import.'),
});

/** Contacts from files: the upload is stored piece by piece, a worker reads it, the job tells. */
export function registerContactImportRoutes(app: HttpServer, context: ApiContext): void {
  registerFileColumnsRoute(app, context);
  registerImports<typeof importQuery, ContactImport>(app, context, {
    kind: 'contacts',
    path: '/v1/contact-imports',
    tag: 'contacts',
    summary: 'Import contacts from CSV; the body is the file itself',
    query: importQuery,
    view: contactImportSchema,
    viewOf: contactImportView,
    async wishOf(_accountId, query) {
      const { number = null, name = null, language = null } = query;
      const { timeZone = null, externalId = null, country = null, tag = '' } = query;
      const { encoding } = query;
      const columns = { number, name, language, timeZone, externalId };
      const wish = { columns, keepsOthers: query.others === 'keep', country, tag, encoding };
      return { wish, dryRun: query.dryRun === 'true' };
    },
  });
}
