import { z } from 'zod';
import type { ApiContext } from '../http/api-context.ts';
import { accountOf } from '../http/auth.ts';
import { afterIdOf, pageOf, pageQuery, pageSchema } from '../http/pagination.ts';
import { HttpError } from '../http/problem.ts';
import type { HttpServer } from '../http/server.ts';
import { isoTime, isoTimeOrNull } from '../platform/clock.ts';
import { bucketOf, isId, type AccountId } from '../platform/ids.ts';
import { readItems, type KpiItem } from './kpi-query-store.ts';
import { filtersOf, kpiReport, spanOf } from './kpi-report.ts';
import {
  itemQuery,
  itemSchema,
  kpiQuery,
  kpiSchema,
  metricName,
  rebuildSchema,
  type KpiItemView,
  type KpiQuery,
  type RebuildView,
} from './kpi-schemas.ts';
import { DAY_MS, METRICS } from './kpis.ts';
import { askRebuild, readRebuild } from './rebuild-store.ts';

const tags = ['figures'];
const SPAN_DAYS_MAX = 3_700;

/** The figures of an account, what stands behind each, and working them out anew. */
export function registerKpiRoutes(app: HttpServer, context: ApiContext): void {
  registerFigures(app, context);
  registerRebuild(app, context);
}

function registerFigures(app: HttpServer, context: ApiContext): void {
  const { database, clock } = context;
  const onRequest = context.authenticator.authenticate;

  app.get(
    '/v1/kpis',
    {
      onRequest,
      schema: {
        tags,
        summary: "Grant, answer, completion and opt-out rate, satisfaction, and the page's targets",
        querystring: kpiQuery,
        response: { 200: kpiSchema },
      },
    },
    async (request) => {
      checkSpan(request.query, clock.now());
      return kpiReport(database, accountOf(request).accountId, request.query, clock.now());
    },
  );

  app.get(
    '/v1/kpis/:metric/items',
    {
      onRequest,
      schema: {
        tags,
        summary: 'The requests or calls that a figure counts, latest first',
        params: z.object({ metric: metricName }),
        querystring: z.object({
          ...pageQuery,
          ...itemQuery,
          part: z.enum(['numerator', 'denominator']).default('numerator'),
        }),
        response: { 200: pageSchema(itemSchema) },
      },
    },
    async (request) => {
      const { accountId } = accountOf(request);
      const { limit, part } = request.query;
      checkSpan(request.query, clock.now());
      const items = await readItems(database, {
        accountId,
        ...spanOf(request.query, clock.now()),
        filters: filtersOf(database, accountId, request.query),
        measure: METRICS[request.params.metric][part],
        ...cursorIn(request.query),
        limit: limit + 1,
      });
      return pageOf(items, limit, itemView);
    },
  );
}

function registerRebuild(app: HttpServer, context: ApiContext): void {
  const { database, clock } = context;
  const onRequest = context.authenticator.authenticate;
  const viewOf = async (accountId: AccountId): Promise<RebuildView> => {
    const rebuild = await readRebuild(database, accountId);
    return {
      state: rebuild === null ? 'never' : rebuild.finishedAt === null ? 'running' : 'done',
      askedAt: isoTimeOrNull(rebuild?.askedAt),
      finishedAt: isoTimeOrNull(rebuild?.finishedAt),
      contacts: rebuild?.contacts ?? 0,
      changed: rebuild?.changed ?? 0,
      rollupsChanged: rebuild?.rollupsChanged ?? null,
    };
  };

  app.post(
    '/v1/kpis/rebuild',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Work out all figures anew from the ledger; nothing should differ',
        response: { 202: rebuildSchema },
      },
    },
    async (request, reply) => {
      const { accountId, keyId } = accountOf(request);
      await askRebuild(database, accountId, { actor: `api:${keyId}`, now: clock.now() });
      return reply.code(202).send(await viewOf(accountId));
    },
  );

  app.get(
    '/v1/kpis/rebuild',
    {
      onRequest,
      schema: { tags, summary: 'How the latest rebuild went', response: { 200: rebuildSchema } },
    },
    async (request) => viewOf(accountOf(request).accountId),
  );
}

function checkSpan(query: Pick<KpiQuery, 'from' | 'until'>, now: number): void {
  const { from, until } = spanOf(query, now);
  if (from < until && until - from <= SPAN_DAYS_MAX * DAY_MS) return;
  const rule = `before "until", and at most ${SPAN_DAYS_MAX} days`;
  throw new HttpError('invalid_request', 'This is no span of time.', {
    fields: [{ field: 'from', rule, fix: 'Give "from" and "until" as RFC 3339 instants.' }],
  });
}

function cursorIn(query: { limit: number; after?: string | undefined }) {
  const after = afterIdOf(query);
  if (after === null) return { after, afterBucket: 0 };
  if (isId('call', after) || isId('permissionRequest', after)) {
    return { after, afterBucket: bucketOf(after) };
  }
  throw new HttpError('invalid_request', 'The cursor in "after" is not one of these pages.', {
    fields: [{ field: 'after', rule: 'cursor', fix: 'Send the "next" of a page unchanged.' }],
  });
}

function itemView({ id, kind, contactId, at, amount, dimensions }: KpiItem): KpiItemView {
  return { id, kind, contactId, at: isoTime(at), amount, dimensions };
}
