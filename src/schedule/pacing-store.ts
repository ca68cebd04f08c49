import { statement, type Queryable, type Tx } from '../database/database.ts';
import { invariant } from '../platform/invariant.ts';
import type { AccountId } from '../platform/ids.ts';
import type { PacedId, PacingLimit, PacingScope, PaceSetter } from './schedule.ts';

/** Limits of pace and of calls at a time, as they were set. */
type LimitRow = {
  account_id: AccountId;
  scope: PacingScope;
  id: string;
  set_by: PaceSetter;
  calls_per_second: number | null;
  concurrent_calls: number | null;
  reason: string | null;
  updated_at: number;
};

const COLUMNS = `account_id, scope, id, set_by, calls_per_second, concurrent_calls, reason,
                 updated_at`;

const SAVE = statement<LimitRow>(
  'pacing_limit_save',
  `insert into pacing_limits (account_id, scope, id, set_by, calls_per_second, concurrent_calls,
                              reason, updated_at)
   values ($1, $2, $3, $4, $5, $6, $7, now())
   on conflict (account_id, scope, id, set_by) do update
     set calls_per_second = excluded.calls_per_second,
         concurrent_calls = excluded.concurrent_calls, reason = excluded.reason,
         paced_until = least(pacing_limits.paced_until, now()), updated_at = now()
   returning ${COLUMNS}`,
);

/** In place of what the same setter had set; what a slower pace had used up is forgiven. */
export async function savePacingLimit(
  tx: Tx,
  limit: Omit<PacingLimit, 'updatedAt'>,
): Promise<PacingLimit> {
  const { accountId, scope, id, setBy, callsPerSecond, concurrentCalls, reason } = limit;
  const values = [accountId, scope, id, setBy, callsPerSecond, concurrentCalls, reason];
  const row = await tx.first(SAVE, values);
  invariant(row !== undefined, 'an upsert answers with its row');
  return limitIn(row);
}

const REMOVE = statement<{ id: string }>(
  'pacing_limit_remove',
  `delete from pacing_limits
    where account_id = $1 and scope = $2 and id = $3 and set_by = $4 returning id`,
);

/** True where there was one. */
export async function removePacingLimit(
  tx: Tx,
  accountId: AccountId,
  { scope, id }: PacedId,
  setBy: PaceSetter,
): Promise<boolean> {
  return (await tx.first(REMOVE, [accountId, scope, id, setBy])) !== undefined;
}

const PAGE = statement<LimitRow>(
  'pacing_limits_page',
  `select ${COLUMNS} from pacing_limits
    where account_id = $1 and (scope, id, set_by) > ($2, $3, $4)
    order by scope, id, set_by limit $5`,
);

/** The limits of one account after one of them, in the order of scope, id and setter. */
export async function listPacingLimits(
  db: Queryable,
  accountId: AccountId,
  after: PacedId & { setBy: string },
  limit: number,
): Promise<PacingLimit[]> {
  const rows = await db.run(PAGE, [accountId, after.scope, after.id, after.setBy, limit]);
  return rows.map(limitIn);
}

function limitIn(row: LimitRow): PacingLimit {
  return {
    accountId: row.account_id,
    scope: row.scope,
    id: row.id,
    setBy: row.set_by,
    callsPerSecond: row.calls_per_second,
    concurrentCalls: row.concurrent_calls,
    reason: row.reason,
    updatedAt: row.updated_at,
  };
}

const OF_ACCOUNTS = statement<LimitRow>(
  'pacing_limits_of_accounts',
  `select ${COLUMNS} from pacing_limits where account_id = any ($1::text[])
    order by account_id, scope, id, set_by`,
);

/** All limits of these accounts. */
export async function pacingLimitsOf(
  db: Queryable,
  accountIds: readonly AccountId[],
): Promise<PacingLimit[]> {
  return (await db.run(OF_ACCOUNTS, [accountIds])).map(limitIn);
}
