import { z } from 'zod';
import type { ApiContext } from '../http/api-context.ts';
import { oneLine } from '../http/api-schemas.ts';
import { accountOf } from '../http/auth.ts';
import type { HttpServer } from '../http/server.ts';
import { isoTime } from '../platform/clock.ts';
import { readStop, type AccountStop } from './account-store.ts';
import { liftStop, stopAll } from './stop-all-commands.ts';

const body = z.strictObject({
  reason: oneLine(200).default('Stopped by hand.').describe('Why; kept in the audit trail.'),
});
const stopView = z.object({
  stopped: z.boolean(),
  stoppedAt: z.string().nullable(),
  stoppedBy: z.string().nullable(),
  reason: z.string().nullable(),
});
const tags = ['stop all'];

/** The emergency stop of an account: `POST` stops, `DELETE` lifts, `GET` tells. */
export function registerStopAllRoutes(app: HttpServer, context: ApiContext): void {
  const onRequest = context.authenticator.authenticate;

  app.get(
    '/v1/stop-all',
    {
      onRequest,
      schema: { tags, summary: 'Whether everything is stopped', response: { 200: stopView } },
    },
    async (request) => viewOf(await readStop(context.database, accountOf(request).accountId)),
  );

  app.post(
    '/v1/stop-all',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Stop every dial and request of the account, and end what rings',
        body,
        response: { 200: stopView.extend({ endedCalls: z.int() }) },
      },
    },
    async (request) => {
      const { accountId, keyId } = accountOf(request);
      const wish = { actor: `api:${keyId}`, reason: request.body.reason };
      const { endedCalls, ...stop } = await stopAll(context, accountId, wish);
      return { ...viewOf(stop), endedCalls };
    },
  );

  app.delete(
    '/v1/stop-all',
    {
      onRequest,
      schema: { tags, summary: 'Let the account ask and call again', response: { 200: stopView } },
    },
    async (request) => {
      const { accountId, keyId } = accountOf(request);
      await liftStop(context, accountId, `api:${keyId}`);
      return viewOf(null);
    },
  );
}

function viewOf(stop: AccountStop | null): z.infer<typeof stopView> {
  if (stop === null) return { stopped: false, stoppedAt: null, stoppedBy: null, reason: null };
  const { stoppedAt, stoppedBy, reason } = stop;
  return { stopped: true, stoppedAt: isoTime(stoppedAt), stoppedBy, reason };
}
