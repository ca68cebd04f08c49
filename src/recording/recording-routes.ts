import { Readable } from 'node:stream';
import { access } from 'node:fs/promises';
import { z } from 'zod';
import { readCall } from '../calls/call-store.ts';
import { type ApiContext, found, idFrom } from '../http/api-context.ts';
import { readPrompt } from '../prompts/prompt-store.ts';
import { accountOf } from '../http/auth.ts';
import { pageSchema } from '../http/pagination.ts';
import { HttpError } from '../http/problem.ts';
import type { HttpServer } from '../http/server.ts';
import type { AccountId, CallId } from '../platform/ids.ts';
import { audioDownload } from './audio-download.ts';
import type { AudioFormat, StoredRecording } from './audio-file.ts';
import type { RecordingDesk } from './recording-desk.ts';
import { LINK_MINUTES, linksOf, readLinkToken } from './recording-link.ts';
import {
  readRecordingRow,
  readRecordingSettings,
  recordingsOfCall,
  saveRecordingSettings,
} from './recording-store.ts';
import { recordingSchema, recordingView } from './recording-views.ts';
import { recordingPath } from './recording.ts';

export type RecordingContext = ApiContext & {
  recordingDesk: RecordingDesk;
  recordings: { folder: string };
  settings: { ASKFIRST_PUBLIC_URL?: string | undefined; ASKFIRST_RETENTION_RECORDING_DAYS: number };
};

const tags = ['recordings'];
const byId = z.object({ id: z.string() });
/** Audio files that are made at a time; each takes a thread. */
const DOWNLOADS_MAX = 4;
const DOWNLOADS_PER_MINUTE = 60;
const DOWNLOAD_MS = 3_600_000;

const settingsSchema = z.object({
  retentionDays: z.int().describe('Days that recordings are kept after their call.'),
  announcementPrompt: z
    .string()
    .nullable()
    .describe('The prompt that tells people they are recorded; null: our own words.'),
});
const settingsPatch = z.strictObject({
  retentionDays: z
    .int()
    .min(1)
    .max(3_650)
    .nullable()
    .optional()
    .describe("Null: the server's own ASKFIRST_RETENTION_RECORDING_DAYS."),
  announcementPrompt: z
    .string()
    .max(60)
    .nullable()
    .optional()
    .describe('Name of a prompt that says it in your words; null: ours, in their language.'),
});

/** Recordings of calls: what there is, links to listen, how long they are kept. */
export function registerRecordingRoutes(app: HttpServer, context: RecordingContext): void {
  registerOfCall(app, context);
  registerDownload(app, context);
  registerSettings(app, context);
}

function registerOfCall(app: HttpServer, context: RecordingContext): void {
  const { database, clock, sealer, settings, recordingDesk } = context;
  const onRequest = context.authenticator.authenticate;

  app.get(
    '/v1/calls/:id/recording',
    {
      onRequest,
      schema: {
        tags,
        summary: 'The recordings of a call, with links to listen for a while',
        params: byId,
        querystring: z.object({
          linkMinutes: z.coerce.number().int().min(1).max(1_440).default(LINK_MINUTES),
        }),
        response: { 200: pageSchema(recordingSchema) },
      },
    },
    async (request) => {
      const callId = await ownCallId(context, request.params.id, accountOf(request).accountId);
      const base = settings.ASKFIRST_PUBLIC_URL ?? `${request.protocol}://${request.host}`;
      const at = { base, now: clock.now(), minutes: request.query.linkMinutes };
      const items = (await recordingsOfCall(database, callId)).map((recording) => {
        const isReady = recording.state === 'ready';
        return recordingView(recording, isReady ? linksOf(sealer, recording.id, at) : null);
      });
      return { items, next: null };
    },
  );

  app.delete(
    '/v1/calls/:id/recording',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Delete the recordings of a call for good',
        params: byId,
        response: { 200: pageSchema(recordingSchema) },
      },
    },
    async (request) => {
      const { accountId, keyId } = accountOf(request);
      const callId = await ownCallId(context, request.params.id, accountId);
      for (const { id, endedAt } of await recordingsOfCall(database, callId)) {
        // One that is still being written ends with stop_recording first.
        if (endedAt !== null) await recordingDesk.deleted(id, `api:${keyId}`);
      }
      const left = await recordingsOfCall(database, callId);
      return { items: left.map((recording) => recordingView(recording, null)), next: null };
    },
  );
}

