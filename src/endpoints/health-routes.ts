import { z } from 'zod';
import type { ApiContext } from '../http/api-context.ts';
import type { HttpServer } from '../http/server.ts';
import { isoTime, isoTimeOrNull } from '../platform/clock.ts';
import { ownEndpoint } from './endpoint-routes.ts';
import { endpointState } from './health.ts';
import { readHealth } from './health-store.ts';
import { registrationsOf } from './registration-store.ts';

const healthSchema = z.object({
  endpointId: z.string(),
  name: z.string(),
  state: z
    .enum(['up', 'degraded', 'down', 'unknown'])
    .describe('degraded: some targets are down. Targets that are down are called last.'),
  checked: z.boolean().describe('False where healthCheck is off.'),
  targets: z.array(
    z.object({
      uri: z.string(),
      state: z.enum(['up', 'down', 'unknown']),
      since: z.string().nullable(),
      checkedAt: z.string().nullable(),
      status: z.number().nullable().describe('The last SIP status; 408 is silence.'),
      reason: z.string().nullable(),
      roundTripMs: z.number().nullable(),
      registrations: z
        .array(
          z.object({
            node: z.string(),
            state: z.enum(['registered', 'trying', 'refused']),
            since: z.string(),
            expiresAt: z.string().nullable(),
            status: z.number(),
            reason: z.string(),
          }),
        )
        .describe('Of each gateway, where the endpoint has `register`.'),
    }),
  ),
});

/** How the targets of an endpoint are, as the gateways found by SIP OPTIONS. */
export function registerHealthCheckRoutes(app: HttpServer, context: ApiContext): void {
  app.get(
    '/v1/endpoints/:id/health',
    {
      onRequest: context.authenticator.authenticate,
      schema: {
        tags: ['endpoints'],
        summary: 'Whether its targets are there',
        params: z.object({ id: z.string() }),
        response: { 200: healthSchema },
      },
    },
    async (request) => {
      const { id, name, targets, options } = await ownEndpoint(context, request, request.params.id);
      const rows = await readHealth(context.database, [id]);
      const registrations = await registrationsOf(context.database, id);
      const views = targets.map(({ uri }) => {
        const row = rows.find((one) => one.uri === uri) ?? null;
        return {
          uri,
          state: row?.state ?? ('unknown' as const),
          since: isoTimeOrNull(row?.since),
          checkedAt: isoTimeOrNull(row?.checkedAt),
          status: row?.status ?? null,
          reason: row?.reason ?? null,
          roundTripMs: row?.roundTripMs ?? null,
          registrations: registrations
            .filter((one) => one.uri === uri)
            .map(({ node, state, since, expiresAt, status, reason }) => ({
              node,
              state,
              since: isoTime(since),
              expiresAt: isoTimeOrNull(expiresAt),
              status,
              reason,
            })),
        };
      });
      const checked = options.healthCheck === 'options';
      const state = endpointState(views.map((view) => view.state));
      return { endpointId: id, name, state, checked, targets: views };
    },
  );
}
