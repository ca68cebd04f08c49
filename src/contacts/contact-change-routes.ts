import { z } from 'zod';
import { type ApiContext, found, idFrom } from '../http/api-context.ts';
import { contactSchema, oneLine } from '../http/api-schemas.ts';
import type { ContactView } from '../http/api-types.ts';
import { accountOf } from '../http/auth.ts';
import type { HttpServer } from '../http/server.ts';
import { onContact } from '../ledger/contact-unit.ts';
import type { AccountId } from '../platform/ids.ts';
import type { Contact } from './contact.ts';
import { changeContact } from './contact-change-commands.ts';
import { contactLanguage, contactName, contactTimeZone } from './contact-fields.ts';
import { readContact } from './contact-store.ts';

const changeBody = z
  .strictObject({
    name: contactName.nullable().optional(),
    language: contactLanguage.nullable().optional().describe('In which they are written to.'),
    timeZone: contactTimeZone
      .nullable()
      .optional()
      .describe('Where they are, if you know it: one more zone whose calling hours are kept.'),
    sanctionedRegion: z
      .boolean()
      .optional()
      .describe('They are in a sanctioned region that no number shows; forbids all calling.'),
    reason: oneLine(200).optional().describe('Kept in the ledger, sealed with the person.'),
  })
  .refine((body) => body.sanctionedRegion === undefined || body.reason !== undefined, {
    path: ['reason'],
    error: 'is needed with sanctionedRegion',
  })
  .refine((body) => Object.keys(body).some((field) => field !== 'reason'), {
    error: 'names at least one field to change',
  });

/** What the business says of a person, by an operator's hand. */
export function registerContactChanges(
  app: HttpServer,
  context: ApiContext,
  viewsOf: (contacts: readonly Contact[]) => Promise<ContactView[]>,
): void {
  app.patch(
    '/v1/contacts/:id',
    {
      onRequest: context.authenticator.authenticate,
      schema: {
        tags: ['contacts'],
        summary: 'Change name, language, time zone or the mark of a sanctioned region',
        params: z.object({ id: z.string() }),
        body: changeBody,
        response: { 200: contactSchema },
      },
    },
    async (request) => {
      const { accountId, keyId } = accountOf(request);
      const { id } = await own(accountId, request.params.id);
      const actor = `api:${keyId}`;
      await onContact(context, id, async (unit) => changeContact(unit, request.body, actor));
      const [view] = await viewsOf([await own(accountId, id)]);
      return found(view, 'contact');
    },
  );

  async function own(accountId: AccountId, text: string): Promise<Contact> {
    const contact = await readContact(context.database, accountId, idFrom('contact', text));
    return found(contact, 'contact');
  }
}
