import { z } from 'zod';
import { type ApiContext, found } from '../http/api-context.ts';
import { accountOf } from '../http/auth.ts';
import { HttpError } from '../http/problem.ts';
import { cursorOf, pageQuery, pageSchema, type PageQuery } from '../http/pagination.ts';
import type { HttpServer } from '../http/server.ts';
import { isoTime } from '../platform/clock.ts';
import type { AccountId } from '../platform/ids.ts';
import { clearPace, mayPace, notePace, setPace } from './pacing-commands.ts';
import { limitsInUse, type LimitInUse } from './pacing-lookup.ts';
import { listPacingLimits } from './pacing-store.ts';
import {
  CALLS_PER_SECOND_MAX,
  CALLS_PER_SECOND_MIN,
  CONCURRENT_CALLS_MAX,
  PACE_SETTERS,
  PACING_SCOPES,
  type PacedId,
} from './schedule.ts';

const paceBody = z
  .strictObject({
    callsPerSecond: z
      .number()
      .min(CALLS_PER_SECOND_MIN)
      .max(CALLS_PER_SECOND_MAX)
      .nullable()
      .default(null)
      .describe('Dials a second, also below one; null is without end.'),
    concurrentCalls: z
      .int()
      .min(1)
      .max(CONCURRENT_CALLS_MAX)
      .nullable()
      .default(null)
      .describe('Calls that are dialled and not over; null is without end.'),
  })
  .refine((pace) => pace.callsPerSecond !== null || pace.concurrentCalls !== null, {
    message: 'names callsPerSecond, concurrentCalls or both; DELETE takes a limit away',
    path: ['callsPerSecond'],
  });

const params = z.object({
  scope: z.enum(PACING_SCOPES),
  id: z.string().describe('Of the line, endpoint or campaign; own for the account.'),
});

const limitSchema = z.object({
  scope: z.enum(PACING_SCOPES),
  id: z.string(),
  callsPerSecond: z.number().nullable(),
  concurrentCalls: z.number().nullable(),
  setBy: z.enum(PACE_SETTERS).describe('Where both set one, the stricter one holds.'),
  reason: z.string().nullable().describe('Why a brake set it.'),
  updatedAt: z.string(),
  liveCalls: z.number().nullable().describe('Of those that concurrentCalls counts.'),
  hasRoom: z.boolean().describe('False while due calls wait for it.'),
});

const tags = ['pacing'];

/** How fast calls are dialled, and how many at a time. */
export function registerPacingRoutes(app: HttpServer, context: ApiContext): void {
  const { database } = context;
  const onRequest = context.authenticator.authenticate;

  app.get(
    '/v1/pacing-limits',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Calls per second and at a time, as they are set',
        querystring: z.object(pageQuery),
        response: { 200: pageSchema(limitSchema) },
      },
    },
    async (request) => {
      const { accountId } = accountOf(request);
      const { limit } = request.query;
      const limits = await listPacingLimits(database, accountId, afterOf(request.query), limit + 1);
      const shown = limits.slice(0, limit);
      const last = shown.at(-1);
      const hasMore = limits.length > limit && last !== undefined;
      const used = await limitsInUse(database, shown);
      const next = hasMore ? cursorOf(`${last.scope}/${last.setBy}/${last.id}`) : null;
      return { items: used.map(limitView), next };
    },
  );

  app.put(
    '/v1/pacing-limits/:scope/:id',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Set it; waiting calls keep to it within two seconds',
        params,
        body: paceBody,
        response: { 200: limitSchema },
      },
    },
    async (request) => {
      const { accountId, keyId } = accountOf(request);
      const wish = { ...namedIn(accountId, request.params), ...request.body };
      const set = await database.transaction(async (tx) => {
        if (!(await mayPace(tx, accountId, wish))) return null;
        const limit = await setPace(tx, accountId, wish);
        await notePace(tx, context, accountId, { actor: `api:${keyId}`, wish });
        return limit;
      });
      const [used] = await limitsInUse(database, [found(set, wish.scope)]);
      return limitView(found(used, wish.scope));
    },
  );

  app.delete(
    '/v1/pacing-limits/:scope/:id',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Take it away; what a brake has set stays',
        params,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const { accountId, keyId } = accountOf(request);
      const named = namedIn(accountId, request.params);
      const was = await database.transaction(async (tx) => {
        const wasThere = await clearPace(tx, accountId, named);
        const wish = { ...named, callsPerSecond: null, concurrentCalls: null };
        if (wasThere) await notePace(tx, context, accountId, { actor: `api:${keyId}`, wish });
        return wasThere;
      });
      found(was ? true : null, 'pacing limit');
      return reply.code(204).send(null);
    },
  );
}

/** A key stands for one account, so its id need not be known to name it. */
function namedIn(accountId: AccountId, { scope, id }: PacedId): PacedId {
  return { scope, id: scope === 'account' && id === 'own' ? accountId : id };
}

const CURSOR = /^(account|line|endpoint|campaign)\/(operator|brake)\/(.+)$/;

/** Ids are no ids of rows here, so the cursor holds all that a limit is known by. */
function afterOf({ after }: PageQuery): Parameters<typeof listPacingLimits>[2] {
  if (after === undefined) return { scope: 'account', id: '', setBy: '' };
  const [, scope, setBy, id] = CURSOR.exec(Buffer.from(after, 'base64url').toString()) ?? [];
  const known = PACING_SCOPES.find((each) => each === scope);
  if (known !== undefined && id !== undefined && setBy !== undefined) {
    return { scope: known, id, setBy };
  }
  throw new HttpError('invalid_request', 'The cursor in "after" is not one of ours.', {
    fields: [{ field: 'after', rule: 'cursor', fix: 'Send the "next" of a page unchanged.' }],
  });
}

function limitView(limit: LimitInUse): z.infer<typeof limitSchema> {
  const { accountId: _account, updatedAt, ...view } = limit;
  return { ...view, updatedAt: isoTime(updatedAt) };
}
