import { at, statement, type Queryable, type Tx } from '../database/database.ts';
import type { AccountId } from '../platform/ids.ts';
import { HTTP_ERRORS } from './http-errors.ts';

/** First answers by Idempotency-Key, kept long enough that a late retry never dials again. */
export type StoredAnswer = {
  request_hash: Buffer;
  response_status: number;
  response_body: string;
};

const TRY_LOCK = statement<{ locked: boolean }>(
  'idempotency_try_lock',
  'select pg_try_advisory_xact_lock(hashtextextended($1 || chr(10) || $2, 7306)) as locked',
);
const FIND = statement<StoredAnswer>(
  'idempotency_find',
  `select request_hash, response_status, response_body from idempotency_keys
   where account_id = $1 and key = $2`,
);
const INSERT = statement(
  'idempotency_insert',
  `insert into idempotency_keys
     (account_id, key, request_hash, response_status, response_body, created_at)
   values ($1, $2, $3, $4, $5, $6)`,
);
const PURGE = statement<{ key: string }>(
  'idempotency_purge',
  `delete from idempotency_keys where ctid in (
     select ctid from idempotency_keys where created_at < $1 limit $2
   ) returning key`,
);

const KEEP_MS = 30 * 24 * 3_600_000;
const PURGE_BATCH = 5_000;

/**
 * Takes the key until the transaction ends; false when another transaction has it now. The lock
 * only answers "in flight" quickly; the primary key is what keeps two answers apart.
 */
export async function tryLockKey(tx: Tx, accountId: AccountId, key: string): Promise<boolean> {
  return (await tx.first(TRY_LOCK, [accountId, key]))?.locked === true;
}

export function findAnswer(
  tx: Tx,
  accountId: AccountId,
  key: string,
): Promise<StoredAnswer | undefined> {
  return tx.first(FIND, [accountId, key]);
}

export async function storeAnswer(
  tx: Tx,
  answer: {
    accountId: AccountId;
    key: string;
    hash: Buffer;
    status: number;
    body: string;
    now: number;
  },
): Promise<void> {
  const { accountId, key, hash, status, body, now } = answer;
  await tx.run(INSERT, [accountId, key, hash, status, body, at(now)]);
}

/** Forgets answers older than 30 days, in small batches; returns how many. */
export async function purgeIdempotencyKeys(queryable: Queryable, now: number): Promise<number> {
  let purged = 0;
  for (;;) {
    const rows = await queryable.run(PURGE, [at(now - KEEP_MS), PURGE_BATCH]);
    purged += rows.length;
    if (rows.length < PURGE_BATCH) return purged;
  }
}

const SWEEP = statement<{ account_id: string; key: string }>(
  'idempotency_sweep',
  `with page as (
     select account_id, key, response_body from idempotency_keys
      where account_id = any ($1::text[]) and (account_id, key) > ($2, $3) and created_at <= $4
      order by account_id, key limit $5),
   swept as (
     update idempotency_keys i set response_status = 410, response_body = $6
       from page p where i.account_id = p.account_id and i.key = p.key
        and exists (select from unnest($7::text[]) n where strpos(p.response_body, n) > 0))
   select account_id, key from page order by account_id desc, key desc limit 1`,
);

/** What a late retry is told. Deleting the answer instead would let the retry act anew. */
const ERASED_ANSWER = JSON.stringify({
  type: 'about:blank',
  code: 'contact_erased',
  ...HTTP_ERRORS.contact_erased,
});

/** Empties stored answers that speak of somebody, page by page. */
export async function sweepAnswers(
  db: Queryable,
  sweep: { accountIds: readonly AccountId[]; needles: readonly string[]; erasedAt: number },
): Promise<void> {
  let after = ['', ''];
  for (;;) {
    const values = [sweep.accountIds, ...after, at(sweep.erasedAt), PURGE_BATCH];
    const last = await db.first(SWEEP, [...values, ERASED_ANSWER, sweep.needles]);
    if (last === undefined) return;
    after = [last.account_id, last.key];
  }
}
