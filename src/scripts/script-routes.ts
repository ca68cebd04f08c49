import { z } from 'zod';
import { type ApiContext, found, idFrom } from '../http/api-context.ts';
import { accountOf } from '../http/auth.ts';
import { afterIdOf, pageOf, pageQuery, pageSchema } from '../http/pagination.ts';
import { RefusalError } from '../http/problem.ts';
import type { HttpServer } from '../http/server.ts';
import { isoTime } from '../platform/clock.ts';
import type { AccountId } from '../platform/ids.ts';
import type { SoundShelf } from '../prompts/sound-shelf.ts';
import type { Egress } from '../webhooks/egress.ts';
import { makeSecret } from '../webhooks/signing.ts';
import { fromEightByEight } from './eight-by-eight.ts';
import { checkScriptHere } from './script-desk.ts';
import { dryRun } from './script-dry-run.ts';
import { SCRIPT_SAMPLES } from './script-samples.ts';
import type { ScriptDocument, ScriptProblem } from './script.ts';
import {
  addScriptVersion,
  listScripts,
  lockScript,
  readScript,
  type StoredScript,
} from './script-store.ts';
import { problemFields } from './step-problems.ts';

export type ScriptRoutesContext = ApiContext & { egress: Egress; shelf: SoundShelf };

/** Taken as it comes, so that what is wrong with it is said by step and field. */
const draft = z.looseObject({}).describe('A script: docs/reference/scripts.md has its fields.');
const problemsSchema = z.array(
  z.object({ step: z.string().nullable(), field: z.string(), rule: z.string(), fix: z.string() }),
);
const scriptView = z.object({
  id: z.string(),
  name: z.string(),
  version: z.number(),
  createdAt: z.string(),
  script: draft,
});
const savedView = scriptView.extend({
  secret: z
    .string()
    .nullable()
    .describe('Signs what a `url` step asks; shown only when it is made.'),
});
const checkBody = z.strictObject({
  script: draft,
  variables: z.record(z.string(), z.string().max(200)).default({}),
  entries: z
    .array(z.string().regex(/^[0-9*#]{0,32}$/, 'is keys, or nothing for silence'))
    .max(50)
    .default([])
    .describe('What the customer types at each question, for the dry run.'),
  answers: z.boolean().default(true).describe('Whether endpoints answer in the dry run.'),
});
const checkedView = z.object({
  ok: z.boolean(),
  problems: problemsSchema,
  dryRun: z.array(z.object({ atMs: z.number(), what: z.string(), text: z.string() })),
});
const byId = z.object({ id: z.string() });

function viewOf({ id, version, document, createdAt }: StoredScript) {
  return { id, name: document.name, version, createdAt: isoTime(createdAt), script: document };
}

/** Call scripts: saved by version, checked before, and tried without a call. */
export function registerScriptRoutes(app: HttpServer, context: ScriptRoutesContext): void {
  registerSaving(app, context);
  registerScriptReading(app, context);
  registerTrying(app, context);
}

function registerSaving(app: HttpServer, context: ScriptRoutesContext): void {
  const { database, ids, clock } = context;
  const onRequest = context.authenticator.authenticate;
  const tags = ['scripts'];

  app.post(
    '/v1/scripts',
    {
      onRequest,
      schema: { tags, summary: 'Save a call script', body: draft, response: { 201: savedView } },
    },
    async (request, reply) => {
      const { accountId } = accountOf(request);
      const document = await usable(context, accountId, request.body);
      const { secret, sealed } = secretFor(context, document, null);
      const id = ids.next('script');
      const first = { id, accountId, document, secret: sealed, createdAt: clock.now() };
      const stored = { ...first, version: 1 };
      await database.transaction((tx) => addScriptVersion(tx, stored));
      return reply.code(201).send({ ...viewOf(stored), secret });
    },
  );

  app.put(
    '/v1/scripts/:id',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Save a new version; calls that were asked for keep theirs',
        params: byId,
        body: draft,
        response: { 200: savedView },
      },
    },
    async (request) => {
      const { accountId } = accountOf(request);
      const id = idFrom('script', request.params.id);
      const document = await usable(context, accountId, request.body);
      return database.transaction(async (tx) => {
        const before = found(await lockScript(tx, accountId, id), 'script');
        const { secret, sealed } = secretFor(context, document, before.secret);
        const version = before.version + 1;
        const createdAt = clock.now();
        const stored = { id, version, accountId, document, secret: sealed, createdAt };
        await addScriptVersion(tx, stored);
        return { ...viewOf(stored), secret };
      });
    },
  );
}

function registerScriptReading(app: HttpServer, context: ScriptRoutesContext): void {
  const { database } = context;
  const onRequest = context.authenticator.authenticate;
  const tags = ['scripts'];

  app.get(
    '/v1/scripts',
    {
      onRequest,
      schema: {
        tags,
        summary: 'All scripts in their newest version',
        querystring: z.object(pageQuery),
        response: { 200: pageSchema(scriptView) },
      },
    },
    async (request) => {
      const { limit } = request.query;
      const page = { after: afterIdOf(request.query), limit: limit + 1 };
      const scripts = await listScripts(database, accountOf(request).accountId, page);
      return pageOf(scripts, limit, viewOf);
    },
  );

  app.get(
    '/v1/scripts/:id',
    {
      onRequest,
      schema: {
        tags,
        summary: 'One script',
        params: byId,
        querystring: z.object({ version: z.coerce.number().int().min(1).optional() }),
        response: { 200: scriptView },
      },
    },
    async (request) => {
      const id = idFrom('script', request.params.id);
      const { accountId } = accountOf(request);
      const { version } = request.query;
      return viewOf(found(await readScript(database, accountId, id, version), 'script'));
    },
  );

  app.get(
    '/v1/scripts/samples',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Scripts to begin with',
        response: { 200: z.object({ items: z.array(draft) }) },
      },
    },
    async () => ({ items: SCRIPT_SAMPLES.map((sample) => ({ ...sample })) }),
  );
}

