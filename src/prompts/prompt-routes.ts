import { z } from 'zod';
import type { Tx } from '../database/database.ts';
import { endpointsThatPlay } from '../endpoints/endpoint-usage-store.ts';
import { RUN_FAILURES } from '../failure-codes.ts';
import { type ApiContext, found, idFrom } from '../http/api-context.ts';
import { accountOf } from '../http/auth.ts';
import { pageSchema } from '../http/pagination.ts';
import { HttpError, RefusalError } from '../http/problem.ts';
import type { HttpServer } from '../http/server.ts';
import { parseSound, soundBytes } from '../media/sound-file.ts';
import { isoTime } from '../platform/clock.ts';
import type { AccountId } from '../platform/ids.ts';
import { readRecordingSettings } from '../recording/recording-store.ts';
import { oggOpusFile } from './ogg-opus-writer.ts';
import { PROMPT_LIMITS } from './prompts.ts';
import {
  deletePrompt,
  listPrompts,
  readPrompt,
  readPromptSound,
  savePrompt,
  scriptsThatPlay,
  type Prompt,
} from './prompt-store.ts';
import { durationMsOf, framesOfUpload, type UploadKind } from './sound-maker.ts';

const KINDS: Readonly<Record<string, UploadKind>> = {
  'audio/wav': 'audio/wav',
  'audio/x-wav': 'audio/wav',
  'audio/wave': 'audio/wav',
  'audio/vnd.wave': 'audio/wav',
  'audio/ogg': 'audio/ogg',
  'application/ogg': 'audio/ogg',
};

const promptSchema = z.object({
  id: z.string(),
  name: z.string(),
  durationMs: z.number(),
  createdAt: z.string(),
});
const query = z.object({
  name: z
    .string()
    .max(60)
    .regex(/^[a-z0-9][a-z0-9._-]*$/, 'is small letters, digits, dots, - and _')
    .describe('How scripts call it.'),
});
const byId = z.object({ id: z.string() });

function promptView({ id, name, durationMs, createdAt }: Prompt) {
  return { id, name, durationMs, createdAt: isoTime(createdAt) };
}

/** Prompts: sounds of the business that scripts play. */
export function registerPromptRoutes(app: HttpServer, context: ApiContext): void {
  // In a scope of its own: only here may a body be sound.
  void app.register(async (scope: HttpServer) => {
    scope.addContentTypeParser(
      Object.keys(KINDS),
      { parseAs: 'buffer', bodyLimit: PROMPT_LIMITS.bytes },
      (_request, body, done) => done(null, body),
    );
    registerUpload(scope, context);
  });
  registerReading(app, context);
}

function registerUpload(app: HttpServer, context: ApiContext): void {
  const { database, ids, clock } = context;
  app.post(
    '/v1/prompts',
    {
      onRequest: context.authenticator.authenticate,
      bodyLimit: PROMPT_LIMITS.bytes,
      schema: {
        tags: ['prompts'],
        summary: 'Upload a prompt (WAV or Ogg Opus as the body), or replace the one of this name',
        querystring: query,
        response: { 201: promptSchema },
      },
    },
    async (request, reply) => {
      const { accountId } = accountOf(request);
      const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
      const kind = KINDS[type ?? ''];
      if (kind === undefined || !Buffer.isBuffer(request.body)) {
        throw new HttpError('unsupported_media_type', 'A prompt is sent as sound.', {
          fix: 'Send the file as the body, with Content-Type audio/wav or audio/ogg.',
        });
      }
      const frames = await framesOfUpload(kind, request.body);
      const prompt = await database.transaction(async (tx) => {
        const { name } = request.query;
        const known = await listPrompts(tx, accountId);
        const isNew = !known.some((one) => one.name === name);
        if (isNew && known.length >= PROMPT_LIMITS.count) {
          throw new HttpError('invalid_request', `There are ${PROMPT_LIMITS.count} prompts.`, {
            fix: 'Delete some that no script uses.',
          });
        }
        return savePrompt(tx, {
          id: ids.next('prompt'),
          accountId,
          name,
          durationMs: durationMsOf(frames),
          sound: Buffer.from(soundBytes(frames)),
          createdAt: clock.now(),
        });
      });
      return reply.code(201).send(promptView(prompt));
    },
  );
}

function registerReading(app: HttpServer, context: ApiContext): void {
  const { database } = context;
  const onRequest = context.authenticator.authenticate;
  const tags = ['prompts'];

  app.get(
    '/v1/prompts',
    {
      onRequest,
      schema: { tags, summary: 'All prompts', response: { 200: pageSchema(promptSchema) } },
    },
    async (request) => {
      const prompts = await listPrompts(database, accountOf(request).accountId);
      return { items: prompts.map(promptView), next: null };
    },
  );

  app.get(
    '/v1/prompts/:id',
    {
      onRequest,
      schema: { tags, summary: 'One prompt', params: byId, response: { 200: promptSchema } },
    },
    async (request) => {
      const id = idFrom('prompt', request.params.id);
      const { accountId } = accountOf(request);
      return promptView(found(await readPrompt(database, accountId, { id }), 'prompt'));
    },
  );

  app.get(
    '/v1/prompts/:id/audio',
    {
      onRequest,
      schema: {
        tags,
        summary: 'The sound of a prompt, as Ogg Opus',
        params: byId,
        response: { 200: z.unknown().describe('audio/ogg') },
      },
    },
    async (request, reply) => {
      const id = idFrom('prompt', request.params.id);
      const { accountId } = accountOf(request);
      found(await readPrompt(database, accountId, { id }), 'prompt');
      const sound = found(await readPromptSound(database, id), 'prompt');
      return reply
        .header('content-type', 'audio/ogg; codecs=opus')
        .send(oggOpusFile(parseSound(sound)));
    },
  );

  app.delete(
    '/v1/prompts/:id',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Delete a prompt that nothing plays',
        params: byId,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const id = idFrom('prompt', request.params.id);
      const { accountId } = accountOf(request);
      await database.transaction(async (tx) => {
        const { name } = found(await readPrompt(tx, accountId, { id }), 'prompt');
        const users = await usersOf(tx, accountId, name);
        if (users !== null) throw inUse(users);
        await deletePrompt(tx, accountId, id);
      });
      return reply.code(204).send(null);
    },
  );
}

type Users = { scripts: string[]; endpoints: string[]; announcement: boolean };

/** What plays a prompt; null where nothing does. */
async function usersOf(tx: Tx, accountId: AccountId, name: string): Promise<Users | null> {
  const { announcementPrompt } = await readRecordingSettings(tx, accountId);
  const users = {
    scripts: await scriptsThatPlay(tx, accountId, name),
    endpoints: await endpointsThatPlay(tx, accountId, name),
    announcement: announcementPrompt === name,
  };
  const { announcement, scripts, endpoints } = users;
  return announcement || scripts.length + endpoints.length > 0 ? users : null;
}

function inUse(evidence: Users): RefusalError {
  const { title, fix } = found(RUN_FAILURES['prompt_in_use'], 'failure');
  return new RefusalError({ code: 'prompt_in_use', message: title, fix, evidence }, 409);
}
