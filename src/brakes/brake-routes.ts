import { z } from 'zod';
import { readAccountSetting, saveAccountSetting } from '../accounts/account-store.ts';
import type { Queryable } from '../database/database.ts';
import { type ApiContext, found, idFrom } from '../http/api-context.ts';
import { accountOf } from '../http/auth.ts';
import { idempotent } from '../http/idempotency.ts';
import type { HttpServer } from '../http/server.ts';
import { listLines, readLine, type StoredLine } from '../lines/line-store.ts';
import { isoTime, isoTimeOrNull } from '../platform/clock.ts';
import type { AccountId } from '../platform/ids.ts';
import { judgeLine, lookAtLine, noteSettings, resumeLine } from './brake-commands.ts';
import {
  brakesSchema,
  lineBrakeSchema,
  resumeBody,
  type BrakesView,
  type LineBrakeView,
} from './brake-schemas.ts';
import { brakeSettingsOf, brakeSettingsSchema } from './brakes.ts';

const tags = ['brakes'];
const byId = z.object({ id: z.string() });

/** The brakes of an account's lines: how they stand, what they are set to, and letting go. */
export function registerBrakeRoutes(app: HttpServer, context: ApiContext): void {
  registerReading(app, context);
  registerSettings(app, context);
  registerResume(app, context);
}

function registerReading(app: HttpServer, context: ApiContext): void {
  const { database, clock } = context;
  const onRequest = context.authenticator.authenticate;

  app.get(
    '/v1/brakes',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Whether lines are slowed or paused, why, and what their rates say now',
        response: { 200: brakesSchema },
      },
    },
    async (request) => viewOf(database, accountOf(request).accountId, clock.now()),
  );

  app.get(
    '/v1/lines/:id/brake',
    {
      onRequest,
      schema: {
        tags,
        summary: 'The same of one line',
        params: byId,
        response: { 200: lineBrakeSchema },
      },
    },
    async (request) => {
      const { accountId } = accountOf(request);
      const id = idFrom('line', request.params.id);
      const line = found(await readLine(database, accountId, id), 'line');
      return lineView(database, accountId, line, clock.now());
    },
  );
}

function registerSettings(app: HttpServer, context: ApiContext): void {
  const { database, clock } = context;

  app.put(
    '/v1/brakes/settings',
    {
      onRequest: context.authenticator.authenticate,
      schema: {
        tags,
        summary: 'Set when lines brake; what is left out is as by default',
        body: brakeSettingsSchema,
        response: { 200: brakesSchema },
      },
    },
    async (request) => {
      const { accountId, keyId } = accountOf(request);
      const wanted = request.body;
      await database.transaction(async (tx) => {
        await saveAccountSetting(tx, accountId, 'brakes', wanted);
        await noteSettings(tx, context, accountId, { actor: `api:${keyId}`, settings: wanted });
      });
      for (const { id } of await listLines(database, accountId)) {
        await lookAtLine(context, accountId, id);
      }
      return viewOf(database, accountId, clock.now());
    },
  );
}

function registerResume(app: HttpServer, context: ApiContext): void {
  const { clock } = context;

  app.post(
    '/v1/lines/:id/brake/resume',
    {
      onRequest: context.authenticator.authenticate,
      config: { idempotent: true },
      schema: {
        tags,
        summary: 'Let a slowed line go on freely, or a paused one slowly',
        params: byId,
        body: resumeBody,
        response: { 200: lineBrakeSchema },
      },
    },
    async (request, reply) => {
      const { accountId, keyId } = accountOf(request);
      const lineId = idFrom('line', request.params.id);
      const { reason } = request.body;
      await idempotent(request, reply, context, async (tx) => {
        const line = found(await readLine(tx, accountId, lineId), 'line');
        await resumeLine(tx, context, accountId, { lineId, actor: `api:${keyId}`, reason });
        return { status: 200, body: await lineView(tx, accountId, line, clock.now()) };
      });
    },
  );
}

async function viewOf(db: Queryable, accountId: AccountId, now: number): Promise<BrakesView> {
  const settings = brakeSettingsOf(await readAccountSetting(db, accountId, 'brakes'));
  const lines: LineBrakeView[] = [];
  for (const line of await listLines(db, accountId)) {
    lines.push(await lineView(db, accountId, line, now));
  }
  return { settings, lines };
}

async function lineView(
  db: Queryable,
  accountId: AccountId,
  { id, name }: Pick<StoredLine, 'id' | 'name'>,
  now: number,
): Promise<LineBrakeView> {
  const { brake, findings } = await judgeLine(db, accountId, id, now);
  return {
    lineId: id,
    name,
    state: brake.state,
    since: isoTimeOrNull(brake.since),
    because: [...brake.because],
    actor: brake.actor,
    reason: brake.reason,
    countFrom: brake.countFrom === null ? null : isoTime(brake.countFrom),
    callsPerSecond: brake.pace?.callsPerSecond ?? null,
    requestsPerSecond: brake.pace?.requestsPerSecond ?? null,
    now: findings,
  };
}
