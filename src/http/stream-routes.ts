import { isoTime } from '../platform/clock.ts';
import type { ApiContext } from './api-context.ts';
import { accountOf } from './auth.ts';
import { HttpError } from './problem.ts';
import type { HttpServer } from './server.ts';

const HEARTBEAT_MS = 15_000;
const STREAMS_MAX = 200;

/**
 * `GET /v1/stream`: server-sent events that say what has changed, for pages that want to look at
 * once. Only a hint: it holds no state, and after a reconnect the client reads what it shows.
 */
export function registerStreamRoutes(app: HttpServer, context: ApiContext): void {
  let open = 0;
  const onRequest = context.authenticator.authenticate;

  app.get(
    '/v1/stream',
    { onRequest, schema: { tags: ['events'], summary: 'What changes, as it changes (SSE)' } },
    async (request, reply) => {
      const { accountId } = accountOf(request);
      if (open >= STREAMS_MAX) {
        throw new HttpError('temporarily_unavailable', 'Too many streams are open.', {
          headers: { 'retry-after': '10' },
        });
      }
      open += 1;
      reply.hijack();
      const { raw } = reply;
      raw.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      });
      raw.write(': connected\n\n');
      const unsubscribe = context.changes.subscribe((change) => {
        if (change.accountId !== accountId) return;
        const { type, callId, contactId, at } = change;
        const data = JSON.stringify({ type, callId, contactId, at: isoTime(at) });
        raw.write(`event: change\ndata: ${data}\n\n`);
      });
      const beat = (): void => {
        raw.write(': still here\n\n');
        timer = context.clock.after(HEARTBEAT_MS, beat);
      };
      let timer = context.clock.after(HEARTBEAT_MS, beat);
      raw.on('close', () => {
        open -= 1;
        unsubscribe();
        timer.cancel();
      });
      return reply;
    },
  );
}