function registerDownload(app: HttpServer, context: RecordingContext): void {
  const { clock, sealer } = context;
  let underWay = 0;

  app.get(
    '/recordings/:token/:file',
    {
      config: { rateLimit: { max: DOWNLOADS_PER_MINUTE, timeWindow: 60_000 } },
      handlerTimeout: DOWNLOAD_MS,
      schema: {
        hide: true,
        params: z.object({ token: z.string(), file: z.enum(['audio.ogg', 'audio.wav']) }),
      },
    },
    async (request, reply) => {
      const id = readLinkToken(sealer, request.params.token, clock.now());
      const stored = id === null ? null : await storedRecording(context, id);
      if (stored === null) throw noRecording();
      if (underWay >= DOWNLOADS_MAX) throw tooMany();
      const format: AudioFormat = request.params.file === 'audio.ogg' ? 'ogg' : 'wav';
      const counted = async function* (): AsyncGenerator<Uint8Array> {
        underWay += 1;
        try {
          yield* audioDownload(stored, format);
        } finally {
          underWay -= 1;
        }
      };
      return reply
        .header('content-type', format === 'ogg' ? 'audio/ogg' : 'audio/wav')
        .header('content-disposition', `inline; filename="${stored.recordingId}.${format}"`)
        .header('cache-control', 'no-store')
        .send(Readable.from(counted()));
    },
  );
}

function registerSettings(app: HttpServer, context: RecordingContext): void {
  const { database, settings } = context;
  const onRequest = context.authenticator.authenticate;
  const response = { 200: settingsSchema };
  const shown = async (accountId: AccountId): Promise<z.infer<typeof settingsSchema>> => {
    const { retentionDays, ...rest } = await readRecordingSettings(database, accountId);
    return { retentionDays: retentionDays ?? settings.ASKFIRST_RETENTION_RECORDING_DAYS, ...rest };
  };

  app.get(
    '/v1/recording-settings',
    { onRequest, schema: { tags, summary: 'How recordings are announced and kept', response } },
    async (request) => shown(accountOf(request).accountId),
  );

  app.patch(
    '/v1/recording-settings',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Change it; days hold for recordings that there are as well',
        body: settingsPatch,
        response,
      },
    },
    async (request) => {
      const { accountId } = accountOf(request);
      const { announcementPrompt, retentionDays } = request.body;
      const name = announcementPrompt ?? null;
      const isThere = name === null || (await readPrompt(database, accountId, { name })) !== null;
      if (!isThere) throw unknownPrompt();
      await saveRecordingSettings(database, accountId, {
        ...(retentionDays !== undefined && { retentionDays }),
        ...(announcementPrompt !== undefined && { announcementPrompt }),
      });
      return shown(accountId);
    },
  );
}

function unknownPrompt(): HttpError {
  const rule = 'is the name of a prompt of this account';
  const fix = 'Upload it with POST /v1/prompts, or correct the name.';
  return new HttpError('invalid_request', 'There is no such prompt.', {
    fields: [{ field: 'announcementPrompt', rule, fix }],
  });
}

/** What is needed to hear it; null where there is nothing to hear, any more or at all. */
async function storedRecording(
  { database, recordings }: RecordingContext,
  id: Parameters<typeof readRecordingRow>[1],
): Promise<StoredRecording | null> {
  const row = await readRecordingRow(database, id);
  if (row === null || row.key === null || row.recording.state !== 'ready') return null;
  const path = recordingPath(recordings.folder, row.recording);
  const isHere = await access(path).then(
    () => true,
    () => false,
  );
  return isHere ? { path, recordingId: id, key: row.key } : null;
}

async function ownCallId(
  { database }: RecordingContext,
  text: string,
  accountId: AccountId,
): Promise<CallId> {
  const call = await readCall(database, idFrom('call', text));
  return found(call?.plan.accountId === accountId ? call : null, 'call').plan.id;
}

/** The same words for a link that never was, is too old, or whose recording is gone. */
function noRecording(): HttpError {
  return new HttpError('not_found', 'The link is too old, or the recording is gone.', {
    fix: 'Ask for new links at GET /v1/calls/{id}/recording.',
  });
}

function tooMany(): HttpError {
  return new HttpError('rate_limited', `${DOWNLOADS_MAX} recordings are being fetched already.`, {
    headers: { 'retry-after': '5' },
  });
}
