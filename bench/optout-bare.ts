import { statement, type Database } from '../src/database/database.ts';
import type { ContactId } from '../src/platform/ids.ts';
import { bucketOf } from '../src/platform/ids.ts';

/**
 * The least that could stop calls to a person: the same rows change, in one transaction of plain
 * SQL. No lock that orders a person's life, no decision, no chained ledger, no sealed words, no
 * record of each call, no outgoing event.
 */
const STEPS = [
  statement(
    'bench_optout_mark',
    'update contacts set opted_out_at = now() where bucket = $1 and id = $2',
  ),
  statement(
    'bench_optout_list',
    `insert into do_not_call (bucket, account_id, handle_hmac, list, reason, source, added_at)
     select $1, account_id, sha256(id::bytea), 'opt_out', 'opted_out', 'api', now()
       from contacts where bucket = $1 and id = $2`,
  ),
  statement(
    'bench_optout_revoke',
    `update consents set status = 'revoked', wakes_at = null, updated_at = now()
      where bucket = $1 and contact_id = $2`,
  ),
  statement(
    'bench_optout_cancel',
    `update calls set status = 'ended'
      where bucket = $1 and contact_id = $2 and status = 'queued'`,
  ),
  statement(
    'bench_optout_record',
    `insert into ledger (bucket, contact_id, sequence, id, account_id, type, actor, at, data,
       previous_hash, hash)
     select $1, $2, 1000000, 'bare_' || $2, '', 'OptedOut', 'customer', now(), '{}', '', ''`,
  ),
];

export function bareOptOut(database: Database, contactId: ContactId): Promise<void> {
  return database.transaction(async (tx) => {
    for (const step of STEPS) await tx.run(step, [bucketOf(contactId), contactId]);
  });
}
