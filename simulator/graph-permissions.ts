import type { FastifyInstance } from 'fastify';
import { GraphError } from './graph-error.ts';
import { personOfUserId } from './graph-recipient.ts';
import { graphRoute, lineOf } from './graph-router.ts';
import { toE164 } from './meta-ids.ts';
import { permissionsBody } from './permissions.ts';
import { personOf, type Simulation } from './simulation.ts';

/** GET /{phone number id}/call_permissions, with its own rate limit (613). */
export function addPermissionRoutes(app: FastifyInstance, sim: Simulation): void {
  graphRoute(app, sim, 'GET', 'call_permissions', 'call_permissions', (request) => {
    const line = lineOf(sim, request.objectId);
    const now = sim.clock.now();
    line.queriesAt = line.queriesAt.filter((at) => at > now - 1000);
    if (line.queriesAt.length >= sim.settings.permissionQueriesPerSecond) {
      throw new GraphError(613, 'Too many call permission queries.', { retryAfterSeconds: 1 });
    }
    line.queriesAt.push(now);
    const { user_wa_id: waId, recipient } = request.query;
    if (typeof waId === 'string') {
      const number = toE164(waId);
      if (number === undefined) throw new GraphError(100, 'user_wa_id is not a phone number');
      return permissionsBody(sim, line, personOf(sim, number));
    }
    if (typeof recipient === 'string') {
      return permissionsBody(sim, line, personOfUserId(sim, recipient));
    }
    throw new GraphError(100, 'The parameter user_wa_id (or recipient) is required.');
  });
}
