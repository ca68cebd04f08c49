import { z } from 'zod';
import { saveAccountPolicy } from '../accounts/account-store.ts';
import { type ApiContext, found, idFrom } from '../http/api-context.ts';
import { accountOf } from '../http/auth.ts';
import { afterIdOf, pageOf, pageQuery, pageSchema } from '../http/pagination.ts';
import type { HttpServer } from '../http/server.ts';
import { listLines, readLine, type StoredLine } from '../lines/line-store.ts';
import { isoTime } from '../platform/clock.ts';
import type { AccountId } from '../platform/ids.ts';
import { idleLimits } from '../policy/idle-limits.ts';
import { accountPolicyOf, lawChoice, type AccountPolicy } from '../policy/layers.ts';
import type { Limits } from '../policy/limits.ts';
import {
  limitsFromOwn,
  ownFromLimits,
  ownLimitsBody,
  type OwnLimits,
} from '../policy/own-limits.ts';
import {
  addChange,
  listChanges,
  lockAccountPolicy,
  newChange,
  readAccountPolicy,
  saveLineLimits,
} from './rulebook-store.ts';
import { accountPolicyView, changeView, linePolicyView } from './rulebook-views.ts';
import { registerPackRoutes } from './pack-routes.ts';
import { refuseUnknownLaws, registerSwitchRoutes } from './switch-routes.ts';

const linePatch = ownLimitsBody.partial();
const accountPatch = linePatch.extend({ lawOverlays: lawChoice.optional() });
const tags = ['policy'];
const lineParams = z.object({ id: z.string() });

/**
 * The rules that a business works under: what it sets for itself, which packs there are, and what
 * a switch would change. Own settings are layers beside pack and laws, so they only ever narrow.
 */
export function registerRulebookRoutes(app: HttpServer, context: ApiContext): void {
  registerAccountPolicy(app, context);
  registerLinePolicy(app, context);
  registerPackRoutes(app, context);
  registerSwitchRoutes(app, context);
}

function registerAccountPolicy(app: HttpServer, context: ApiContext): void {
  const { database } = context;
  const onRequest = context.authenticator.authenticate;
  const response = { 200: accountPolicyView };

  app.get(
    '/v1/policy',
    { onRequest, schema: { tags, summary: 'What the account sets for all its lines', response } },
    async (request) => {
      const { accountId } = accountOf(request);
      const stored = await readAccountPolicy(database, accountId);
      return accountView(context, accountId, accountPolicyOf(stored));
    },
  );

  app.patch(
    '/v1/policy',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Change it: what is left out stays, null takes a limit away',
        body: accountPatch,
        response,
      },
    },
    async (request) => {
      const { accountId, keyId } = accountOf(request);
      const { lawOverlays, ...limits } = request.body;
      refuseUnknownLaws(context.packs, lawOverlays);
      const policy = await database.transaction(async (tx) => {
        const before = accountPolicyOf(await lockAccountPolicy(tx, accountId));
        const after: AccountPolicy = {
          lawOverlays: lawOverlays ?? before.lawOverlays,
          limits: changed(context, before.limits, limits, 'Account settings'),
        };
        await saveAccountPolicy(tx, accountId, after);
        await addChange(tx, accountId, {
          ...newChange(context, keyId),
          kind: 'account_policy',
          lineId: null,
          before: recorded(before),
          after: recorded(after),
        });
        return after;
      });
      return accountView(context, accountId, policy);
    },
  );

  app.get(
    '/v1/policy/changes',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Who changed which rules, newest first',
        querystring: z.object(pageQuery),
        response: { 200: pageSchema(changeView) },
      },
    },
    async (request) => {
      const { accountId } = accountOf(request);
      const { query } = request;
      const rows = await listChanges(database, accountId, afterIdOf(query), query.limit + 1);
      return pageOf(rows, query.limit, (row) => ({ ...row, at: isoTime(row.at) }));
    },
  );
}

function registerLinePolicy(app: HttpServer, context: ApiContext): void {
  const { database } = context;
  const onRequest = context.authenticator.authenticate;
  const response = { 200: linePolicyView };

  app.get(
    '/v1/lines/:id/policy',
    {
      onRequest,
      schema: {
        tags,
        summary: 'What a line sets beside its account',
        params: lineParams,
        response,
      },
    },
    async (request) => {
      const { accountId } = accountOf(request);
      const id = idFrom('line', request.params.id);
      return lineView(context, found(await readLine(database, accountId, id), 'line'));
    },
  );

  app.patch(
    '/v1/lines/:id/policy',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Narrow one line further; its account and its pack bind it all the same',
        params: lineParams,
        body: linePatch,
        response,
      },
    },
    async (request) => {
      const { accountId, keyId } = accountOf(request);
      const id = idFrom('line', request.params.id);
      return database.transaction(async (tx) => {
        await lockAccountPolicy(tx, accountId);
        const before = found(await readLine(tx, accountId, id), 'line');
        const ownLimits = changed(context, before.ownLimits, request.body, 'Line settings');
        const after = { ...before, ownLimits };
        await saveLineLimits(tx, accountId, id, ownLimits);
        await addChange(tx, accountId, {
          ...newChange(context, keyId),
          kind: 'line_policy',
          lineId: id,
          before: ownFromLimits(before.ownLimits),
          after: ownFromLimits(ownLimits),
        });
        return lineView(context, after);
      });
    },
  );
}

/** The limits after a PATCH. */
function changed(
  { clock }: ApiContext,
  before: Limits,
  patch: Partial<{ [Field in keyof OwnLimits]: OwnLimits[Field] | undefined }>,
  who: string,
): Limits {
  const given = Object.entries(patch).filter(([, value]) => value !== undefined);
  const own: OwnLimits = { ...ownFromLimits(before), ...Object.fromEntries(given) };
  return limitsFromOwn(own, who, isoTime(clock.now()).slice(0, 7));
}

function recorded({
  lawOverlays,
  limits,
}: AccountPolicy): OwnLimits & Pick<AccountPolicy, 'lawOverlays'> {
  return { lawOverlays, ...ownFromLimits(limits) };
}

/** Idle is what no line of the account needs, its pack being as strict. */
async function accountView(
  { database, packs }: ApiContext,
  accountId: AccountId,
  { lawOverlays, limits }: AccountPolicy,
): Promise<z.infer<typeof accountPolicyView>> {
  const own = ownFromLimits(limits);
  const names = new Set((await listLines(database, accountId)).map((line) => line.policyPack));
  const [first = [], ...others] = [...names].map((name) => idleLimits(own, [packs.of(name)]));
  const idle = first.filter(({ field }) =>
    others.every((found) => found.some((other) => other.field === field)),
  );
  return { lawOverlays, ...own, idle };
}

function lineView(
  { packs }: ApiContext,
  { id, policyPack, ownLimits, accountPolicy }: StoredLine,
): z.infer<typeof linePolicyView> {
  const own = ownFromLimits(ownLimits);
  const account = { name: 'account', limits: accountPolicy.limits };
  return { lineId: id, policyPack, ...own, idle: idleLimits(own, [packs.of(policyPack), account]) };
}
