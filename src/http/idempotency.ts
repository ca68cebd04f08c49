import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Database, Tx } from '../database/database.ts';
import { canonicalJson } from '../platform/canonical-json.ts';
import type { Clock } from '../platform/clock.ts';
import type { AccountId } from '../platform/ids.ts';
import { isRefused, type Refusal } from '../platform/refusal.ts';
import { accountOf } from './auth.ts';
import { findAnswer, storeAnswer, tryLockKey } from './idempotency-store.ts';
import type { FieldProblem } from './field-problems.ts';
import { HttpError, problemOf, PROBLEM_TYPE, REFUSAL_STATUS } from './problem.ts';

/**
 * `Idempotency-Key` (the IETF draft of that name): the same key and body get the first answer
 * again, whatever happened in between; another body is refused; while the first still runs, the
 * second is told to wait. The answer commits together with the work, so a crash leaves both or
 * neither.
 */
export type WorkAnswer = { status: number; body: unknown };

export type WorkRefused = {
  refused: Refusal;
  /** HTTP status, 409 unless given. */
  status?: number;
  /** The fields at fault, where the refusal is about the input. */
  fields?: FieldProblem[];
  /** False: do not remember this "no", so that the same key may try again later. */
  store?: boolean;
};

export type IdempotencyContext = { database: Database; clock: Clock };

type Answer = { status: number; body: string; replayed: boolean };

/**
 * Answers the request with what `work` returns, or with what it returned the first time. `work`
 * runs in one transaction with the key and must touch nothing but the database. A returned
 * refusal commits what was written beside it; anything thrown rolls all back.
 */
export async function idempotent(
  request: FastifyRequest,
  reply: FastifyReply,
  context: IdempotencyContext,
  work: (tx: Tx) => Promise<WorkAnswer | WorkRefused>,
): Promise<void> {
  const key = idempotencyKeyOf(request);
  const { accountId } = accountOf(request);
  const hash = requestHash(request.method, pathOf(request), request.body);
  const answer = await context.database.transaction((tx) =>
    answerOnce(tx, { accountId, key, hash, request, context, work }),
  );
  if (answer.replayed) reply.header('idempotent-replayed', 'true');
  const type = answer.status >= 400 ? PROBLEM_TYPE : 'application/json; charset=utf-8';
  // Sent as stored text, past the serializer, so that a replay is the same to the byte.
  await reply.code(answer.status).header('content-type', type).send(answer.body);
}

async function answerOnce(
  tx: Tx,
  once: {
    accountId: AccountId;
    key: string;
    hash: Buffer;
    request: FastifyRequest;
    context: IdempotencyContext;
    work: (tx: Tx) => Promise<WorkAnswer | WorkRefused>;
  },
): Promise<Answer> {
  const { accountId, key, hash, context } = once;
  if (!(await tryLockKey(tx, accountId, key))) {
    throw new HttpError('idempotency_in_flight', 'A request with this key is still running.', {
      headers: { 'retry-after': '1' },
    });
  }
  const stored = await findAnswer(tx, accountId, key);
  if (stored !== undefined) {
    if (!stored.request_hash.equals(hash)) {
      throw new HttpError('idempotency_key_reused', 'The first request had another body or path.');
    }
    return { status: stored.response_status, body: stored.response_body, replayed: true };
  }
  const result = await once.work(tx);
  const answer = render(result, once.request);
  if (!('refused' in result) || result.store !== false) {
    await storeAnswer(tx, { accountId, key, hash, ...answer, now: context.clock.now() });
  }
  return { ...answer, replayed: false };
}

function render(
  result: WorkAnswer | WorkRefused,
  request: FastifyRequest,
): { status: number; body: string } {
  if (!isRefused(result)) return { status: result.status, body: JSON.stringify(result.body) };
  const status = result.status ?? REFUSAL_STATUS;
  const context = { requestId: request.id, ...request.server.problemPages };
  const problem = problemOf(result.refused, context, status, result.fields);
  return { status, body: JSON.stringify(problem) };
}

function idempotencyKeyOf(request: FastifyRequest): string {
  const key = request.headers['idempotency-key'];
  if (key === undefined || key === '') {
    throw new HttpError('idempotency_key_missing', 'The Idempotency-Key header is missing.');
  }
  if (typeof key !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw new HttpError('idempotency_key_invalid', 'The Idempotency-Key is not usable as a key.');
  }
  return key;
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? '';
}

/** What makes two requests the same: method, path and the body, however its keys are ordered. */
export function requestHash(method: string, path: string, body: unknown): Buffer {
  return createHash('sha256')
    .update(`${method} ${path}\n${canonicalJson(body)}`)
    .digest();
}
