import { z } from 'zod';
import type { Queryable } from '../database/database.ts';
import { type ApiContext, found, idFrom, lineFor } from '../http/api-context.ts';
import { accountOf } from '../http/auth.ts';
import { RUN_FAILURES } from '../failure-codes.ts';
import { HttpError, RefusalError } from '../http/problem.ts';
import { afterIdOf, pageOf, pageQuery, pageSchema } from '../http/pagination.ts';
import type { HttpServer } from '../http/server.ts';
import { isRefused, type Refused } from '../platform/refusal.ts';
import type { WhatsAppClient } from '../whatsapp/whatsapp.ts';
import {
  addTemplate,
  changeTemplate,
  deleteTemplate,
  lineOfOwner,
  submitTemplate,
} from './template-commands.ts';
import { templateUsers } from './template-uses-lookup.ts';
import { changeFromInput, changeInput, draftFromInput, draftInput } from './template-input.ts';
import { lintTemplate } from './template-lint.ts';
import { listTemplates, readTemplate, versionsOf, type StoredTemplate } from './template-store.ts';
import { syncTemplates } from './sync-commands.ts';
import {
  findingSchema,
  templateSchema,
  templateView,
  usesSchema,
  versionSchema,
  versionView,
} from './template-views.ts';
import { TEMPLATE_STATUSES } from './template.ts';

type Context = ApiContext & { whatsapp: WhatsAppClient };

const tags = ['templates'];
const byId = z.object({ id: z.string() });
const listQuery = z.object({
  ...pageQuery,
  limit: pageQuery.limit.default(100),
  name: z.string().max(600).optional(),
  language: z.string().max(20).optional(),
  status: z.enum(TEMPLATE_STATUSES).optional(),
  wabaId: z.string().max(30).optional(),
});
const ofLine = z.string().optional().describe('Whose WhatsApp Business account; the only line.');

/** Templates: what customers are asked with, and what Meta makes of them. */
export function registerTemplateRoutes(app: HttpServer, context: Context): void {
  registerReading(app, context);
  registerUses(app, context);
  registerWriting(app, context);
  registerMeta(app, context);
}

function registerReading(app: HttpServer, context: Context): void {
  const { database } = context;
  const onRequest = context.authenticator.authenticate;

  app.get(
    '/v1/templates',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Templates, the built-in ones first',
        querystring: listQuery,
        response: { 200: pageSchema(templateSchema) },
      },
    },
    async (request) => {
      const { limit, ...filter } = request.query;
      const { accountId } = accountOf(request);
      const after = afterIdOf(request.query);
      const page = { ...filterOf(filter), after, limit: limit + 1 };
      return pageOf(await listTemplates(database, accountId, page), limit, templateView);
    },
  );

  app.get(
    '/v1/templates/:id',
    {
      onRequest,
      schema: {
        tags,
        summary: 'One template',
        params: byId,
        response: { 200: templateSchema },
      },
    },
    async (request) => templateView(await templateOf(context, request)),
  );

  app.get(
    '/v1/templates/:id/versions',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Every content a template ever had, newest first',
        params: byId,
        response: { 200: pageSchema(versionSchema) },
      },
    },
    async (request) => {
      const { id } = await templateOf(context, request);
      return { items: (await versionsOf(database, id)).map(versionView), next: null };
    },
  );
}

/** Asked before a change or a deletion, so that nobody is surprised by who would miss it. */
function registerUses(app: HttpServer, context: Context): void {
  app.get(
    '/v1/templates/:id/uses',
    {
      onRequest: context.authenticator.authenticate,
      schema: {
        tags,
        summary: 'What sends a template; while something does, it cannot be deleted',
        params: byId,
        response: { 200: usesSchema },
      },
    },
    async (request) => {
      const users = await templateUsers(context.database, await templateOf(context, request));
      return users ?? { journeys: [], campaigns: [], experiments: [] };
    },
  );
}

