import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { delay } from '../src/platform/clock.ts';
import { errorText } from '../src/platform/failure.ts';
import { errorBody, GraphError } from './graph-error.ts';
import { newTraceId } from './meta-ids.ts';
import type { Line, Simulation } from './simulation.ts';

/** One Graph request, after the token and the version were found good. */
export type GraphRequest = {
  /** The object in the path: a phone number id or a WABA id. */
  objectId: string;
  query: Record<string, unknown>;
  body: Record<string, unknown>;
};

export type GraphHandler = (request: GraphRequest) => unknown;

/**
 * Registers one Graph endpoint: token, version, answer faults, Meta's response headers and error
 * bodies are the same for all of them. `resource` is what answer faults are matched by.
 */
export function graphRoute(
  app: FastifyInstance,
  sim: Simulation,
  method: 'GET' | 'POST' | 'DELETE',
  edge: string,
  resource: string,
  handler: GraphHandler,
): void {
  // The pattern keeps the control API, and typing errors in it, out of Graph's hands.
  const node = '/:version(^v\\d+\\.\\d+$)/:objectId';
  const url = edge === '' ? node : `${node}/${edge}`;
  app.route({
    method,
    url,
    handler: async (request, reply) => {
      const { version = '', objectId = '' } = request.params as Record<string, string>;
      if (await brokenBefore(sim, resource, reply)) return reply;
      checkToken(sim, request);
      checkVersion(version, resource);
      const answer = await handler({
        objectId,
        query: record(request.query),
        body: record(request.body),
      });
      const slow = sim.faults.strike('slow_answer', resource);
      if (slow !== undefined) await delay(sim.clock, slow.delayMs ?? 30_000);
      if (sim.faults.strike('lost_answer', resource) !== undefined) {
        reply.hijack();
        request.raw.socket.destroy();
        return reply;
      }
      return metaHeaders(sim, reply, version, objectId).send(answer);
    },
  });
}

/** Turns whatever a Graph handler threw into Meta's error body. */
export function sendGraphError(
  sim: Simulation,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const known = error instanceof GraphError ? error : fromFastify(sim, error);
  const { version = 'v23.0', objectId = '' } = record(request.params) as Record<string, string>;
  if (known.code === 190) {
    reply.header('www-authenticate', 'OAuth "Facebook Platform" "invalid_token"');
  }
  if (known.retryAfterSeconds !== undefined) reply.header('retry-after', known.retryAfterSeconds);
  return metaHeaders(sim, reply, version, objectId)
    .code(known.http)
    .send(errorBody(known, newTraceId(sim.random)));
}

/** The line a path names; Meta answers 100 with subcode 33 for objects it does not show. */
export function lineOf(sim: Simulation, objectId: string): Line {
  const line = sim.lines.get(objectId);
  if (line === undefined) throw noSuchObject(objectId);
  return line;
}

export function checkWaba(sim: Simulation, objectId: string): void {
  for (const line of sim.lines.values()) if (line.wabaId === objectId) return;
  throw noSuchObject(objectId);
}

export function record(raw: unknown): Record<string, unknown> {
  return typeof raw === 'object' && raw !== null ? (raw as Record<string, unknown>) : {};
}

function noSuchObject(objectId: string): GraphError {
  return new GraphError(100, undefined, {
    subcode: 33,
    message:
      `Unsupported request. Object with ID '${objectId}' does not exist, cannot be loaded due ` +
      'to missing permissions, or does not support this operation.',
  });
}

async function brokenBefore(
  sim: Simulation,
  resource: string,
  reply: FastifyReply,
): Promise<boolean> {
  if (sim.faults.strike('html_answer', resource) !== undefined) {
    await reply
      .code(502)
      .type('text/html; charset=utf-8')
      .send('<!DOCTYPE html><html><body><h1>Sorry, something went wrong.</h1></body></html>');
    return true;
  }
  if (sim.faults.strike('server_error', resource) !== undefined) throw new GraphError(131000);
  return false;
}

function checkToken(sim: Simulation, request: FastifyRequest): void {
  const bearer = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const token = bearer ?? record(request.query).access_token;
  if (typeof token === 'string' && sim.apps.tokens.has(token)) return;
  throw new GraphError(190);
}

/** Calling needs v17.0 or later (calling FAQ). */
function checkVersion(version: string, resource: string): void {
  const calling = resource === 'calls' || resource === 'call_permissions';
  if (calling && Number.parseInt(version.slice(1), 10) < 17) throw new GraphError(2635);
}

function metaHeaders(
  sim: Simulation,
  reply: FastifyReply,
  version: string,
  objectId: string,
): FastifyReply {
  const usage = [{ type: 'whatsapp', call_count: 1, total_cputime: 1, total_time: 1 }];
  return reply.headers({
    'facebook-api-version': version,
    'x-business-use-case-usage': JSON.stringify({ [objectId]: usage }),
    'x-fb-request-id': newTraceId(sim.random),
    'x-fb-trace-id': newTraceId(sim.random),
    'x-fb-rev': '1000000000',
  });
}

/** Bodies fastify itself could not read are parameter errors; anything else is our bug. */
function fromFastify(sim: Simulation, error: unknown): GraphError {
  const status = record(error).statusCode;
  if (typeof status === 'number' && status < 500) return new GraphError(100, errorText(error));
  sim.log.error({ err: error }, 'the simulator failed on a Graph request');
  return new GraphError(2);
}
