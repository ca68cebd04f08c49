import { z } from 'zod';
import { type ApiContext, idFrom } from '../http/api-context.ts';
import { oneLine } from '../http/api-schemas.ts';
import { accountOf } from '../http/auth.ts';
import { HttpError } from '../http/problem.ts';
import type { HttpServer } from '../http/server.ts';
import { isoTime } from '../platform/clock.ts';
import type { AccountId, EndpointId } from '../platform/ids.ts';
import { zoneExists } from '../policy/hours/zone-time.ts';
import { listEndpoints } from './endpoint-store.ts';
import { readRouting, saveRouting } from './routing-store.ts';
import { decideRoute, type Routing } from './routing.ts';

const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'is a time such as 09:30');
const closing = z.string().regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, 'is a time up to 24:00');

const hours = z.strictObject({
  zone: z.string().max(60).refine(zoneExists, 'is an IANA time zone, such as Europe/Berlin'),
  open: z
    .array(
      z.strictObject({
        days: z.array(z.int().min(1).max(7)).min(1).max(7).describe('1 is Monday, 7 Sunday.'),
        from: clockTime,
        to: closing.describe('Not in it; before `from` it is on the next day.'),
      }),
    )
    .min(1)
    .max(21),
});

const when = z.strictObject({
  purposes: z.array(oneLine(500)).min(1).max(50).optional().describe('`*` stands for anything.'),
  languages: z
    .array(z.string().regex(/^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$/, 'is a language such as es'))
    .min(1)
    .max(50)
    .optional()
    .describe('`es` holds for `es_MX` too.'),
  countries: z
    .array(z.string().regex(/^[A-Z]{2}$/, 'is an ISO 3166-1 code such as DE'))
    .min(1)
    .max(250)
    .optional(),
  hours: hours.optional(),
});

const routingShape = z.strictObject({
  rules: z
    .array(z.strictObject({ name: oneLine(100), when, endpointId: z.string() }))
    .max(100)
    .describe('The first one whose conditions all hold takes the call.'),
  defaultEndpointId: z
    .string()
    .nullable()
    .default(null)
    .describe("Where no rule holds; null leaves it to the line's default."),
});

const checkBody = z.strictObject({
  purpose: z.string().min(1).max(500),
  language: z.string().max(40).nullable().default(null),
  country: z.string().max(2).nullable().default(null),
  at: z.iso.datetime({ offset: true }).optional().describe('When the call is due; default: now.'),
});

const decisionSchema = z.object({
  endpointId: z.string().nullable(),
  rule: z.string().nullable(),
  at: z.string(),
  verdicts: z.array(z.object({ rule: z.string(), matched: z.boolean(), why: z.string() })),
});

/** Which endpoint takes a call that names none. */
export function registerRoutingRoutes(app: HttpServer, context: ApiContext): void {
  const { database, clock } = context;
  const onRequest = context.authenticator.authenticate;
  const tags = ['endpoints'];
  const response = { 200: routingShape };

  app.get(
    '/v1/routing',
    { onRequest, schema: { tags, summary: 'The rules that pick an endpoint', response } },
    async (request) => routingView(await readRouting(database, accountOf(request).accountId)),
  );

  app.put(
    '/v1/routing',
    {
      onRequest,
      schema: { tags, summary: 'Replace the rules', body: routingShape, response },
    },
    async (request) => {
      const { accountId } = accountOf(request);
      const { rules, defaultEndpointId } = request.body;
      await refuseUnknown(context, accountId, request.body);
      const routing: Routing = {
        rules: rules.map((rule) => ({ ...rule, endpointId: idFrom('endpoint', rule.endpointId) })),
        defaultEndpointId: defaultEndpointId as EndpointId | null,
      };
      await saveRouting(database, accountId, routing);
      return routingView(routing);
    },
  );

  app.post(
    '/v1/routing/check',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Dry run: which rule would pick which endpoint, and why',
        body: checkBody,
        response: { 200: decisionSchema },
      },
    },
    async (request) => {
      const { purpose, language, country, at } = request.body;
      const atMs = at === undefined ? clock.now() : Date.parse(at);
      const routing = await readRouting(database, accountOf(request).accountId);
      const decided = decideRoute(routing, { purpose, language, country, at: atMs });
      return { ...decided, at: isoTime(atMs) };
    },
  );
}

/** Every rule must have a name of its own and lead to an endpoint of the account. */
async function refuseUnknown(
  { database }: ApiContext,
  accountId: AccountId,
  { rules, defaultEndpointId }: z.infer<typeof routingShape>,
): Promise<void> {
  const endpoints = await listEndpoints(database, accountId);
  const known: ReadonlySet<string> = new Set(endpoints.map(({ id }) => id));
  const names = rules.map(({ name }) => name);
  const rule = 'is the id of an endpoint of this account';
  const fix = 'Take the id from GET /v1/endpoints.';
  const fields = rules.flatMap(({ name, endpointId }, at) => [
    ...(known.has(endpointId) ? [] : [{ field: `rules.${at}.endpointId`, rule, fix }]),
    ...(names.indexOf(name) === at
      ? []
      : [{ field: `rules.${at}.name`, rule: 'is used once', fix: 'Give it another name.' }]),
  ]);
  if (defaultEndpointId !== null && !known.has(defaultEndpointId)) {
    fields.push({ field: 'defaultEndpointId', rule, fix });
  }
  if (fields.length === 0) return;
  throw new HttpError('invalid_request', 'The rules cannot be followed.', {
    fields: fields.slice(0, 20),
  });
}

/** Parsed, because a row is only as good as the program that wrote it. */
function routingView(routing: Routing): z.infer<typeof routingShape> {
  return routingShape.parse(routing);
}
