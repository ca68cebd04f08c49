import { timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Queryable } from '../database/database.ts';
import { hashOfApiKey } from '../http/api-keys-store.ts';
import { makeFailureCounter } from '../http/auth.ts';
import { HttpError } from '../http/problem.ts';
import type { Clock } from '../platform/clock.ts';
import type { Random } from '../platform/random.ts';
import type { Agent } from './agent.ts';
import { findAgentByToken } from './agent-store.ts';

declare module 'fastify' {
  // An interface, because only interfaces can be merged into fastify's own.
  interface FastifyRequest {
    agent?: Agent;
  }
}

/** 256 bits, as with API keys; another shape, so that no other route takes it. */
const TOKEN_BYTES = 32;
const TOKEN_SHAPE = /^aft_[A-Za-z0-9_-]{43}$/;

/** A token and what is stored of it. The token is shown once. */
export function makeAgentToken(random: Random): { token: string; tokenHash: Buffer } {
  const token = `aft_${Buffer.from(random.bytes(TOKEN_BYTES)).toString('base64url')}`;
  return { token, tokenHash: hashOfApiKey(token) };
}

/**
 * Hook for `onRequest` of an agent's own routes. The row is read each time, so that a token that
 * was taken back opens nothing from that moment on.
 */
export function makeAgentAuthenticator({ database, clock }: { database: Queryable; clock: Clock }) {
  const failures = makeFailureCounter(clock);
  return async (request: FastifyRequest): Promise<void> => {
    const token = /^bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined) {
      throw new HttpError(
        'api_key_missing',
        'The header "Authorization: Bearer <token>" is missing.',
      );
    }
    failures.refuseIfTooMany(request.ip);
    const hash = hashOfApiKey(token);
    const found = TOKEN_SHAPE.test(token) ? await findAgentByToken(database, hash) : null;
    if (found === null || !timingSafeEqual(found.tokenHash, hash)) {
      failures.count(request.ip);
      throw new HttpError('api_key_unknown', 'This is no token of an agent.');
    }
    request.agent = found.agent;
  };
}

/** The agent of a request behind the hook; 401 where it was forgotten. */
export function agentOf(request: FastifyRequest): Agent {
  if (request.agent === undefined) {
    throw new HttpError('api_key_missing', 'This route needs the token of an agent.');
  }
  return request.agent;
}
