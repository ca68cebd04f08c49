import { z } from 'zod';
import { type ApiContext, found, idFrom } from '../http/api-context.ts';
import { accountOf } from '../http/auth.ts';
import type { HttpServer } from '../http/server.ts';
import { readLine, type StoredLine } from '../lines/line-store.ts';
import { submitTemplate } from '../templates/template-commands.ts';
import { listTemplates, type VersionedTemplate } from '../templates/template-store.ts';
import { syncTemplates } from '../templates/sync-commands.ts';
import { DEFAULT_LANGUAGE } from '../templates/template.ts';
import { WhatsAppFailure } from '../whatsapp/whatsapp.ts';
import { isRefused } from '../platform/refusal.ts';
import { registerCallingRoutes, type LineOf } from './calling-routes.ts';
import { gatherGoLiveFacts, type GoLivePorts } from './golive-facts.ts';
import { CHECK_IDS, checklist } from './golive.ts';

const byId = z.object({ id: z.string() });

const checkSchema = z.object({
  id: z.enum(CHECK_IDS),
  title: z.string(),
  state: z.enum(['ok', 'warning', 'failed', 'unknown']),
  required: z.boolean().describe('Must be ok or warning before the line is ready.'),
  detail: z.string(),
  fix: z.string().nullable(),
});

const goLiveSchema = z.object({
  lineId: z.string(),
  live: z.boolean().describe('True where the line speaks to Meta itself.'),
  ready: z.boolean(),
  checks: z.array(checkSchema),
});

const templatesSchema = z.object({
  items: z.array(
    z.object({
      name: z.string(),
      language: z.string(),
      status: z.string().describe("Meta's word, such as PENDING, APPROVED or REJECTED."),
      submitted: z.boolean().describe('False: Meta had it already.'),
      error: z.object({ code: z.string(), message: z.string(), fix: z.string() }).nullable(),
    }),
  ),
});
type TemplateItem = z.infer<typeof templatesSchema>['items'][number];

/** Going live: the checklist, and the steps at Meta that we can take for the operator. */
export function registerGoLiveRoutes(app: HttpServer, context: ApiContext & GoLivePorts): void {
  const onRequest = context.authenticator.authenticate;
  const tags = ['lines'];
  const lineOf: LineOf = async (request) => {
    const id = idFrom('line', request.params.id);
    return found(await readLine(context.database, accountOf(request).accountId, id), 'line');
  };

  app.get(
    '/v1/lines/:id/go-live',
    {
      onRequest,
      schema: {
        tags,
        summary: 'What is still missing before this line calls real people',
        params: byId,
        response: { 200: goLiveSchema },
      },
    },
    async (request) => {
      const line = await lineOf(request);
      return { lineId: line.id, ...checklist(await gatherGoLiveFacts(context, line)) };
    },
  );

  app.post(
    '/v1/lines/:id/templates',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Submit the built-in native templates to Meta, where they are missing',
        params: byId,
        body: z.strictObject({
          languages: z.array(z.string().max(20)).min(1).max(20).default([DEFAULT_LANGUAGE]),
        }),
        response: { 200: templatesSchema },
      },
    },
    async (request) => {
      const line = await lineOf(request);
      return { items: await submitTemplates(context, line, request.body.languages) };
    },
  );

  registerCallingRoutes(app, context, lineOf);
}

/** Asking twice submits nothing twice: what Meta lists is left alone, whatever its status. */
async function submitTemplates(
  context: ApiContext & GoLivePorts,
  line: StoredLine,
  languages: readonly string[],
): Promise<TemplateItem[]> {
  await syncTemplates(context, line);
  const { wabaId } = line.sealed;
  const all = await listTemplates(context.database, line.accountId, { wabaId });
  const wanted = all.filter(
    ({ origin, language, content }) =>
      origin === 'built_in' && content.nativePermissionRequest && languages.includes(language),
  );
  const items: TemplateItem[] = [];
  for (const template of wanted) {
    const { name, language, metaVersion, status } = template;
    items.push(
      metaVersion === null
        ? await submit(context, line, template)
        : { name, language, status: status.toUpperCase(), submitted: false, error: null },
    );
  }
  return items;
}

/** One template's trouble must not keep the others from being submitted. */
async function submit(
  context: ApiContext & GoLivePorts,
  line: StoredLine,
  template: VersionedTemplate,
): Promise<TemplateItem> {
  const { name, language } = template;
  try {
    const done = await submitTemplate(context, line, template);
    if (isRefused(done)) {
      const { code, message, fix } = done.refused;
      const error = { code, message, fix };
      return { name, language, status: 'UNKNOWN', submitted: false, error };
    }
    return { name, language, status: done.status.toUpperCase(), submitted: true, error: null };
  } catch (error) {
    if (!(error instanceof WhatsAppFailure)) throw error;
    const { code, message, fix } = error;
    const submitted = error.side === 'indeterminate';
    return { name, language, status: 'UNKNOWN', submitted, error: { code, message, fix } };
  }
}
