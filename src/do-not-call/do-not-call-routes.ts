import { Readable } from 'node:stream';
import { z } from 'zod';
import { readHandle } from '../contacts/recipient.ts';
import { findByHandle } from '../contacts/contact-handle-store.ts';
import { readContact } from '../contacts/contact-store.ts';
import { handlesOfContact, type Handle } from '../contacts/contact.ts';
import { OWN_LIST, entriesOfHandles, exportEntries } from '../contacts/do-not-call-store.ts';
import { type ApiContext, refusedAnswer, refusedInput } from '../http/api-context.ts';
import { oneLine } from '../http/api-schemas.ts';
import { accountOf } from '../http/auth.ts';
import { idempotent } from '../http/idempotency.ts';
import { pageSchema } from '../http/pagination.ts';
import type { HttpServer } from '../http/server.ts';
import { isoTime } from '../platform/clock.ts';
import type { AccountId } from '../platform/ids.ts';
import { isRefused } from '../platform/refusal.ts';
import { csvAnswer, csvLine } from '../http/csv-text.ts';
import { listPerson, statusOfRefusal, unlistPerson } from './do-not-call-commands.ts';
import {
  listName,
  listSchema,
  standingSchema,
  standingView,
  type StandingView,
} from './do-not-call.ts';
import { registerImportRoutes } from './import-routes.ts';
import { listsOf } from './list-store.ts';

const person = z.string().min(1).max(100).describe('Number (E.164) or business-scoped user id.');
const reason = oneLine(200).describe('Why; it is kept in the ledger, so write no number into it.');

const addBody = z.strictObject({ to: person, reason, list: listName.default(OWN_LIST) });
const removeBody = z.strictObject({
  to: person,
  reason,
  list: z.string().min(1).max(63).optional().describe(`Defaults to ${OWN_LIST}.`),
});

const EXPORT_PAGE = 2_000;
/** An export runs as long as the reader takes it; the pages keep no transaction open. */
const EXPORT_TIMEOUT_MS = 3_600_000;
const tags = ['do-not-call'];

/** Who may not be called: add, remove, look up, and what lists there are. */
export function registerDoNotCallRoutes(app: HttpServer, context: ApiContext): void {
  registerWriting(app, context);
  registerReading(app, context);
  registerImportRoutes(app, context);
}

function registerWriting(app: HttpServer, context: ApiContext): void {
  const onRequest = context.authenticator.authenticate;
  const response = { 200: standingSchema };
  const config = { idempotent: true };

  app.post(
    '/v1/do-not-call',
    {
      onRequest,
      config,
      schema: { tags, summary: 'Never call or ask this person again', body: addBody, response },
    },
    async (request, reply) => {
      const { accountId, keyId } = accountOf(request);
      const { to, ...entry } = request.body;
      const listing = { ...entry, source: 'api', by: 'api', actor: `api:${keyId}` } as const;
      await idempotent(request, reply, context, async (tx) => {
        const handle = readHandle(to);
        if (isRefused(handle)) return refusedAnswer(handle);
        const view = await listPerson(tx, context, accountId, handle, listing);
        return isRefused(view)
          ? { ...view, status: statusOfRefusal(view) }
          : { status: 200, body: view };
      });
    },
  );

  app.post(
    '/v1/do-not-call/remove',
    {
      onRequest,
      config,
      schema: { tags, summary: 'Take a person off one list', body: removeBody, response },
    },
    async (request, reply) => {
      const { accountId, keyId } = accountOf(request);
      const { to, reason: why, list = null } = request.body;
      const wish = { list, reason: why, actor: `api:${keyId}` };
      await idempotent(request, reply, context, async (tx) => {
        const handle = readHandle(to);
        if (isRefused(handle)) return refusedAnswer(handle);
        const view = await unlistPerson(tx, context, accountId, handle, wish);
        return isRefused(view)
          ? { ...view, status: statusOfRefusal(view) }
          : { status: 200, body: view };
      });
    },
  );
}

function registerReading(app: HttpServer, context: ApiContext): void {
  const { database, doNotCallKey } = context;
  const onRequest = context.authenticator.authenticate;

  app.get(
    '/v1/do-not-call',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Is this person on a list, on which, since when and why?',
        querystring: z.object({ to: person }),
        response: { 200: standingSchema },
      },
    },
    async (request) => standingOf(accountOf(request).accountId, request.query.to),
  );

  app.post(
    '/v1/do-not-call/check',
    {
      onRequest,
      schema: {
        tags,
        summary: 'The same in a body, so that the number stands in no address and no log',
        body: z.strictObject({ to: person }),
        response: { 200: standingSchema },
      },
    },
    async (request) => standingOf(accountOf(request).accountId, request.body.to),
  );

  async function standingOf(accountId: AccountId, to: string): Promise<StandingView> {
    const handle = readHandle(to);
    if (isRefused(handle)) throw refusedInput(handle, 'to');
    const contactId = await findByHandle(database, accountId, handle);
    const contact = contactId === null ? null : await readContact(database, accountId, contactId);
    const handles: Handle[] = contact === null ? [handle] : handlesOfContact(contact);
    const entries = await entriesOfHandles(database, doNotCallKey, accountId, handles);
    return standingView(contactId, entries);
  }

  app.get(
    '/v1/do-not-call/lists',
    {
      onRequest,
      schema: {
        tags,
        summary: 'The lists, with their source, day and length',
        response: { 200: pageSchema(listSchema) },
      },
    },
    async (request) => {
      const lists = await listsOf(database, accountOf(request).accountId);
      const items = lists.map(({ importedAt, ...list }) => ({
        ...list,
        importedAt: importedAt === null ? null : isoTime(importedAt),
      }));
      return { items, next: null };
    },
  );

  app.get(
    '/v1/do-not-call/export',
    {
      onRequest,
      handlerTimeout: EXPORT_TIMEOUT_MS,
      schema: {
        tags,
        summary: 'All entries as CSV; hashes, because no numbers are kept',
        response: { 200: csvAnswer },
      },
    },
    async (request, reply) =>
      reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', 'attachment; filename="do-not-call.csv"')
        .send(Readable.from(exportLines(accountOf(request).accountId))),
  );

  async function* exportLines(accountId: AccountId): AsyncGenerator<string> {
    yield csvLine(['hmac', 'list', 'reason', 'source', 'added_at']);
    for await (const entries of exportEntries(database, accountId, EXPORT_PAGE)) {
      yield entries
        .map(({ hmac, list, reason: why, source, addedAt }) =>
          csvLine([hmac, list, why, source, isoTime(addedAt)]),
        )
        .join('');
    }
  }
}
