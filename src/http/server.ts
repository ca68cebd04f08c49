import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import fastifyHelmet from '@fastify/helmet';
import fastifyRateLimit from '@fastify/rate-limit';
import {
  fastify,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type RawServerDefault,
} from 'fastify';
import {
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import type { Clock } from '../platform/clock.ts';
import type { Ids } from '../platform/ids.ts';
import type { Log } from '../platform/log.ts';
import type { HttpMetrics } from './metrics.ts';
import { methodsFor, nearestRoute, type KnownRoute } from './nearest-route.ts';
import { registerOpenApi, type ProblemCatalogue } from './openapi.ts';
import { answerTo, HttpError, PROBLEM_TYPE, type ProblemContext } from './problem.ts';
import { answerBrokenRequest } from './broken-request.ts';
import { unstorableText } from './storable-text.ts';

/**
 * The HTTP server that all routes hang on: schemas by zod, problems by RFC 9457, security
 * headers, limits, request ids and one log line per request. Neither request nor response bodies
 * are ever logged. It knows no route of the domain.
 */
export type HttpServer = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

declare module 'fastify' {
  // An interface, because only interfaces can be merged into fastify's own.
  interface FastifyInstance {
    /** What problems say of themselves: where their page is, and the titles of the domain. */
    problemPages: ProblemPages;
  }
}

export type ProblemPages = Omit<ProblemContext, 'requestId'>;

export type HttpServerOptions = {
  log: Log;
  clock: Clock;
  ids: Ids;
  /** Addresses of proxies (comma-separated, CIDR) whose X-Forwarded-For is believed. */
  trustProxy?: boolean | string;
  /** Bytes of the largest body; a route may set its own. */
  bodyLimit?: number;
  /** Requests a minute per API key (per address where there is no key). */
  requestsPerMinute?: number;
  /** The errors page, absolute or relative; problems point to `#code` in it. */
  docsUrl?: string;
  /** Extra `connect-src` origins of the page, such as the simulator's. */
  connectOrigins?: readonly string[];
  /** Refusal codes of the domain, for the OpenAPI document. */
  problemCatalogue?: ProblemCatalogue;
  metrics?: HttpMetrics;
  version?: string;
};

const BODY_LIMIT_BYTES = 256 * 1024;
const REQUESTS_PER_MINUTE = 1_000;
const REQUEST_TIMEOUT_MS = 30_000;
const HANDLER_TIMEOUT_MS = 25_000;
/** Longer than the idle time-out of common proxies, so that the proxy closes first. */
const KEEP_ALIVE_MS = 72_000;

/** Opens the server; register routes on what it returns, then `listen`. */
export async function openHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const docsUrl = options.docsUrl ?? '/docs/errors';
  const catalogue = options.problemCatalogue ?? {};
  const pages: ProblemPages = { docsUrl, catalogue };
  const sink = { ...pages, log: options.log };
  const app: HttpServer = fastify({
    logger: false,
    bodyLimit: options.bodyLimit ?? BODY_LIMIT_BYTES,
    trustProxy: options.trustProxy ?? false,
    requestTimeout: REQUEST_TIMEOUT_MS,
    handlerTimeout: HANDLER_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // A caller's own id could be anything, also somebody's phone number: ours only.
    requestIdHeader: false,
    genReqId: () => options.ids.next('request'),
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 200 },
    // Errors before routing, such as a bad escape in the URL.
    frameworkErrors: (error, request, reply) => void sendProblem(error, request, reply, sink),
    // What node's parser refuses never becomes a request: headers too large, no HTTP at all.
    clientErrorHandler: (error, socket) =>
      answerBrokenRequest(error, socket, { requestId: options.ids.next('request'), docsUrl }),
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);

  app.decorate('problemPages', pages);
  // Nothing here takes plain text; taken, it would only fail later with a stranger message.
  app.removeContentTypeParser('text/plain');
  app.addHook('preValidation', async (request) => refuseUnstorable(request));

  const routes = rememberRoutes(app);
  observeRequests(app, options);
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply, sink));
  await registerOpenApi(app, {
    docsUrl,
    version: options.version ?? '0.1.0',
    catalogue,
  });
  await secure(app, options.connectOrigins ?? []);
  await limitRates(app, options.requestsPerMinute ?? REQUESTS_PER_MINUTE);
  answerUnknownRoutes(app, routes);
  return app;
}

