import { Readable } from 'node:stream';
import { z } from 'zod';
import type { CheckpointSigner } from '../checkpoints/checkpoints.ts';
import { readContact } from '../contacts/contact-store.ts';
import type { Contact } from '../contacts/contact.ts';
import { type ApiContext, found, idFrom } from '../http/api-context.ts';
import { accountOf } from '../http/auth.ts';
import { inChunks, jsonObjectText } from '../http/json-stream.ts';
import { HttpError } from '../http/problem.ts';
import type { HttpServer } from '../http/server.ts';
import { survivorOf } from '../identity/identity-store.ts';
import { DOWNLOAD_MS } from '../ledger/ledger-routes.ts';
import { isoTime, isoTimeOrNull } from '../platform/clock.ts';
import type { AccountId } from '../platform/ids.ts';
import { erasePerson, requestErasure, type ErasurePorts } from './erasure-commands.ts';
import { readErasure } from './erasure-store.ts';
import type { Erasure } from './privacy.ts';
import { PERSON_FORMAT, gatherPerson } from './person-export.ts';

const byId = z.object({ id: z.string() });
const instantOrNull = z.string().nullable().describe('RFC 3339, UTC');

const erasureSchema = z.object({
  contactId: z.string(),
  state: z
    .enum(['waiting', 'sweeping', 'done'])
    .describe(
      'waiting: a call or message is being ended first; sweeping: erased, and stored webhooks ' +
        'and answers are being searched; done: nothing is left.',
    ),
  requestedAt: z.string().describe('RFC 3339, UTC'),
  erasedAt: instantOrNull,
  doneAt: instantOrNull,
});

/** For the OpenAPI document; the answer itself is a stream and passes by it. */
const personSchema = z.looseObject({
  format: z.literal(PERSON_FORMAT),
  generatedAt: z.string(),
  accountId: z.string(),
  contact: z.looseObject({ id: z.string(), number: z.string().nullable() }),
  messages: z.array(z.looseObject({ id: z.string(), content: z.unknown() })),
});

export type PrivacyContext = ApiContext &
  ErasurePorts & {
    checkpointSigner: CheckpointSigner;
    settings: { ASKFIRST_PUBLIC_URL?: string | undefined };
  };

/** A copy for the person, and the end of what is kept of them. */
export function registerPrivacyRoutes(app: HttpServer, context: PrivacyContext): void {
  registerExport(app, context);
  registerErasure(app, context);
}

function registerExport(app: HttpServer, context: PrivacyContext): void {
  app.get(
    '/v1/contacts/:id/export',
    {
      onRequest: context.authenticator.authenticate,
      handlerTimeout: DOWNLOAD_MS,
      schema: {
        tags: ['privacy'],
        summary: 'All that is kept of a person, as one machine-readable file',
        params: byId,
        response: { 200: personSchema },
      },
    },
    async (request, reply) => {
      const { accountId } = accountOf(request);
      const contact = await personOf(context, accountId, request.params.id);
      const base = context.settings.ASKFIRST_PUBLIC_URL ?? `${request.protocol}://${request.host}`;
      const person = await gatherPerson({ ...context, base }, contact);
      return reply
        .header('content-type', 'application/json; charset=utf-8')
        .header('content-disposition', `attachment; filename="person-${contact.id}.json"`)
        .header('cache-control', 'no-store')
        .send(Readable.from(inChunks(jsonObjectText(person))) as never);
    },
  );
}

function registerErasure(app: HttpServer, context: PrivacyContext): void {
  const { database } = context;
  const onRequest = context.authenticator.authenticate;

  app.post(
    '/v1/contacts/:id/erase',
    {
      onRequest,
      schema: {
        tags: ['privacy'],
        summary: 'Erase a person for good; do-not-call entries go on blocking',
        params: byId,
        body: z.strictObject({
          confirm: z.string().max(200).describe('The id of the contact once more.'),
        }),
        response: { 202: erasureSchema },
      },
    },
    async (request, reply) => {
      const { accountId, keyId } = accountOf(request);
      const { id } = request.params;
      const contact = await personOf(context, accountId, id);
      if (request.body.confirm !== id) throw notConfirmed();
      const actor = `api:${keyId}`;
      if (contact.erasedAt === null) {
        await requestErasure(context, contact, actor);
        await erasePerson(context, contact, actor);
      }
      const erasure = found(await readErasure(database, accountId, contact.id), 'erasure');
      return reply.code(202).send(erasureView(erasure));
    },
  );

  app.get(
    '/v1/contacts/:id/erasure',
    {
      onRequest,
      schema: {
        tags: ['privacy'],
        summary: 'How far the erasure of a person is',
        params: byId,
        response: { 200: erasureSchema },
      },
    },
    async (request) => {
      const { accountId } = accountOf(request);
      const contact = await personOf(context, accountId, request.params.id);
      const erasure = await readErasure(database, accountId, contact.id);
      return erasureView(found(erasure, 'erasure'));
    },
  );
}

/** The contact, or the one that goes on for it where two turned out to be one person. */
async function personOf(
  { database }: PrivacyContext,
  accountId: AccountId,
  text: string,
): Promise<Contact> {
  const named = found(await readContact(database, accountId, idFrom('contact', text)), 'contact');
  if (named.mergedInto === null) return named;
  const id = await survivorOf(database, named.id);
  return found(await readContact(database, accountId, id), 'contact');
}

function notConfirmed(): HttpError {
  return new HttpError('invalid_request', 'An erasure cannot be undone, so it is confirmed.', {
    fields: [
      {
        field: 'confirm',
        rule: 'is not the id of the contact',
        fix: 'Send the id of the contact in "confirm".',
      },
    ],
  });
}

function erasureView(erasure: Erasure): z.infer<typeof erasureSchema> {
  const { contactId, state, requestedAt, erasedAt, doneAt } = erasure;
  return {
    contactId,
    state,
    requestedAt: isoTime(requestedAt),
    erasedAt: isoTimeOrNull(erasedAt),
    doneAt: isoTimeOrNull(doneAt),
  };
}
