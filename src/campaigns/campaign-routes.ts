import { z } from 'zod';
import type { Queryable, Tx } from '../database/database.ts';
import { type ApiContext, found, idFrom, lineFor, refusedAnswer } from '../http/api-context.ts';
import { accountOf } from '../http/auth.ts';
import { idempotent } from '../http/idempotency.ts';
import { afterIdOf, pageOf, pageQuery, pageSchema } from '../http/pagination.ts';
import { RefusalError } from '../http/problem.ts';
import type { HttpServer } from '../http/server.ts';
import { isRefused, type Refused } from '../platform/refusal.ts';
import type { Campaign, CampaignId, CampaignMove } from './campaign.ts';
import {
  askPreview,
  changeCampaign,
  createCampaign,
  moveCampaign,
  onCampaign,
} from './campaign-commands.ts';
import { changedSettings, readWish } from './campaign-input-routes.ts';
import {
  campaignBody,
  campaignChange,
  campaignSchema,
  memberSchema,
  memberState,
  type CampaignView,
} from './campaign-schemas.ts';
import { listCampaigns, readCampaign } from './campaign-store.ts';
import { campaignView, memberView } from './campaign-views.ts';
import { countMembers, listMembers } from './member-list-store.ts';
import { planOf } from './plan-lookup.ts';
import { readWork } from './work-store.ts';

const tags = ['campaigns'];
const byId = z.object({ id: z.string() });
const response = { 200: campaignSchema };

/** Campaigns: made as drafts, looked at before anything is sent, started, and followed. */
export function registerCampaignRoutes(app: HttpServer, context: ApiContext): void {
  registerMaking(app, context);
  registerReading(app, context);
  registerMoves(app, context);
}

function registerMaking(app: HttpServer, context: ApiContext): void {
  const onRequest = context.authenticator.authenticate;

  app.post(
    '/v1/campaigns',
    {
      onRequest,
      config: { idempotent: true },
      schema: {
        tags,
        summary: 'Make a campaign as a draft; nothing is sent before it is started',
        body: campaignBody,
        response: { 201: campaignSchema },
      },
    },
    async (request, reply) => {
      const { accountId, keyId } = accountOf(request);
      await idempotent(request, reply, context, async (tx) => {
        const line = await lineFor(tx, accountId, request.body.lineId);
        const wish = await readWish(tx, context, { accountId, line, body: request.body });
        if (isRefused(wish)) return refusedAnswer(wish);
        const campaign = await createCampaign(tx, context, { ...wish, actor: `api:${keyId}` });
        if (isRefused(campaign)) return { ...refusedAnswer(campaign), status: 409 };
        return { status: 201, body: await viewOf(tx, campaign, context.clock.now()) };
      });
    },
  );

  app.patch(
    '/v1/campaigns/:id',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Change the name, the pace or the hours, also while it runs',
        params: byId,
        body: campaignChange,
        response,
      },
    },
    async (request) => {
      const { name, ...fields } = request.body;
      const settings = changedSettings(fields);
      return onOwn(context, request, request.params.id, (tx, campaign, actor) =>
        changeCampaign(tx, context, campaign, { name, settings, actor }),
      );
    },
  );
}

function registerReading(app: HttpServer, context: ApiContext): void {
  const { database, clock } = context;
  const onRequest = context.authenticator.authenticate;

  app.get(
    '/v1/campaigns',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Campaigns, newest first',
        querystring: z.object(pageQuery),
        response: { 200: pageSchema(campaignSchema) },
      },
    },
    async (request) => {
      const { limit } = request.query;
      const page = { after: afterIdOf(request.query), limit: limit + 1 };
      const rows = await listCampaigns(database, accountOf(request).accountId, page);
      const views = await viewsOf(database, rows, clock.now());
      return pageOf(views, limit, (view) => view);
    },
  );

  app.get(
    '/v1/campaigns/:id',
    {
      onRequest,
      schema: {
        tags,
        summary: 'One campaign: how far it is, who was left out and why',
        params: byId,
        response,
      },
    },
    async (request) => {
      const id = idFrom('campaign', request.params.id);
      const { accountId } = accountOf(request);
      const campaign = found(await readCampaign(database, accountId, id), 'campaign');
      return viewOf(database, campaign, clock.now());
    },
  );

  app.get(
    '/v1/campaigns/:id/members',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Its people: where each stands, with their journey or the rule that said no',
        params: byId,
        querystring: z.object({
          ...pageQuery,
          state: memberState.optional(),
          reason: z.string().max(60).optional().describe('An end, or the code of a rule.'),
        }),
        response: { 200: pageSchema(memberSchema) },
      },
    },
    async (request) => {
      const id = idFrom('campaign', request.params.id);
      const { accountId } = accountOf(request);
      found(await readCampaign(database, accountId, id), 'campaign');
      const { limit, state = null, reason = null } = request.query;
      const filter = { state, reason, after: afterIdOf(request.query), limit: limit + 1 };
      return pageOf(await listMembers(database, id, filter), limit, memberView);
    },
  );
}

const MOVES: ReadonlyArray<readonly [move: CampaignMove, summary: string]> = [
  ['start', 'Let its people begin'],
  ['pause', 'Ask and dial nothing of it until it is resumed; what rings goes on'],
  ['resume', 'Go on where it was paused'],
  ['stop', 'End it for good: nobody of it is asked or dialled any more'],
];

function registerMoves(app: HttpServer, context: ApiContext): void {
  const onRequest = context.authenticator.authenticate;

  app.post(
    '/v1/campaigns/:id/preview',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Work out what would come of it; GET the campaign for how far that is',
        params: byId,
        response: { 202: campaignSchema },
      },
    },
    async (request, reply) => {
      const view = await onOwn(context, request, request.params.id, async (tx, campaign) => {
        const plan = await planOf(tx, campaign);
        const refused = await askPreview(tx, context, campaign, plan?.asks ?? false);
        return refused ?? campaign;
      });
      return reply.code(202).send(view);
    },
  );

  for (const [move, summary] of MOVES) {
    app.post(
      `/v1/campaigns/:id/${move}`,
      { onRequest, schema: { tags, summary, params: byId, response } },
      async (request: Asked & { params: { id: string } }) =>
        onOwn(context, request, request.params.id, (tx, campaign, actor) =>
          moveCampaign(tx, context, campaign, { move, actor }),
        ),
    );
  }
}

type Asked = Parameters<typeof accountOf>[0];

async function onOwn(
  context: ApiContext,
  request: Asked,
  idText: string,
  work: (tx: Tx, campaign: Campaign, actor: string) => Promise<Campaign | Refused>,
): Promise<CampaignView> {
  const { accountId, keyId } = accountOf(request);
  const id: CampaignId = idFrom('campaign', idText);
  const after = found(
    await onCampaign(context, accountId, id, (tx, campaign) => work(tx, campaign, `api:${keyId}`)),
    'campaign',
  );
  if (isRefused(after)) throw new RefusalError(after.refused, 409);
  return viewOf(context.database, after, context.clock.now());
}

async function viewOf(db: Queryable, campaign: Campaign, now: number): Promise<CampaignView> {
  const [view] = await viewsOf(db, [campaign], now);
  return found(view, 'campaign');
}

async function viewsOf(
  db: Queryable,
  campaigns: readonly Campaign[],
  now: number,
): Promise<CampaignView[]> {
  const ids = campaigns.map(({ id }) => id);
  const [work, counts] = await Promise.all([readWork(db, ids), countMembers(db, ids)]);
  return campaigns.map((each) =>
    campaignView(each, work.get(each.id), counts.get(each.id) ?? [], now),
  );
}
