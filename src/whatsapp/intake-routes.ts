import { hash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  makeIntakeHandler,
  sendProblem,
  type IntakeHandler,
  type IntakeHandlerOptions,
  type WebhookSecrets,
} from './intake-handler.ts';
import { INTAKE_PROBLEMS } from './intake-problems.ts';

/**
 * The one URL that Meta calls for every line. 200 means that the body is on disk; everything
 * else makes Meta send it again. Unknown events are stored like known ones.
 */
export const WEBHOOK_PATH = '/webhooks/whatsapp';
/** Meta's challenge is a number; anything that could be markup is not echoed. */
const CHALLENGE = /^[A-Za-z0-9_-]{1,256}$/;

/**
 * A fastify plugin: register it without a prefix, before `listen`. Deliveries take a short way
 * past fastify; the route stands for what does not come through the socket, such as `inject`.
 */
export async function intakeRoutes(
  server: FastifyInstance,
  options: IntakeHandlerOptions,
): Promise<void> {
  const handler = makeIntakeHandler(options);
  takeShortWay(server.server, handler);

  // The signature covers the raw bytes, so fastify leaves the body where it is.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  // Meta sends what it has, in bursts; the signature and the queue are the limits here.
  const route = { schema: { hide: true }, config: { rateLimit: false } };
  server.get(WEBHOOK_PATH, route, async (request, reply) =>
    answerHandshake(request, reply, await options.lookup()),
  );
  server.post(WEBHOOK_PATH, route, (request, reply) => {
    reply.hijack();
    handler(request.raw, reply.raw);
  });
}

/** Puts the handler before whatever else answers the requests of this server. */
function takeShortWay(server: Server, handler: IntakeHandler): void {
  const others = server.listeners('request') as IntakeHandler[];
  server.removeAllListeners('request');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (request.method === 'POST' && request.url === WEBHOOK_PATH) handler(request, response);
    else for (const other of others) other.call(server, request, response);
  });
}

/** https://developers.facebook.com/docs/graph-api/webhooks/getting-started: the handshake. */
function answerHandshake(
  request: FastifyRequest,
  reply: FastifyReply,
  { verifyTokens }: WebhookSecrets,
): FastifyReply {
  const query = request.query as Record<string, unknown>;
  const token = query['hub.verify_token'];
  const challenge = query['hub.challenge'];
  const granted =
    query['hub.mode'] === 'subscribe' &&
    typeof token === 'string' &&
    typeof challenge === 'string' &&
    CHALLENGE.test(challenge) &&
    isOneOf(token, verifyTokens);
  if (!granted) {
    reply.hijack();
    sendProblem(reply.raw, INTAKE_PROBLEMS.verifyTokenInvalid);
    return reply;
  }
  return reply
    .code(200)
    .type('text/plain; charset=utf-8')
    .header('x-content-type-options', 'nosniff')
    .send(challenge);
}

/** Compares digests, so that the time taken tells neither length nor common beginning. */
function isOneOf(token: string, known: readonly string[]): boolean {
  const given = hash('sha256', token, 'buffer');
  let matches = 0;
  for (const candidate of known) {
    if (candidate === '') continue;
    matches += timingSafeEqual(given, hash('sha256', candidate, 'buffer')) ? 1 : 0;
  }
  return matches > 0;
}
