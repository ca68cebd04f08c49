import { createHash } from 'node:crypto';
import { at, statement, type Queryable } from '../database/database.ts';
import type { AccountId, Id, Ids } from '../platform/ids.ts';
import type { Random } from '../platform/random.ts';

/** API keys. The key itself is shown once; the store holds its SHA-256 and can never show it. */
export type ApiKeyMode = 'test' | 'live';
export type ApiKeyId = Id<'apiKey'>;

export type ApiKeyRow = {
  id: ApiKeyId;
  account_id: AccountId;
  mode: ApiKeyMode;
  key_hash: Buffer;
  revoked_at: number | null;
};

const INSERT = statement(
  'api_keys_insert',
  `insert into api_keys (id, account_id, name, mode, key_hash, created_at)
   values ($1, $2, $3, $4, $5, $6)`,
);
const BY_HASH = statement<ApiKeyRow>(
  'api_keys_by_hash',
  'select id, account_id, mode, key_hash, revoked_at from api_keys where key_hash = $1',
);
const TOUCH = statement(
  'api_keys_touch',
  `update api_keys set last_used_at = $2
   where id = $1 and (last_used_at is null or last_used_at < $2)`,
);
const REVOKE = statement<{ id: string }>(
  'api_keys_revoke',
  `update api_keys set revoked_at = coalesce(revoked_at, $3)
   where account_id = $1 and id = $2 returning id`,
);

/** 256 bits: guessing is hopeless, so a plain hash is enough and a slow one would only cost. */
const KEY_BYTES = 32;
export const API_KEY_SHAPE = /^af_(test|live)_[A-Za-z0-9_-]{43}$/;

export function hashOfApiKey(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

/** Makes a key; `key` is the only copy there will ever be. */
export async function createApiKey(
  queryable: Queryable,
  spec: { accountId: AccountId; name: string; mode: ApiKeyMode; now: number },
  from: { ids: Ids; random: Random },
): Promise<{ id: ApiKeyId; key: string }> {
  const id = from.ids.next('apiKey');
  const secret = Buffer.from(from.random.bytes(KEY_BYTES)).toString('base64url');
  const key = `af_${spec.mode}_${secret}`;
  const values = [id, spec.accountId, spec.name, spec.mode, hashOfApiKey(key), at(spec.now)];
  await queryable.run(INSERT, values);
  return { id, key };
}

export function findApiKey(queryable: Queryable, hash: Buffer): Promise<ApiKeyRow | undefined> {
  return queryable.first(BY_HASH, [hash]);
}

export async function touchApiKey(
  queryable: Queryable,
  id: ApiKeyId,
  usedAt: number,
): Promise<void> {
  await queryable.run(TOUCH, [id, at(usedAt)]);
}

/** True when the account had such a key. Nodes that cached it forget it within 30 s. */
export async function revokeApiKey(
  queryable: Queryable,
  accountId: AccountId,
  id: string,
  now: number,
): Promise<boolean> {
  return (await queryable.first(REVOKE, [accountId, id, at(now)])) !== undefined;
}
