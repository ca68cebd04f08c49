import { timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Queryable } from '../database/database.ts';
import type { Clock } from '../platform/clock.ts';
import type { AccountId } from '../platform/ids.ts';
import {
  API_KEY_SHAPE,
  findApiKey,
  hashOfApiKey,
  touchApiKey,
  type ApiKeyId,
  type ApiKeyMode,
} from './api-keys-store.ts';
import { HttpError } from './problem.ts';

/** Who is asking: set by `authenticate`, read by every route behind it through `accountOf`. */
export type AuthenticatedAccount = { accountId: AccountId; keyId: ApiKeyId; mode: ApiKeyMode };

declare module 'fastify' {
  // An interface, because only interfaces can be merged into fastify's own.
  interface FastifyRequest {
    account?: AuthenticatedAccount;
  }
}

export type Authenticator = {
  /** Hook for `onRequest`: 401 comes before a stranger's body is even read. */
  authenticate: (request: FastifyRequest) => Promise<void>;
  /** Drops a key from the cache of this node, right after it was revoked. */
  forget: (keyId: ApiKeyId) => void;
};

type CachedKey = AuthenticatedAccount & { freshUntil: number };

/** A revoked key may live this long on other nodes. */
const CACHE_MS = 30_000;
const CACHE_MAX = 10_000;
const TOUCH_EVERY_MS = 60_000;
/** Wrong keys from one address a minute, before the database is no longer asked. */
const FAILURES_PER_MINUTE = 60;
const FAILURE_WINDOW_MS = 60_000;

export function makeAuthenticator(options: { database: Queryable; clock: Clock }): Authenticator {
  const { database, clock } = options;
  const cache = new Map<string, CachedKey>();
  const touchedAt = new Map<ApiKeyId, number>();
  const failures = makeFailureCounter(clock);

  async function lookUp(key: string, address: string): Promise<AuthenticatedAccount> {
    const hash = hashOfApiKey(key);
    const name = hash.toString('base64');
    const known = cache.get(name);
    if (known !== undefined && known.freshUntil > clock.monotonic()) return known;
    cache.delete(name);
    // Only here, so that a key in use goes on working while its neighbour guesses.
    failures.refuseIfTooMany(address);
    const row = await findApiKey(database, hash);
    // Looked up by hash, so nothing of the secret can leak by timing; compared all the same.
    if (row === undefined || !timingSafeEqual(row.key_hash, hash)) {
      failures.count(address);
      throw new HttpError('api_key_unknown', 'No key of ours reads like this one.');
    }
    if (row.revoked_at !== null) throw new HttpError('api_key_revoked', 'The key was revoked.');
    const account = { accountId: row.account_id, keyId: row.id, mode: row.mode };
    if (cache.size >= CACHE_MAX) cache.clear();
    cache.set(name, { ...account, freshUntil: clock.monotonic() + CACHE_MS });
    return account;
  }

  async function touch(keyId: ApiKeyId): Promise<void> {
    const now = clock.now();
    if (now - (touchedAt.get(keyId) ?? 0) < TOUCH_EVERY_MS) return;
    if (touchedAt.size >= CACHE_MAX) touchedAt.clear();
    touchedAt.set(keyId, now);
    await touchApiKey(database, keyId, now);
  }

  return {
    async authenticate(request) {
      const { accountId, keyId, mode } = await lookUp(bearerKeyOf(request), request.ip);
      request.account = { accountId, keyId, mode };
      await touch(keyId);
    },
    forget(keyId) {
      for (const [name, cached] of cache) if (cached.keyId === keyId) cache.delete(name);
    },
  };
}

/** The account of a request behind `authenticate`; 401 where the hook was forgotten. */
export function accountOf(request: FastifyRequest): AuthenticatedAccount {
  if (request.account === undefined) {
    throw new HttpError('api_key_missing', 'This route needs an API key.');
  }
  return request.account;
}

function bearerKeyOf(request: FastifyRequest): string {
  const header = request.headers.authorization;
  if (header === undefined || header.trim() === '') {
    throw new HttpError('api_key_missing', 'The Authorization header is missing.');
  }
  const key = /^bearer +(\S+)$/i.exec(header)?.[1];
  if (key === undefined) {
    throw new HttpError('api_key_missing', 'The Authorization header is not "Bearer <key>".');
  }
  if (!API_KEY_SHAPE.test(key)) {
    throw new HttpError('api_key_unknown', 'This text does not have the form of an API key.');
  }
  return key;
}

/** Counts wrong keys per address, so that guessing costs the guesser and not the database. */
export function makeFailureCounter(clock: Clock) {
  const counts = new Map<string, { since: number; count: number }>();
  return {
    count(address: string): void {
      const now = clock.monotonic();
      const known = counts.get(address);
      if (known !== undefined && now - known.since < FAILURE_WINDOW_MS) {
        known.count += 1;
        return;
      }
      if (counts.size >= CACHE_MAX) counts.clear();
      counts.set(address, { since: now, count: 1 });
    },
    refuseIfTooMany(address: string): void {
      const known = counts.get(address);
      if (known === undefined || known.count < FAILURES_PER_MINUTE) return;
      const waitMs = known.since + FAILURE_WINDOW_MS - clock.monotonic();
      if (waitMs <= 0) return;
      throw new HttpError(
        'too_many_failed_logins',
        `More than ${FAILURES_PER_MINUTE} requests a minute without a valid key.`,
        { headers: { 'retry-after': String(Math.ceil(waitMs / 1_000)) } },
      );
    },
  };
}
