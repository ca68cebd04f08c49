import { at, statement, type Queryable, type Tx } from '../database/database.ts';
import type { AccountId } from '../platform/ids.ts';
import { HTTP_ERRORS } from './http-errors.ts';

/**
 * First answers by Idempotency-Key, kept long enough that a late retry never dials again. They may
 * name people, also several at once, so they are sealed under the data key and not under a
 * person's; an erasure empties those that speak of somebody.
 */
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
/** They are opened here to be read, so no more of them at once than fits easily. */
const SWEEP_PAGE = 500;

/**
 * Takes the key until the transaction ends; false when another transaction has it now. The lock
 * only answers "in flight" quickly; the primary key is what keeps two answers apart.
 */
export async function tryLockKey(tx: Tx, accountId: AccountId, key: string): Promise<boolean> {
  return (await tx.first(TRY_LOCK, [accountId, key]))?.locked === true;
}

export async function findAnswer(
  tx: Tx,
  accountId: AccountId,
  key: string,
): Promise<StoredAnswer | undefined> {
  const row = await tx.first(FIND, [accountId, key]);
  return row === undefined ? undefined : { ...row, response_body: opened(tx, row.response_body) };
}

const SEALED = 'sealed:';

/** Answers of before there was a seal begin with a brace and are taken as they stand. */
function opened({ vault }: Queryable, stored: string): string {
  if (!stored.startsWith(SEALED)) return stored;
  return vault.sealer.open(Buffer.from(stored.slice(SEALED.length), 'base64'));
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
  const sealed = SEALED + tx.vault.sealer.seal(body).toString('base64');
  await tx.run(INSERT, [accountId, key, hash, status, sealed, at(now)]);
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

const PAGE = statement<{ account_id: string; key: string; response_body: string }>(
  'idempotency_page',
  `select account_id, key, response_body from idempotency_keys
    where account_id = any ($1::text[]) and (account_id, key) > ($2, $3) and created_at <= $4
    order by account_id, key limit $5`,
);

const EMPTY = statement(
  'idempotency_empty',
  `update idempotency_keys set response_status = 410, response_body = $3
    where (account_id, key) in (select * from unnest($1::text[], $2::text[]))`,
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
    const values = [sweep.accountIds, ...after, at(sweep.erasedAt), SWEEP_PAGE];
    const page = await db.run(PAGE, values);
    const theirs = page.filter(({ response_body }) => {
      const body = opened(db, response_body);
      return sweep.needles.some((needle) => body.includes(needle));
    });
    const accounts = theirs.map(({ account_id }) => account_id);
    const keys = theirs.map(({ key }) => key);
    if (keys.length > 0) await db.run(EMPTY, [accounts, keys, ERASED_ANSWER]);
    const last = page.at(-1);
    if (last === undefined) return;
    after = [last.account_id, last.key];
  }
}