function registerWriting(app: HttpServer, context: Context): void {
  const { database } = context;
  const onRequest = context.authenticator.authenticate;

  app.post(
    '/v1/templates',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Write a template; it stays a draft until it is submitted',
        body: draftInput.extend({ lineId: ofLine }),
        response: { 201: templateSchema },
      },
    },
    async (request, reply) => {
      const { accountId, keyId } = accountOf(request);
      const { lineId, ...input } = request.body;
      const added = await database.transaction(async (tx) => {
        const { sealed } = await lineFor(tx, accountId, lineId);
        const owner = { accountId, wabaId: sealed.wabaId };
        return addTemplate(tx, context, owner, draftFromInput(input), `api:${keyId}`);
      });
      if (isRefused(added)) throw problemOf(added);
      return reply.code(201).send(templateView(added));
    },
  );

  app.patch(
    '/v1/templates/:id',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Change the content, as a new version; what Meta holds is sent until submitted',
        params: byId,
        body: changeInput,
        response: { 200: templateSchema },
      },
    },
    async (request) => {
      const template = await templateOf(context, request);
      const change = changeFromInput(request.body);
      const actor = `api:${accountOf(request).keyId}`;
      const changed = await database.transaction((tx) =>
        changeTemplate(tx, context, template, change, actor),
      );
      if (isRefused(changed)) throw problemOf(changed);
      return templateView(changed);
    },
  );

  app.post(
    '/v1/templates/lint',
    {
      onRequest,
      schema: {
        tags,
        summary: 'What Meta or a customer would find wrong with a template; nothing is kept',
        body: draftInput,
        response: { 200: z.object({ ok: z.boolean(), findings: z.array(findingSchema) }) },
      },
    },
    async (request) => lintTemplate(draftFromInput(request.body)),
  );
}

function registerMeta(app: HttpServer, context: Context): void {
  const { database } = context;
  const onRequest = context.authenticator.authenticate;

  app.post(
    '/v1/templates/:id/submit',
    {
      onRequest,
      schema: {
        tags,
        summary: "Hand the newest version to Meta's review; doing it twice changes nothing",
        params: byId,
        response: { 200: templateSchema },
      },
    },
    async (request) => {
      const template = await templateOf(context, request);
      const line = await lineOfOwner(database, template);
      if (line === null) throw noLine();
      const submitted = await submitTemplate(context, line, template);
      if (isRefused(submitted)) throw problemOf(submitted);
      return templateView(submitted);
    },
  );

  app.post(
    '/v1/templates/sync',
    {
      onRequest,
      schema: {
        tags,
        summary: "Compare with Meta's list now; it also happens hourly by itself",
        body: z.strictObject({ lineId: ofLine }),
        response: {
          200: z.object({
            wabaId: z.string(),
            listed: z.number().describe('What Meta lists.'),
            imported: z.number().describe('New here.'),
            changed: z.number(),
            ignored: z.number().describe('What cannot be sent from here, such as media headers.'),
          }),
        },
      },
    },
    async (request) => {
      const line = await lineFor(database, accountOf(request).accountId, request.body.lineId);
      return syncTemplates(context, line);
    },
  );

  app.delete(
    '/v1/templates/:id',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Delete a template that nothing sends, here and at Meta; its versions stay',
        params: byId,
        response: { 204: z.undefined().describe('Deleted.') },
      },
    },
    async (request, reply) => {
      const template = await templateOf(context, request);
      await refuseInUse(database, template);
      await deleteTemplate(context, await lineOfOwner(database, template), template);
      return reply.code(204).send();
    },
  );
}

/** Who would ask with what is no longer there is told before it goes. */
async function refuseInUse(db: Queryable, template: StoredTemplate): Promise<void> {
  const evidence = await templateUsers(db, template);
  if (evidence === null) return;
  const { title, fix } = found(RUN_FAILURES['template_in_use'], 'failure');
  throw new RefusalError({ code: 'template_in_use', message: title, fix, evidence }, 409);
}

async function templateOf(
  { database }: Context,
  request: Parameters<typeof accountOf>[0] & { params: { id: string } },
) {
  const id = idFrom('template', request.params.id);
  return found(await readTemplate(database, accountOf(request).accountId, id), 'template');
}

function filterOf(query: Partial<z.infer<typeof listQuery>>) {
  const { name = null, language = null, status = null, wabaId = null } = query;
  return { name, language, status, wabaId };
}

/** The input is at fault, or how things stand. */
function problemOf({ refused }: Refused): RefusalError {
  return new RefusalError(refused, refused.code === 'template_invalid' ? 422 : 409);
}

function noLine(): HttpError {
  return new HttpError('invalid_request', 'No line belongs to this WhatsApp Business account.', {
    fix: 'Add a line of it first: POST /v1/lines.',
  });
}