/**
 * For a scope whose bodies must stay as they came, byte by byte: signed webhooks. A re-serialised
 * body breaks the signature as soon as it holds an accent.
 */
export function takeRawBodies(scope: HttpServer, bodyLimit: number): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit }, (_request, body, done) =>
    done(null, body),
  );
}

/** Said here, before anything is half done; an id that no store can hold names nothing. */
function refuseUnstorable({ body, query, params }: FastifyRequest): void {
  if (unstorableText(params, 'path') !== null) {
    throw new HttpError('not_found', 'There is nothing with this id in your account.');
  }
  const fault = unstorableText(body, 'body') ?? unstorableText(query, 'query');
  if (fault === null) return;
  throw new HttpError('invalid_request', `Not accepted: ${fault.field}.`, { fields: [fault] });
}

type ProblemSink = ProblemPages & { log: Log };

function sendProblem(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  sink: ProblemSink,
): FastifyReply {
  const { log: _log, ...pages } = sink;
  const answer = answerTo(error, { requestId: request.id, ...pages });
  if (answer.alarming) {
    // The stack goes here and nowhere else; the client gets the request id to ask about it.
    sink.log.error({ err: error, requestId: request.id }, 'request failed');
  }
  // As text: the response schema of the route describes its success, not its problems.
  return reply
    .code(answer.status)
    .headers({ 'x-request-id': request.id, ...answer.headers })
    .header('content-type', PROBLEM_TYPE)
    .serializer((payload: string) => payload)
    .send(JSON.stringify(answer.problem));
}

function rememberRoutes(app: HttpServer): KnownRoute[] {
  const routes: KnownRoute[] = [];
  app.addHook('onRoute', (route) => {
    const methods = Array.isArray(route.method) ? route.method : [route.method];
    for (const method of methods) routes.push({ method, path: route.url });
  });
  return routes;
}

function answerUnknownRoutes(app: HttpServer, routes: readonly KnownRoute[]): void {
  const handler = async (request: FastifyRequest): Promise<never> => {
    const path = request.url.split('?', 1)[0] ?? '';
    const allowed = methodsFor(routes, path);
    if (allowed.length > 0) {
      throw new HttpError('method_not_allowed', `${request.method} is not taken here.`, {
        headers: { allow: allowed.join(', ') },
      });
    }
    const near = nearestRoute(routes, request.method, path);
    const fix = near === undefined ? undefined : `Did you mean ${near.method} ${near.path}?`;
    throw new HttpError(
      'route_not_found',
      `No route for ${request.method} of this path.`,
      fix === undefined ? {} : { fix },
    );
  };
  // Guessing paths counts toward the limit too.
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, handler);
}

/** Request id on every answer, one log line and one observation per request. */
function observeRequests(app: HttpServer, options: HttpServerOptions): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });
  app.addHook('onResponse', async (request, reply) => {
    // The route's template, not its URL: ids and numbers stay out of logs and labels.
    const route = request.is404 ? 'none' : (request.routeOptions.url ?? 'none');
    const ms = Math.round(reply.elapsedTime);
    options.metrics?.observe(request.method, route, reply.statusCode, reply.elapsedTime / 1_000);
    const line = { requestId: request.id, method: request.method, route, ms };
    options.log.info({ ...line, status: reply.statusCode }, 'request');
  });
}

async function secure(app: HttpServer, connectOrigins: readonly string[]): Promise<void> {
  await app.register(fastifyHelmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        fontSrc: ["'self'"],
        connectSrc: ["'self'", ...connectOrigins],
        mediaSrc: ["'self'", 'blob:'],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
      },
    },
    // Behind plain http on loopback a pinned https would lock the user out.
    strictTransportSecurity: false,
    referrerPolicy: { policy: 'no-referrer' },
  });
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('permissions-policy', 'microphone=(self), camera=(), geolocation=()');
  });
}

async function limitRates(app: HttpServer, max: number): Promise<void> {
  await app.register(fastifyRateLimit, {
    global: true,
    max,
    timeWindow: 60_000,
    cache: 10_000,
    enableDraftSpec: true,
    // Hashed, because this text lives on in the limiter's memory.
    keyGenerator: (request) => {
      const given = request.headers.authorization;
      if (given === undefined) return `ip ${request.ip}`;
      return `key ${createHash('sha256').update(given).digest('base64url')}`;
    },
    errorResponseBuilder: (_request, context) =>
      new HttpError(
        'rate_limited',
        `The limit of ${context.max} requests a minute for this API key is used up.`,
      ),
  });
}