function registerTrying(app: HttpServer, context: ScriptRoutesContext): void {
  const onRequest = context.authenticator.authenticate;
  const tags = ['scripts'];

  app.post(
    '/v1/scripts/check',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Check a script and play it dry: nobody is called',
        body: checkBody,
        response: { 200: checkedView },
      },
    },
    async (request) => {
      const { script, ...wish } = request.body;
      const checked = await checkScriptHere(context, accountOf(request).accountId, script);
      if (!checked.ok) return { ok: false, problems: checked.problems, dryRun: [] };
      return { ok: true, problems: [], dryRun: dryRun(checked.script, wish) };
    },
  );

  app.post(
    '/v1/scripts/import',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Make a script of an 8x8 call flow; it is shown, not saved',
        body: z.strictObject({ name: z.string().min(1).max(100), document: z.unknown() }),
        response: { 200: z.object({ script: draft, problems: problemsSchema }) },
      },
    },
    async (request) => {
      const { name, document } = request.body;
      const { script, problems } = fromEightByEight(document, name);
      if (problems.length > 0) return { script, problems };
      const checked = await checkScriptHere(context, accountOf(request).accountId, script);
      return { script, problems: checked.ok ? [] : checked.problems };
    },
  );
}

async function usable(
  context: ScriptRoutesContext,
  accountId: AccountId,
  input: unknown,
): Promise<ScriptDocument> {
  const checked = await checkScriptHere(context, accountId, input);
  if (checked.ok) return checked.document;
  throw invalid(checked.problems);
}

function invalid(problems: readonly ScriptProblem[]): RefusalError {
  const fields = problemFields(problems);
  const [first] = fields;
  return new RefusalError(
    {
      code: 'script_invalid',
      message: `This script cannot run: ${first?.field ?? ''} ${first?.rule ?? ''}.`,
      fix: first?.fix ?? 'Correct it.',
      evidence: { problems },
    },
    422,
    fields,
  );
}

/** A script that asks a web service has a secret; it is made once and stays. */
function secretFor(
  { random, sealer }: ScriptRoutesContext,
  document: ScriptDocument,
  before: Buffer | null,
): { secret: string | null; sealed: Buffer | null } {
  const asks = document.steps.some((step) => step.do === 'url');
  if (before !== null || !asks) return { secret: null, sealed: before };
  const secret = makeSecret(random);
  return { secret, sealed: sealer.seal(secret) };
}
